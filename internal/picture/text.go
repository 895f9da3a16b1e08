package picture

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// The fixed-width bitmap font of all labels.
const (
	glyphWidth  = 7
	glyphHeight = 13
	ascent      = 11
)

var (
	white = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{34, 34, 34, 255}
	faint = color.RGBA{119, 119, 119, 255}
	rule  = color.RGBA{221, 221, 221, 255}
)

// textWidth returns the width of a line in pixels.
func textWidth(s string) int { return glyphWidth * len([]rune(s)) }

// drawText writes s with its upper left corner at (x, y).
func drawText(dst draw.Image, x, y int, s string, c color.Color) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: basicfont.Face7x13, Dot: fixed.P(x, y+ascent)}
	d.DrawString(s)
}

// drawTextUp writes s from bottom to top, centred on cy, in a column of glyphHeight
// pixels that starts at x.
func drawTextUp(dst *image.RGBA, x, cy int, s string, c color.RGBA) {
	n := textWidth(s)
	line := image.NewAlpha(image.Rect(0, 0, n, glyphHeight))
	drawText(line, 0, 0, s, color.Opaque)
	for i := range n {
		for j := range glyphHeight {
			if line.AlphaAt(i, j).A > 0 {
				dst.SetRGBA(x+j, cy+n/2-i, c)
			}
		}
	}
}

// numberWidth is the width of a number: seven characters.
const numberWidth = 7 * glyphWidth

// number formats v in at most seven characters: integers below a million in full,
// others with three digits if they fit: 0.286, -1.2e-5.
func number(v float64) string {
	if v == 0 || math.Abs(v) < 1e-99 {
		return "0"
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e6 {
		return strconv.Itoa(int(v))
	}
	s := ""
	for digits := 3; digits > 0; digits-- {
		for _, format := range []byte{'g', 'e'} {
			precision := digits
			if format == 'e' {
				precision--
			}
			s = strconv.FormatFloat(v, format, precision, 64)
			s = strings.NewReplacer("e-0", "e-", "e+0", "e", "e+", "e").Replace(s)
			if len(s) <= 7 {
				return s
			}
		}
	}
	return s
}

// clip shortens s so that it fits into width pixels.
func clip(s string, width int) string {
	r, n := []rune(s), max(0, width/glyphWidth)
	if len(r) <= n {
		return s
	}
	return string(r[:max(0, n-2)]) + strings.Repeat(".", min(n, 2))
}

func fill(dst draw.Image, r image.Rectangle, c color.Color) {
	draw.Draw(dst, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// frame draws a line of one pixel around r, outside of it.
func frame(dst draw.Image, r image.Rectangle, c color.Color) {
	o := r.Inset(-1)
	fill(dst, image.Rect(o.Min.X, o.Min.Y, o.Max.X, o.Min.Y+1), c)
	fill(dst, image.Rect(o.Min.X, o.Max.Y-1, o.Max.X, o.Max.Y), c)
	fill(dst, image.Rect(o.Min.X, o.Min.Y, o.Min.X+1, o.Max.Y), c)
	fill(dst, image.Rect(o.Max.X-1, o.Min.Y, o.Max.X, o.Max.Y), c)
}

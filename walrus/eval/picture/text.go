package picture

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
	"strings"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Measures of the labels in pixels.
const (
	fontSize   = 13
	lineHeight = 15
	ascent     = 12
	// numberWidth is the width of the longest result of number.
	numberWidth = 50
)

var (
	white = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{34, 34, 34, 255}
	faint = color.RGBA{102, 102, 102, 255}
)

// sans is the font of all labels.
var sans = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(liberationsansregular.TTF) })

// pen writes labels into a picture. Faces are not safe for concurrent use, so every
// picture has its own pen.
type pen struct {
	dst  *image.RGBA
	face font.Face
}

func newPen() (pen, error) {
	f, err := sans()
	if err != nil {
		return pen{}, err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: fontSize, DPI: 72, Hinting: font.HintingFull})
	return pen{face: face}, err
}

// width returns the width of a line in pixels.
func (p pen) width(s string) int { return font.MeasureString(p.face, s).Ceil() }

// text writes s with its upper left corner at (x, y).
func (p pen) text(x, y int, s string, c color.Color) { p.into(p.dst, x, y, s, c) }

func (p pen) into(dst draw.Image, x, y int, s string, c color.Color) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: p.face, Dot: fixed.P(x, y+ascent)}
	d.DrawString(s)
}

// textUp writes s from bottom to top, centred on cy, in a column of lineHeight pixels
// that starts at x.
func (p pen) textUp(x, cy int, s string, c color.Color) {
	n := p.width(s)
	line := image.NewAlpha(image.Rect(0, 0, n, lineHeight))
	p.into(line, 0, 0, s, color.Opaque)
	up := image.NewAlpha(image.Rect(0, 0, lineHeight, n))
	for i := range n {
		for j := range lineHeight {
			up.SetAlpha(j, n-1-i, line.AlphaAt(i, j))
		}
	}
	corner := image.Pt(x, cy-n/2)
	draw.DrawMask(p.dst, up.Rect.Add(corner), image.NewUniform(c), image.Point{}, up, image.Point{}, draw.Over)
}

// clip shortens s so that it fits into width pixels.
func (p pen) clip(s string, width int) string {
	if p.width(s) <= width {
		return s
	}
	for r := []rune(s); len(r) > 0; {
		r = r[:len(r)-1]
		if short := string(r) + "…"; p.width(short) <= width {
			return short
		}
	}
	return ""
}

// number formats v in at most seven characters: integers below a million in full, others
// with the given number of digits if they fit. Three digits give 0.286 and -1.2e-5.
func number(v float64, digits int) string {
	if v == 0 || math.Abs(v) < 1e-99 {
		return "0"
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e6 {
		return strconv.Itoa(int(v))
	}
	s := ""
	for ; digits > 0; digits-- {
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

package picture

import (
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"io"
	"time"
)

// GIF writes the panels as an animation that repeats forever. Frames are delay apart,
// rounded to hundredths of a second, at least two of them. The last frame stays four
// times as long. All panels must have the same size in pixels. Colours are reduced to
// 112 per colour map.
func GIF(path string, panels []Panel, delay time.Duration) error {
	if len(panels) == 0 {
		return fmt.Errorf("picture: %s: expected at least one panel, got none", path)
	}
	hundredths := int((delay + 5*time.Millisecond) / (10 * time.Millisecond))
	if hundredths < 2 {
		return fmt.Errorf("picture: %s: expected a delay of at least 20ms, got %v", path, delay)
	}
	anim := &gif.GIF{}
	reduce := newReducer()
	for i, p := range panels {
		img, err := p.Image()
		if err != nil {
			return fmt.Errorf("%w (frame %d of %s)", err, i, path)
		}
		if i > 0 && img.Rect != anim.Image[0].Rect {
			return fmt.Errorf("picture: %s: frame %d: expected %v pixels like the first, got %v", path, i, anim.Image[0].Rect.Max, img.Rect.Max)
		}
		anim.Image = append(anim.Image, reduce.image(img))
		anim.Delay = append(anim.Delay, hundredths)
	}
	anim.Delay[len(panels)-1] *= 4
	return writeFile(path, func(w io.Writer) error { return gif.EncodeAll(w, anim) })
}

// gifShades is the number of colours of each map in the palette.
const gifShades = 112

// gifPalette holds shades of both maps, the colours of text and lines and a
// ramp of greys: 2·112 + 4 + 16 of 256 entries.
func gifPalette() color.Palette {
	p := color.Palette{white, ink, faint, rule}
	for i := range 16 {
		v := uint8(17 * i)
		p = append(p, color.RGBA{v, v, v, 255})
	}
	for _, m := range []ColorMap{Viridis, CoolWarm} {
		for i := range gifShades {
			p = append(p, m.At(float64(i)/(gifShades-1)))
		}
	}
	return p
}

// reducer maps colours to the palette and caches the results.
type reducer struct {
	palette color.Palette
	known   map[color.RGBA]uint8
}

func newReducer() reducer {
	return reducer{palette: gifPalette(), known: map[color.RGBA]uint8{}}
}

func (r reducer) image(src *image.RGBA) *image.Paletted {
	dst := image.NewPaletted(src.Rect, r.palette)
	for y := src.Rect.Min.Y; y < src.Rect.Max.Y; y++ {
		for x := src.Rect.Min.X; x < src.Rect.Max.X; x++ {
			c := src.RGBAAt(x, y)
			i, ok := r.known[c]
			if !ok {
				i = uint8(r.palette.Index(c))
				r.known[c] = i
			}
			dst.SetColorIndex(x, y, i)
		}
	}
	return dst
}

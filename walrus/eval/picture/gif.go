package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"io"
	"time"
)

// GIF writes the panels into a file as an animation, see [EncodeGIF]. The file is written
// next to path and renamed to path; the folder must exist.
func GIF(path string, panels []Panel, delay time.Duration) error {
	return writeFile(path, func(w io.Writer) error { return EncodeGIF(w, panels, delay) })
}

// EncodeGIF writes the panels as an animation that repeats forever. Frames are delay
// apart, rounded to hundredths of a second, at least two of them. The last frame stays
// four times as long. All panels must have the same size in pixels. Colours are reduced
// to 64 per colour map, which makes the files a quarter smaller than the largest
// possible number does.
func EncodeGIF(w io.Writer, panels []Panel, delay time.Duration) error {
	if len(panels) == 0 {
		return errors.New("picture: expected at least one panel, got none")
	}
	hundredths := int((delay + 5*time.Millisecond) / (10 * time.Millisecond))
	if hundredths < 2 || delay > maxDelay {
		return fmt.Errorf("picture: expected a delay of 20ms to %v, got %v", maxDelay, delay)
	}
	anim := &gif.GIF{}
	reduce := newReducer()
	for i, p := range panels {
		img, err := p.Image()
		if err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
		if i > 0 && img.Rect != anim.Image[0].Rect {
			return fmt.Errorf("picture: frame %d: expected %v pixels like the first, got %v", i, anim.Image[0].Rect.Max, img.Rect.Max)
		}
		anim.Image = append(anim.Image, reduce.image(img))
		anim.Delay = append(anim.Delay, hundredths)
	}
	anim.Delay[len(panels)-1] *= 4
	return gif.EncodeAll(w, anim)
}

// maxDelay is the longest delay of a frame. Four times this delay still fits the format.
const maxDelay = 160 * time.Second

// gifShades is the number of colours of each map in the palette.
const gifShades = 64

// gifPalette holds shades of both maps, the colours of text and lines and a
// ramp of greys: 2·64 + 3 + 28 of 256 entries.
func gifPalette() color.Palette {
	p := color.Palette{white, ink, faint}
	for i := range 28 {
		v := uint8(255 * i / 27)
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

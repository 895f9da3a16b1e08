package experiment

import (
	"errors"
	"image"
	"image/draw"

	"github.com/gowalrus/gowalrus/walrus/eval/picture"
)

// Sheet is several drawings of one size in rows of Columns.
type Sheet struct {
	Columns  int
	Drawings []picture.Drawing
}

// Image draws the sheet. Unused places in the last row stay white.
func (s Sheet) Image() (*image.RGBA, error) {
	if len(s.Drawings) == 0 || s.Columns < 1 {
		return nil, errors.New("experiment: sheet: expected drawings and at least one column")
	}
	var all *image.RGBA
	for i, d := range s.Drawings {
		img, err := d.Image()
		if err != nil {
			return nil, err
		}
		size := img.Bounds().Size()
		if all == nil {
			rows := (len(s.Drawings) + s.Columns - 1) / s.Columns
			all = image.NewRGBA(image.Rect(0, 0, size.X*min(s.Columns, len(s.Drawings)), size.Y*rows))
			draw.Draw(all, all.Bounds(), image.White, image.Point{}, draw.Src)
		}
		corner := image.Pt(i%s.Columns*size.X, i/s.Columns*size.Y)
		draw.Draw(all, image.Rectangle{Min: corner, Max: corner.Add(size)}, img, img.Bounds().Min, draw.Src)
	}
	return all, nil
}

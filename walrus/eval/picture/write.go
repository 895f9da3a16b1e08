package picture

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// Drawing is anything that can be drawn: a [Panel], or a chart of package
// walrus/eval/report.
type Drawing interface {
	Image() (*image.RGBA, error)
}

// PNG draws d into a PNG file. The file is written next to path and renamed to path;
// the folder must exist.
func PNG(path string, d Drawing) error {
	return writeFile(path, func(w io.Writer) error { return EncodePNG(w, d) })
}

// EncodePNG draws d and writes it as PNG.
func EncodePNG(w io.Writer, d Drawing) error {
	if d == nil {
		return errors.New("picture: expected a drawing, got nil")
	}
	img, err := d.Image()
	if err != nil {
		return err
	}
	return png.Encode(w, img)
}

// writeFile makes the file at path from what write writes; if it fails no file is left.
func writeFile(path string, write func(io.Writer) error) error {
	if err := atomicfile.Write(path, write); err != nil {
		return fmt.Errorf("picture: %s: %w", path, err)
	}
	return nil
}

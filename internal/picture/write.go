package picture

import (
	"fmt"
	"image"
	"image/png"
	"io"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// Drawing is anything that can be drawn: a [Panel] or a [Chart].
type Drawing interface {
	Image() (*image.RGBA, error)
}

// PNG draws d into a PNG file. The file is written next to path and renamed to path;
// the folder must exist.
func PNG(path string, d Drawing) error {
	img, err := d.Image()
	if err != nil {
		return fmt.Errorf("%w (for %s)", err, path)
	}
	return writeFile(path, func(w io.Writer) error { return png.Encode(w, img) })
}

// writeFile makes the file at path from what write writes; if it fails no file is left.
func writeFile(path string, write func(io.Writer) error) error {
	if err := atomicfile.Write(path, write); err != nil {
		return fmt.Errorf("picture: %s: %w", path, err)
	}
	return nil
}

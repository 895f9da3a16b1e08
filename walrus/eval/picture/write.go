package picture

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
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

// writeFile lets write fill a temporary file in path's folder and renames it to path;
// if it fails no file is left.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("picture: %s: %w", path, err)
		}
	}()
	if err = write(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

package npz

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/atomicfile"
	"github.com/gowalrus/gowalrus/internal/npy"
)

// Write writes a window, which must be valid, to a file. An existing file is replaced when
// the new one is complete.
func Write(path string, w *data.Window) error {
	if err := w.Validate(); err != nil {
		return fmt.Errorf("npz: %w", err)
	}
	if err := atomicfile.Write(path, func(f io.Writer) error { return write(f, w) }); err != nil {
		return fmt.Errorf("npz: %s: %w", path, err)
	}
	return nil
}

// write writes the members of the file.
func write(f io.Writer, w *data.Window) error {
	z := zip.NewWriter(f)
	add := func(name string, shape []int, parts ...[]float32) error {
		// Stored, so that readers find blocks where they lie.
		member, err := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
		if err != nil {
			return err
		}
		return npy.Write(member, shape, parts...)
	}
	text, err := json.Marshal(describe(w))
	if err != nil {
		return err
	}
	member, err := z.Create(layoutName)
	if err != nil {
		return err
	}
	if _, err := member.Write(text); err != nil {
		return err
	}
	if err := add(framesName, append([]int{len(w.Frames), len(w.Channels(false))}, w.Grid...), w.Frames...); err != nil {
		return err
	}
	if n := len(w.Channels(true)); n > 0 {
		if err := add(constantsName, append([]int{n}, w.Grid...), w.Constants); err != nil {
			return err
		}
	}
	if w.Times != nil {
		if err := add(timesName, []int{len(w.Times)}, w.Times); err != nil {
			return err
		}
	}
	return z.Close()
}

// describe returns the content of window.json.
func describe(w *data.Window) layout {
	l := layout{Name: w.Name, Axes: w.Axes, Curvilinear: w.Curvilinear, Embedded: w.Embedded}
	for _, f := range w.Fields {
		l.Fields = append(l.Fields, field(f))
	}
	var parts []string
	for _, b := range w.Boundaries {
		parts = append(parts, b.String())
	}
	l.Boundaries = strings.Join(parts, ",")
	return l
}

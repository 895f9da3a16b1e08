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
	out, err := Create(path, w, WriterOptions{Times: w.Times, Steps: len(w.Frames)})
	if err != nil {
		return err
	}
	defer out.Abort()
	for _, frame := range w.Frames {
		if err := out.Step(frame); err != nil {
			return err
		}
	}
	return out.Close()
}

// WriterOptions describe the frames that a [Writer] gets.
type WriterOptions struct {
	// Steps is the number of steps.
	Steps int
	// Times holds the time of each step. It may be nil.
	Times []float32
	// Members is the number of frames of every step. 0 means one, without an axis of members.
	Members int
	// Provenance says how the frames were made: texts by name, in window.json.
	Provenance map[string]string
}

// Writer writes a file step by step and keeps no frames in memory.
type Writer struct {
	path   string
	file   *atomicfile.File
	zip    *zip.Writer
	frames io.Writer
	// members and length are the frames of a step and the values of a frame.
	members, length, steps, done int
}

// Create begins a file for frames with the layout of a window, whose own frames are not
// written. An existing file is replaced when the new one is complete.
func Create(path string, w *data.Window, o WriterOptions) (*Writer, error) {
	if err := w.ValidateLayout(); err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	if o.Steps < 1 || o.Members < 0 || o.Times != nil && len(o.Times) != o.Steps || len(w.Constants) != len(w.Channels(true))*w.Points() {
		return nil, fmt.Errorf("npz: %s: expected at least one step, a time for each or none, no negative number of members, and the constant fields of the window, got %d steps, %d times, %d members and %d values of constant fields",
			path, o.Steps, len(o.Times), o.Members, len(w.Constants))
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, fmt.Errorf("npz: %s: %w", path, err)
	}
	out := &Writer{path: path, file: f, zip: zip.NewWriter(f), members: max(o.Members, 1), length: len(w.Channels(false)) * w.Points(), steps: o.Steps}
	if err := out.begin(w, o); err != nil {
		f.Abort()
		return nil, fmt.Errorf("npz: %s: %w", path, err)
	}
	return out, nil
}

// begin writes all members of the file but the frames.
func (out *Writer) begin(w *data.Window, o WriterOptions) error {
	l := describe(w)
	l.Members, l.Provenance = o.Members, o.Provenance
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	member, err := out.zip.Create(layoutName)
	if err != nil {
		return err
	}
	if _, err := member.Write(text); err != nil {
		return err
	}
	if n := len(w.Channels(true)); n > 0 {
		if err := out.array(constantsName, append([]int{n}, w.Grid...), w.Constants); err != nil {
			return err
		}
	}
	if o.Times != nil {
		if err := out.array(timesName, []int{len(o.Times)}, o.Times); err != nil {
			return err
		}
	}
	for i, axis := range w.AxisNames() {
		if i < len(w.Coordinates) {
			if err := out.array(coordinatesName+axis, []int{len(w.Coordinates[i])}, w.Coordinates[i]); err != nil {
				return err
			}
		}
	}
	shape := []int{o.Steps}
	if o.Members > 0 {
		shape = append(shape, o.Members)
	}
	shape = append(shape, len(w.Channels(false)))
	if out.frames, err = out.member(framesName); err != nil {
		return err
	}
	_, err = out.frames.Write(npy.Header(append(shape, w.Grid...)))
	return err
}

// member begins a member of the archive. It is stored, so that readers find blocks where
// they lie.
func (out *Writer) member(name string) (io.Writer, error) {
	return out.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
}

// array writes an array.
func (out *Writer) array(name string, shape []int, values []float32) error {
	member, err := out.member(name)
	if err != nil {
		return err
	}
	return npy.Write(member, shape, values)
}

// Step writes the next step: one frame per member, [C·points] each.
func (out *Writer) Step(frames ...[]float32) error {
	if out.done == out.steps || len(frames) != out.members {
		return fmt.Errorf("npz: %s: step %d: expected %d steps of %d frames, got %d frames", out.path, out.done, out.steps, out.members, len(frames))
	}
	for _, frame := range frames {
		if len(frame) != out.length {
			return fmt.Errorf("npz: %s: step %d: expected %d values, got %d", out.path, out.done, out.length, len(frame))
		}
	}
	if err := npy.Values(out.frames, frames...); err != nil {
		return fmt.Errorf("npz: %s: %w", out.path, err)
	}
	out.done++
	return nil
}

// Close completes the file. If steps are missing it returns an error and leaves no file.
func (out *Writer) Close() error {
	defer out.file.Abort()
	if out.done != out.steps {
		return fmt.Errorf("npz: %s: expected %d steps, got %d", out.path, out.steps, out.done)
	}
	err := out.zip.Close()
	if err == nil {
		err = out.file.Commit()
	}
	if err != nil {
		return fmt.Errorf("npz: %s: %w", out.path, err)
	}
	return nil
}

// Abort removes the incomplete file. After Close it does nothing.
func (out *Writer) Abort() { out.file.Abort() }

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

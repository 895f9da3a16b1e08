package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// Options describes the input and the output of Convert.
type Options struct {
	// Input is the file to convert.
	Input string
	// Out is the folder in which Convert creates the folder of the data set.
	Out string
	// Format is the name of a format. Empty means the format that matches the input's name.
	Format string
	// Name is the name of the data set. Empty means the format's default, with a number if the
	// folder of that name holds a data set with other fields, grid or scalars. A data set of
	// the given name that differs is an error.
	Name string
	// Split is "train", "valid", "test", or "random", which divides the trajectories at
	// random by Seed into 80, 10 and 10 percent. Empty means the split that the name of the
	// file contains, or "train".
	Split string
	Seed  uint64
	// Boundaries replaces the boundaries of the format.
	Boundaries data.Boundaries
	// Progress, if not nil, is called with the number of frames written and their total.
	Progress func(done, total int)
}

// Report describes the result of a conversion.
type Report struct {
	Format string
	// Dir is the folder of the data set, Files lists the written files.
	Dir   string
	Files []string
	// Trajectories and Steps count the converted trajectories and their frames.
	Trajectories, Steps int
	// Notes lists the assumptions that were made and the parts of the source that were left
	// out.
	Notes []string
}

// source is an open file of another layout, read as trajectories of frames.
type source struct {
	// header describes all trajectories. Convert fills in the name of the data set.
	header well.Header
	// frame fills dst with the channels of a frame, [C·points]. It is called with the
	// frames of a trajectory in order.
	frame func(trajectory, step int, dst []float32) error
	// constants fills dst with the constant fields. It is nil if there are none.
	constants func(trajectory int, dst []float32) error
	// scalars holds the values of each declared scalar, one per trajectory.
	scalars map[string][]float32
	notes   []string
	close   func() error
}

// note adds a line to Report.Notes.
func (s *source) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// Convert converts a file of another collection to The Well's layout.
func Convert(ctx context.Context, o Options) (*Report, error) {
	format, err := o.format()
	if err != nil {
		return nil, err
	}
	s, err := format.open(o.Input)
	if err != nil {
		return nil, fmt.Errorf("convert: %s as %s: %w", o.Input, format.Name, err)
	}
	defer s.close()
	if s.header.Dataset = o.Name; o.Name == "" {
		s.header.Dataset = format.Dataset
	}
	if o.Boundaries != nil {
		s.header.Boundaries = o.Boundaries
	}
	if err := s.header.Validate(); err != nil {
		return nil, fmt.Errorf("convert: %s as %s: %w", o.Input, format.Name, err)
	}
	if err := s.place(o); err != nil {
		return nil, fmt.Errorf("convert: %s as %s: %w", o.Input, format.Name, err)
	}
	r := &Report{Format: format.Name, Dir: filepath.Join(o.Out, s.header.Dataset), Trajectories: s.header.Trajectories, Steps: len(s.header.Times), Notes: s.notes}
	parts, err := o.parts(s.header.Trajectories)
	if err != nil {
		return nil, err
	}
	done, total := 0, s.header.Trajectories*len(s.header.Times)
	step := func() {
		if done++; o.Progress != nil {
			o.Progress(done, total)
		}
	}
	for _, p := range parts {
		file := filepath.Join(r.Dir, "data", p.split, stem(o.Input)+".hdf5")
		if err := s.write(ctx, file, p.trajectories, step); err != nil {
			for _, f := range r.Files {
				err = errors.Join(err, os.Remove(f))
			}
			return nil, fmt.Errorf("convert: %s as %s: %w", o.Input, format.Name, err)
		}
		r.Files = append(r.Files, file)
	}
	return r, nil
}

// place compares the header with the data set of its name in Out. A source without a given
// name that differs gets a name with a number.
func (s *source) place(o Options) error {
	name := s.header.Dataset
	for i := 2; ; i++ {
		err := s.compare(filepath.Join(o.Out, s.header.Dataset))
		different := (*differentError)(nil)
		if err == nil || !errors.As(err, &different) || o.Name != "" {
			return err
		}
		s.header.Dataset = fmt.Sprintf("%s_%d", name, i)
		s.note("%v: this file goes to the data set %s", err, s.header.Dataset)
	}
}

// differentError says that a data set and a source cannot be mixed.
type differentError struct {
	file string
	err  error
}

func (e *differentError) Error() string {
	return fmt.Sprintf("it differs from %s: %v", e.file, e.err)
}

// compare returns a differentError unless the files in a folder have the system of the
// source. A folder without files has any.
func (s *source) compare(dir string) error {
	splits, err := well.Splits(dir)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(splits) == 0) {
		return nil
	}
	if err != nil {
		return err
	}
	ds, err := well.Open(dir, well.Options{Split: splits[0]})
	if err != nil {
		return err
	}
	defer ds.Close()
	if err := well.SameSystem(ds.Metadata(), s.header.Metadata()); err != nil {
		return &differentError{ds.Files()[0].Path, err}
	}
	return nil
}

// stem returns the name of a file without folder and extension.
func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// part holds the trajectories of one split.
type part struct {
	split        string
	trajectories []int
}

// parts divides n trajectories among the splits.
func (o Options) parts(n int) ([]part, error) {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	switch o.Split {
	case "train", "valid", "test":
		return []part{{o.Split, all}}, nil
	case "random":
		train, valid, test := data.SplitTrajectories(n, o.Seed)
		return slices.DeleteFunc([]part{{"train", train}, {"valid", valid}, {"test", test}}, func(p part) bool { return len(p.trajectories) == 0 }), nil
	case "":
		return []part{{splitOf(o.Input), all}}, nil
	}
	return nil, fmt.Errorf(`convert: split: expected "train", "valid", "test" or "random", got %q`, o.Split)
}

// splitOf returns the split that the name of a file contains, or "train".
func splitOf(path string) string {
	for _, word := range strings.FieldsFunc(strings.ToLower(stem(path)), func(r rune) bool { return r == '_' || r == '-' || r == '.' }) {
		switch word {
		case "valid", "val", "validation":
			return "valid"
		case "test":
			return "test"
		}
	}
	return "train"
}

// write writes the given trajectories to one file.
func (s *source) write(ctx context.Context, file string, trajectories []int, step func()) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	h := s.header
	h.Trajectories = len(trajectories)
	w, err := well.Create(file, h, well.WriteOptions{})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	window := data.Window{Fields: h.Fields, Grid: grid(h), Axes: h.Axes}
	frame := make([]float32, len(window.Channels(false))*window.Points())
	constants := make([]float32, len(window.Channels(true))*window.Points())
	for i, t := range trajectories {
		for k := range h.Times {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.frame(t, k, frame); err != nil {
				return err
			}
			if err := w.Frame(i, k, frame); err != nil {
				return err
			}
			step()
		}
		if err := s.writeConstants(w, i, t, constants); err != nil {
			return err
		}
	}
	return w.Close()
}

// writeConstants writes the constant fields and the scalars of a trajectory.
func (s *source) writeConstants(w *well.Writer, i, trajectory int, buffer []float32) error {
	if len(buffer) > 0 {
		if err := s.constants(trajectory, buffer); err != nil {
			return err
		}
		if err := w.Constants(i, buffer); err != nil {
			return err
		}
	}
	for _, sc := range s.header.Scalars {
		if err := w.Scalar(sc.Name, i, s.scalars[sc.Name][trajectory:trajectory+1]); err != nil {
			return err
		}
	}
	return nil
}

func grid(h well.Header) []int {
	out := make([]int, len(h.Coordinates))
	for i, x := range h.Coordinates {
		out[i] = len(x)
	}
	return out
}

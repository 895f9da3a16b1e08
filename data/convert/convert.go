package convert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// Options say what Convert reads and writes.
type Options struct {
	// Input is the file to convert.
	Input string
	// Out is the folder that gets the folder of the data set.
	Out string
	// Format is the name of a format; empty is the one that fits the input.
	Format string
	// Name is the name of the data set; empty is that of the format.
	Name string
	// Split is "train", "valid", "test", or "random" for 80, 10 and 10 percent of
	// the trajectories by Seed. Empty is what the name of the file says, else
	// "train".
	Split string
	Seed  uint64
	// Boundaries replace those of the format.
	Boundaries data.Boundaries
	// Progress, if not nil, is told how many frames of how many are written.
	Progress func(done, total int)
}

// Report says what was made.
type Report struct {
	Format string
	// Dir is the folder of the data set, Files are the files written.
	Dir   string
	Files []string
	// Trajectories and Steps count what was converted.
	Trajectories, Steps int
	// Notes tell what was assumed and what of the source is not in the result.
	Notes []string
}

// source is an opened file of another layout, seen as trajectories of frames.
type source struct {
	// header describes all trajectories; the name of the data set is filled in
	// later.
	header well.Header
	// frame fills dst with the channels of a frame, [C·points]. Frames of a
	// trajectory are asked for in order.
	frame func(trajectory, step int, dst []float32) error
	// constants does the same for the constant fields, if there are any.
	constants func(trajectory int, dst []float32) error
	// scalars holds the values of each declared scalar: one per trajectory.
	scalars map[string][]float32
	notes   []string
	close   func() error
}

// note adds a line to the report.
func (s *source) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// Convert converts a file.
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

// stem is the name of a file without folder and extension.
func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// part is what goes into one split.
type part struct {
	split        string
	trajectories []int
}

// parts divides the trajectories.
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

// splitOf reads the split from the words of a file's name.
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

// write writes some trajectories to one file.
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

// writeConstants writes constant fields and scalars of a trajectory.
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

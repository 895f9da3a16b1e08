package well

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// Description describes a data set and its problems.
type Description struct {
	Path     string   `json:"path"`
	Name     string   `json:"name,omitempty"`
	GridType string   `json:"grid_type,omitempty"`
	Axes     []string `json:"axes,omitempty"`
	// Grid is the number of points along each axis.
	Grid   []int              `json:"grid,omitempty"`
	Fields []FieldDescription `json:"fields,omitempty"`
	// Scalars names the numbers that belong to frames or trajectories.
	Scalars []string `json:"scalars,omitempty"`
	// Boundaries are those of the last split, as in SplitDescription.
	Boundaries []string `json:"boundaries,omitempty"`
	// Statistics says whether the data set has a stats.yaml.
	Statistics bool               `json:"statistics"`
	Splits     []SplitDescription `json:"splits,omitempty"`
	// Problems are the reasons why the data set cannot be used, one line each.
	Problems []string `json:"problems"`
}

// FieldDescription describes a field: its tensor order and whether it is constant in time.
type FieldDescription struct {
	Name     string `json:"name"`
	Order    int    `json:"order"`
	Constant bool   `json:"constant"`
}

// SplitDescription counts the contents of a split.
type SplitDescription struct {
	Split        string `json:"split"`
	Files        int    `json:"files"`
	Bytes        int64  `json:"bytes"`
	Trajectories int    `json:"trajectories"`
	// Steps lists the different lengths of the trajectories in frames.
	Steps []int `json:"steps"`
	// Windows is the number of windows of 6 frames of history and one to forecast.
	Windows int `json:"windows"`
	// Boundaries lists the different boundaries of the files, such as "axis 0 periodic,
	// axis 1 wall".
	Boundaries []string `json:"boundaries"`
}

// Describe describes the data set at a path (see [Open]) with all its splits. It reads every
// value. The error joins all reasons why the data set cannot be used; the description lists
// them, too, and is never nil.
func Describe(ctx context.Context, path string) (*Description, error) {
	d := &Description{Path: path, Problems: []string{}}
	splits := []string{""}
	if names, err := Splits(path); err == nil && len(names) > 0 {
		splits = names
	}
	var all error
	for _, split := range splits {
		if err := d.add(ctx, split); err != nil {
			all = errors.Join(all, err)
			for _, fault := range faults(err) {
				d.Problems = append(d.Problems, fault.Error())
			}
		}
	}
	return d, all
}

// faults returns the errors that errors.Join joined.
func faults(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, faults(e)...)
	}
	return all
}

// add opens a split, describes it and reads every value.
func (d *Description) add(ctx context.Context, split string) error {
	ds, err := Open(d.Path, Options{Split: split})
	if err != nil {
		return err
	}
	defer ds.Close()
	m := ds.Metadata()
	if d.Name != "" && d.Name != m.Name {
		return fmt.Errorf("%s: split %s: expected data set %s as in the other splits, got %s", d.Path, split, d.Name, m.Name)
	}
	d.Name, d.GridType, d.Axes, d.Grid, d.Statistics = m.Name, m.GridType, m.Axes, m.Grid, ds.Statistics() != nil
	d.Scalars = append(slices.Clone(m.Scalars), m.ConstantScalars...)
	d.Fields = nil
	for _, f := range m.Fields {
		d.Fields = append(d.Fields, FieldDescription{f.Name, f.Order, f.Constant})
	}
	s := SplitDescription{Split: split, Trajectories: len(ds.Trajectories())}
	for _, f := range ds.Files() {
		s.Files++
		s.Bytes += f.Bytes
		if text := describeBoundaries(f.Boundaries); !slices.Contains(s.Boundaries, text) {
			s.Boundaries = append(s.Boundaries, text)
		}
	}
	for _, t := range ds.Trajectories() {
		if !slices.Contains(s.Steps, t.Steps) {
			s.Steps = append(s.Steps, t.Steps)
		}
	}
	d.Boundaries = s.Boundaries
	windows, err := data.NewWindows(ds, data.Cut{Input: 6, Output: 1})
	if err == nil {
		s.Windows = windows.Len()
	}
	d.Splits = append(d.Splits, s)
	return errors.Join(err, ds.Check(ctx, nil))
}

// describeBoundaries returns "axis 0 periodic, axis 1 wall/open".
func describeBoundaries(b data.Boundaries) string {
	var parts []string
	for i, x := range b {
		parts = append(parts, fmt.Sprintf("axis %d %s", i, x))
	}
	return strings.Join(parts, ", ")
}

// Find returns the paths of the data sets at a path: the path itself if it is a file, a data
// set or a folder of files, and otherwise the folders directly below it that are. It returns
// an error if there are none.
func Find(path string) ([]string, error) {
	p, name, err := newPlace(path, nil)
	if err != nil {
		return nil, err
	}
	out, err := p.find(name)
	if err == nil && len(out) == 1 && out[0] == p.show(name) {
		out[0] = path // as the caller wrote it
	}
	return out, errors.Join(err, p.close())
}

func (p place) find(name string) ([]string, error) {
	info, err := p.stat(name)
	if err != nil {
		return nil, fmt.Errorf("well: %w", err)
	}
	if !info.IsDir() || p.holdsData(name) {
		return []string{p.show(name)}, nil
	}
	entries, err := p.list(name)
	if err != nil {
		return nil, fmt.Errorf("well: %w", err)
	}
	var out []string
	for _, e := range entries {
		if inner := p.join(name, e.Name()); e.IsDir() && p.holdsData(inner) {
			out = append(out, p.show(inner))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("well: %s: expected a data set (data/<split>/*.hdf5), a folder of *.hdf5 files, or a folder of data sets, got none", p.show(name))
	}
	return out, nil
}

// holdsData reports whether a folder is a data set or a folder of files.
func (p place) holdsData(name string) bool {
	if splits, err := p.splits(name); err == nil && len(splits) > 0 {
		return true
	}
	files, err := p.hdf5Files(name)
	return err == nil && len(files) > 0
}

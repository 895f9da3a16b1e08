package convert

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/hdf5"
)

// gymLayout is one of the layouts in which PDEGym stores solutions.
type gymLayout struct {
	dataset, axes string
	channels      int
	fields        []data.Field
	from          []int // the file's channel for each channel of the result
	boundary      data.BC
	// speed is the dataset of the speed of sound, if any.
	speed string
	note  string
}

var gymLayouts = []gymLayout{
	{dataset: "/velocity", axes: "ntcxy", channels: 3, fields: []data.Field{{Name: "tracer"}, {Name: "velocity", Order: 1}}, from: []int{2, 0, 1}, boundary: data.Periodic},
	{dataset: "/data", axes: "ntcxy", channels: 5, fields: []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "tracer"}, {Name: "velocity", Order: 1}},
		from: []int{0, 3, 4, 1, 2}, boundary: data.Periodic},
	{dataset: "/solution", axes: "ntcxy", channels: 5, fields: []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}},
		from: []int{0, 3, 1, 2}, boundary: data.Periodic, note: "the fifth channel, whose meaning the collection does not state, is left out"},
	{dataset: "/solution", axes: "ntxy", fields: []data.Field{{Name: "pressure"}, {Name: "speed_of_sound", Constant: true}}, from: []int{0}, boundary: data.Open, speed: "/c"},
}

// openPDEGym opens a file of any of the layouts.
func openPDEGym(path string) (*source, error) {
	return open(path, func(f *hdf5.File, s *source) error {
		names, err := f.Children("/")
		if err != nil {
			return err
		}
		for _, l := range gymLayouts {
			if !slices.Contains(names, l.dataset[1:]) || (l.speed != "" && !slices.Contains(names, l.speed[1:])) {
				continue
			}
			ds, err := f.Dataset(l.dataset)
			if err != nil {
				return err
			}
			if len(ds.Shape()) == len(l.axes) {
				return l.describe(f, s)
			}
		}
		return fmt.Errorf("expected velocity or data [n, t, channel, x, y], solution of this shape, or solution [n, t, x, y] with c, got the datasets %v", names)
	})
}

func (l gymLayout) describe(f *hdf5.File, s *source) error {
	a, err := openArray(f, l.dataset, l.axes)
	if err != nil {
		return err
	}
	if l.channels > 0 && a.size('c') != l.channels {
		return fmt.Errorf("%s: expected %d channels, got shape %v", l.dataset, l.channels, a.ds.Shape())
	}
	var from []channel
	for _, c := range l.from {
		from = append(from, channel{a, c})
	}
	if s.frame, err = channels(from); err != nil {
		return err
	}
	if l.speed != "" {
		c, err := openArray(f, l.speed, "nxy")
		if err == nil {
			err = c.same(a)
		}
		if err != nil {
			return err
		}
		s.constants = func(trajectory int, dst []float32) error { return c.read(dst, trajectory, 0, 0) }
	}
	h := &s.header
	h.Fields, h.Trajectories, h.Boundaries = l.fields, a.size('n'), every(2, l.boundary)
	if l.note != "" {
		s.note("%s", l.note)
	}
	if h.Times, err = s.netCDFAxis(f, "time", a.size('t')); err != nil {
		return err
	}
	for _, axis := range "xy" {
		x, err := s.netCDFAxis(f, string(axis), a.size(axis))
		if err != nil {
			return err
		}
		h.Coordinates = append(h.Coordinates, x)
	}
	return nil
}

// netCDFAxis returns the coordinates of a dimension. NetCDF stores zeros for a dimension
// without coordinates; netCDFAxis then counts from 0.
func (s *source) netCDFAxis(f *hdf5.File, name string, n int) ([]float32, error) {
	names, err := f.Children("/")
	if err != nil {
		return nil, err
	}
	if slices.Contains(names, name) {
		x, err := coordinate(f, "/"+name, n)
		if err != nil {
			return nil, err
		}
		if growing(x) {
			return x, nil
		}
	}
	s.note("the file gives no values for %s: counted from 0", name)
	return counted(n), nil
}

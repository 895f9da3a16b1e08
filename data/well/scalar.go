package well

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

// storedScalar holds all values of a scalar of a file: [trajectory] [time].
type storedScalar struct {
	name      string
	constant  bool
	perSample bool
	steps     int // values per trajectory
	values    []float32
}

// readScalars reads all scalars in the order of field_names.
func (h *header) readScalars(f driver.File) error {
	names, err := attribute[[]string](f, "/scalars", "field_names")
	if err != nil {
		return err
	}
	for _, name := range names {
		s, err := h.readScalar(f, name)
		if err != nil {
			return err
		}
		h.scalars = append(h.scalars, s)
	}
	return nil
}

func (h *header) readScalar(f driver.File, name string) (storedScalar, error) {
	path := "/scalars/" + name
	ds, err := f.Dataset(path)
	if err != nil {
		return storedScalar{}, err
	}
	v, err := readVarying(f, path)
	if err != nil {
		return storedScalar{}, err
	}
	s := storedScalar{name: name, constant: !v.time, perSample: v.sample, steps: 1}
	var want []int
	if v.sample {
		want = append(want, h.trajectories)
	}
	if v.time {
		s.steps = h.steps
		want = append(want, h.steps)
	}
	// The layout's documentation stores a constant as an array of one element, its checker
	// expects a scalar. Accept both.
	if shape := ds.Shape(); !slices.Equal(shape, want) && !(len(want) == 0 && slices.Equal(shape, []int{1})) {
		return s, fmt.Errorf("%s: expected shape %v, got %v", path, want, shape)
	}
	s.values, err = whole(h.quota, ds, path)
	return s, err
}

// window returns the scalar's values for a window: one value, or one per frame.
func (s storedScalar) window(trajectory int, span data.Span) data.Scalar {
	out := data.Scalar{Name: s.name, Constant: s.constant}
	at := 0
	if s.perSample {
		at = trajectory * s.steps
	}
	if s.constant {
		out.Values = s.values[at : at+1 : at+1]
		return out
	}
	for i := range span.Frames {
		out.Values = append(out.Values, s.values[at+span.Start+i*span.Stride])
	}
	return out
}

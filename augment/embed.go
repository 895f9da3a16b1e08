package augment

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// Embed returns a 1D or 2D window as a 3D window (paper §4.1). It appends axes of one
// point, which are periodic as in the release, and sets the missing components of vectors
// and tensors to 0. The result is marked as Embedded, so that these components do not
// count. Embed returns a 3D window unchanged and an error for a curvilinear one.
func Embed(w *data.Window) (*data.Window, error) {
	if err := w.ValidateLengths(); err != nil {
		return nil, fmt.Errorf("augment: %w", err)
	}
	if len(w.Grid) == 3 {
		return w, nil
	}
	if w.Curvilinear {
		return nil, fmt.Errorf("augment: window %s: expected Cartesian coordinates, got the axes %v", w.Name, w.Axes)
	}
	v := w.Volume()
	out := *w
	out.Grid, out.Embedded, out.Axes = v.Shape[:], true, nil
	out.Boundaries = slices.Clone(w.Boundaries)
	if w.Coordinates != nil {
		out.Coordinates = slices.Clone(w.Coordinates)
	}
	for len(out.Boundaries) < 3 {
		out.Boundaries = append(out.Boundaries, data.Both(data.Periodic))
		if w.Coordinates != nil {
			out.Coordinates = append(out.Coordinates, []float32{0})
		}
	}
	out.Frames = make([][]float32, len(w.Frames))
	for i, frame := range w.Frames {
		out.Frames[i] = make([]float32, len(v.Source)*v.Points())
		if err := v.Spread(out.Frames[i], frame, v.Source); err != nil {
			return nil, fmt.Errorf("augment: window %s: frame %d: %w", w.Name, i, err)
		}
	}
	if len(w.Constants) > 0 {
		out.Constants = make([]float32, len(v.ConstantSource)*v.Points())
		if err := v.Spread(out.Constants, w.Constants, v.ConstantSource); err != nil {
			return nil, fmt.Errorf("augment: window %s: constant fields: %w", w.Name, err)
		}
	}
	return &out, nil
}

// Unembed is the inverse of [Embed]: it returns the first dims axes of an embedded window
// and the components along them. The other axes must have one point, so a rotated window
// must be rotated back first.
func Unembed(w *data.Window, dims int) (*data.Window, error) {
	if err := w.ValidateLengths(); err != nil {
		return nil, fmt.Errorf("augment: %w", err)
	}
	if !w.Embedded || dims < 1 || dims > 2 {
		return nil, fmt.Errorf("augment: window %s: expected an embedded window and 1 or 2 axes to keep, got %d", w.Name, dims)
	}
	for i := dims; i < 3; i++ {
		if w.Grid[i] != 1 {
			return nil, fmt.Errorf("augment: window %s: expected one point on axis %d of grid %v: turn it back first", w.Name, i, w.Grid)
		}
	}
	out := *w
	out.Grid, out.Boundaries, out.Embedded = slices.Clone(w.Grid[:dims]), slices.Clone(w.Boundaries[:dims]), false
	if w.Coordinates != nil {
		out.Coordinates = w.Coordinates[:dims]
	}
	keep, constants := kept(w, dims, false), kept(w, dims, true)
	out.Frames = make([][]float32, len(w.Frames))
	for i, frame := range w.Frames {
		out.Frames[i] = pick(frame, keep, w.Points())
	}
	out.Constants = nil
	if len(w.Constants) > 0 {
		out.Constants = pick(w.Constants, constants, w.Points())
	}
	return &out, nil
}

// kept lists the channels whose components are along the first dims axes.
func kept(w *data.Window, dims int, constant bool) []int {
	var out []int
	at := 0
	for _, f := range w.Fields {
		if f.Constant != constant {
			continue
		}
		own := f.Components(dims)
		for _, name := range f.Components(3) {
			if slices.Contains(own, name) {
				out = append(out, at)
			}
			at++
		}
	}
	return out
}

func pick(values []float32, channels []int, points int) []float32 {
	out := make([]float32, 0, len(channels)*points)
	for _, c := range channels {
		out = append(out, values[c*points:(c+1)*points]...)
	}
	return out
}

// Stride returns the window of every k-th frame, starting with the first (paper §4.1, time
// striding). The result shares the arrays of w; its times, scalars and origin are those of
// the remaining frames.
func Stride(w *data.Window, k int) (*data.Window, error) {
	if err := w.ValidateLengths(); err != nil {
		return nil, fmt.Errorf("augment: %w", err)
	}
	if k < 1 {
		return nil, fmt.Errorf("augment: window %s: expected a stride of at least 1, got %d", w.Name, k)
	}
	out := *w
	out.Frames, out.Times = every(w.Frames, k), every(w.Times, k)
	out.Scalars = slices.Clone(w.Scalars)
	for i, s := range w.Scalars {
		if !s.Constant {
			out.Scalars[i].Values = every(s.Values, k)
		}
	}
	out.Origin.Stride *= k
	return &out, nil
}

func every[T any](list []T, k int) []T {
	var out []T
	for i, x := range list {
		if i%k == 0 {
			out = append(out, x)
		}
	}
	return out
}

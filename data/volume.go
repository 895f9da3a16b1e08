package data

import (
	"fmt"
	"slices"
	"strings"
)

// Volume describes the channels of a window as the network receives them. 1D and 2D windows
// get axes of length 1, and vectors and tensors the components of all three axes (paper
// §4.1). Components along the added axes are zero and marked as not real. A curvilinear
// window keeps its components.
type Volume struct {
	// Shape is the grid, with length 1 for missing axes.
	Shape [3]int
	// Variable and Constant name the channels; a vector has three.
	Variable, Constant []string
	// Source holds, for each variable channel, its index among the channels of the window,
	// or -1 for padding.
	Source []int
	// ConstantSource is Source for the constant channels.
	ConstantSource []int
	// Mask is the index of [MaskName] among the constant channels, or -1.
	Mask int
	// Real reports, for each variable channel, whether it is a channel of the window rather
	// than padding.
	Real []bool
}

// Volume returns the description of the window's channels in 3D.
func (w *Window) Volume() Volume {
	v := Volume{Shape: [3]int{1, 1, 1}, Mask: -1}
	copy(v.Shape[:], w.Grid)
	v.Variable, v.Source, v.Real = w.embed(false)
	v.Constant, v.ConstantSource, _ = w.embed(true)
	for i, name := range v.Constant {
		if name == MaskName {
			v.Mask = i
		}
	}
	return v
}

// embed lists the channels of the variable or constant fields as the network receives them.
func (w *Window) embed(constant bool) (names []string, source []int, real []bool) {
	to := cartesianAxes
	if w.Curvilinear {
		to = w.AxisNames()
	}
	at := 0
	for _, f := range w.Fields {
		if f.Constant != constant {
			continue
		}
		own := map[string]int{}
		for _, name := range f.ComponentsOf(w.AxisNames()) {
			own[name] = at
			at++
		}
		for _, name := range f.ComponentsOf(to) {
			i, ok := own[name]
			if !ok {
				i = -1
			}
			names, source = append(names, name), append(source, i)
			real = append(real, i >= 0 && !w.pads(f, name))
		}
	}
	return names, source, real
}

// pads reports whether a component of f points along an axis of length 1 that an embedded
// window does not have.
func (w *Window) pads(f Field, component string) bool {
	if !w.Embedded || f.Order == 0 {
		return false
	}
	suffix := strings.TrimPrefix(component, f.Name+"_")
	for a, axis := range cartesianAxes[:min(len(w.Grid), 3)] {
		if w.Grid[a] == 1 && strings.Contains(suffix, axis) {
			return true
		}
	}
	return false
}

// Points returns the number of grid points.
func (v Volume) Points() int { return v.Shape[0] * v.Shape[1] * v.Shape[2] }

// Channels returns the names of all channels, variable before constant.
func (v Volume) Channels() []string {
	return append(append([]string{}, v.Variable...), v.Constant...)
}

// IDs returns the registry indices of all channels. The error lists every name that the
// registry lacks and says how to drop a field.
func (v Volume) IDs(r Registry) ([]int32, error) {
	index, err := r.Indices(v.Channels())
	if err != nil {
		return nil, fmt.Errorf("%w; to leave out a field that the forecast can do without, give its name: --drop NAME to gowalrus, drop: [NAME] in a recipe, Window.Drop in Go; a new field joins by finetuning: gowalrus finetune --data FOLDER", err)
	}
	out := make([]int32, len(index))
	for i, x := range index {
		out[i] = int32(x)
	}
	return out, nil
}

// Spread copies an array of window channels into dst and sets the padding components to
// zero. source is v.Source or v.ConstantSource. Arrays of the wrong length are errors.
func (v Volume) Spread(dst, src []float32, source []int) error {
	if err := v.checkSource(source, len(dst)); err != nil {
		return fmt.Errorf("data: spread: room: %w", err)
	}
	points, own := v.Points(), 0
	for _, s := range source {
		own = max(own, min(s, len(src))+1)
	}
	if len(src) != own*points {
		return fmt.Errorf("data: spread: expected %d values, got %d", own*points, len(src))
	}
	for i, s := range source {
		to := dst[i*points : (i+1)*points]
		if s < 0 {
			clear(to)
			continue
		}
		copy(to, src[s*points:(s+1)*points])
	}
	return nil
}

// Gather returns the window's variable channels from src; it is the inverse of Spread. An
// array of the wrong length is an error.
func (v Volume) Gather(src []float32) ([]float32, error) {
	points := v.Points()
	n := 0
	for _, s := range v.Source {
		if s >= 0 {
			n++
		}
	}
	if err := v.checkSource(v.Source, len(src)); err != nil {
		return nil, fmt.Errorf("data: gather: %w", err)
	}
	if slices.ContainsFunc(v.Source, func(s int) bool { return s >= n }) {
		return nil, fmt.Errorf("data: gather: expected channels below %d, got %v", n, v.Source)
	}
	out := make([]float32, n*points)
	for i, s := range v.Source {
		if s >= 0 {
			copy(out[s*points:(s+1)*points], src[i*points:(i+1)*points])
		}
	}
	return out, nil
}

// checkSource checks that an array has the values of as many channels as source lists.
func (v Volume) checkSource(source []int, values int) error {
	points := 1
	for _, n := range v.Shape {
		if n < 1 || n > maxPoints/points {
			return fmt.Errorf("expected a shape of positive lengths with at most 2^50 points, got %v", v.Shape)
		}
		points *= n
	}
	if values != len(source)*points {
		return fmt.Errorf("expected %d values, got %d", len(source)*points, values)
	}
	return nil
}

package augment

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// Apply returns the rotated or reflected window; w does not change. The window must be 3D
// or embedded (see [Embed]). A 1D or 2D window that is not embedded accepts only rotations that
// keep the missing axes in place. Curvilinear windows are an error, because their axes have
// no fixed direction; the release does not rotate them either (docs/reference.md §11).
//
// Coordinates change sign if their axis is reflected. Name, origin, times and scalars stay.
func (t Rotation) Apply(w *data.Window) (*data.Window, error) {
	if err := t.check(w); err != nil {
		return nil, err
	}
	dims := len(w.Grid)
	out := *w
	out.Grid, out.Boundaries = make([]int, dims), make(data.Boundaries, dims)
	for i, a := range t.Axes[:dims] {
		out.Grid[i], out.Boundaries[i] = w.Grid[a], w.Boundaries[a]
		if t.Flip[i] {
			b := w.Boundaries[a]
			out.Boundaries[i] = data.Boundary{Low: b.High, High: b.Low}
		}
	}
	if w.Coordinates != nil {
		out.Coordinates = t.coordinates(w.Coordinates)
	}
	m := newMapping(t, w.Grid)
	variable := t.channels(w, false)
	out.Frames = make([][]float32, len(w.Frames))
	for i, frame := range w.Frames {
		out.Frames[i] = m.array(frame, variable)
	}
	if len(w.Constants) > 0 {
		out.Constants = m.array(w.Constants, t.channels(w, true))
	}
	return &out, nil
}

// check returns an error unless t can be applied to the window.
func (t Rotation) check(w *data.Window) error {
	if err := t.Validate(); err != nil {
		return err
	}
	if err := w.ValidateLengths(); err != nil {
		return fmt.Errorf("augment: %w", err)
	}
	dims := len(w.Grid)
	if w.Curvilinear {
		return fmt.Errorf("augment: window %s: expected Cartesian coordinates, got the axes %v", w.Name, w.Axes)
	}
	for i := dims; i < 3; i++ {
		if t.Axes[i] != i || t.Flip[i] {
			return fmt.Errorf("augment: window %s has %d axes: the rotation %s moves others: embed it first", w.Name, dims, t)
		}
	}
	return nil
}

func (t Rotation) coordinates(old [][]float32) [][]float32 {
	out := make([][]float32, len(old))
	for i, a := range t.Axes[:len(old)] {
		out[i] = slices.Clone(old[a])
		if t.Flip[i] {
			slices.Reverse(out[i])
			for k := range out[i] {
				out[i][k] *= -1
			}
		}
	}
	return out
}

// channel describes the source of one channel of the result.
type channel struct {
	from   int
	negate bool
}

// channels returns the sources of the channels of the result, in order.
func (t Rotation) channels(w *data.Window, constant bool) []channel {
	dims := len(w.Grid)
	var out []channel
	first := 0
	for _, f := range w.Fields {
		if f.Constant != constant {
			continue
		}
		n := f.ComponentCount(dims)
		for c := range n {
			from, negate := 0, false
			for div := n; div > 1; { // the axes of the component's indices, first to last
				div /= dims
				i := c / div % dims
				from = from*dims + t.Axes[i]
				negate = negate != t.Flip[i]
			}
			out = append(out, channel{first + from, negate})
		}
		first += n
	}
	return out
}

// mapping describes how the points of a grid are rearranged.
type mapping struct {
	points int
	n      [3]int // points along each axis of the result
	step   [3]int // distance in the input between neighbours along each axis of the result
	begin  int    // index in the input of the first point of the result
}

func newMapping(t Rotation, grid []int) mapping {
	in := [3]int{1, 1, 1}
	copy(in[:], grid)
	m := mapping{points: in[0] * in[1] * in[2]}
	stride := [3]int{in[1] * in[2], in[2], 1}
	for i, a := range t.Axes {
		m.n[i], m.step[i] = in[a], stride[a]
		if t.Flip[i] {
			m.begin += (in[a] - 1) * stride[a]
			m.step[i] = -stride[a]
		}
	}
	return m
}

// array returns the rearranged channels of one array.
func (m mapping) array(in []float32, channels []channel) []float32 {
	out := make([]float32, len(channels)*m.points)
	for k, c := range channels {
		src, dst := in[c.from*m.points:(c.from+1)*m.points], out[k*m.points:(k+1)*m.points]
		at := 0
		for i := range m.n[0] {
			for j := range m.n[1] {
				from := m.begin + i*m.step[0] + j*m.step[1]
				for range m.n[2] {
					dst[at] = src[from]
					at++
					from += m.step[2]
				}
			}
		}
		if c.negate {
			for i, v := range dst {
				dst[i] = -v
			}
		}
	}
	return out
}

// Window rotates a window of any dimension with its grid and boundaries. A 1D or 2D window
// becomes a 3D one if the rotation leaves its axes. The identity returns the window itself.
func (t Rotation) Window(w *data.Window) (*data.Window, error) {
	if t == Identity() {
		return w, nil
	}
	volume, err := Embed(w)
	if err != nil {
		return nil, err
	}
	if volume, err = t.Apply(volume); err != nil {
		return nil, err
	}
	if dims := len(w.Grid); dims < 3 && volume.Grid[2] == 1 {
		return Unembed(volume, dims)
	}
	return volume, nil
}

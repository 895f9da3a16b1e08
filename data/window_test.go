package data

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plane returns a valid window: two frames of a scalar and a vector on 3×2 points with a
// constant mask.
func plane() *Window {
	w := &Window{
		Name:       "tank 7",
		Fields:     []Field{{Name: "density"}, {Name: "velocity", Order: 1}, {Name: MaskName, Constant: true}},
		Grid:       []int{3, 2},
		Boundaries: Boundaries{Both(Wall), Both(Periodic)},
		Frames:     [][]float32{make([]float32, 18), make([]float32, 18)},
		Constants:  make([]float32, 6),
	}
	for i := range w.Frames[0] {
		w.Frames[0][i], w.Frames[1][i] = float32(i), float32(100+i)
	}
	return w
}

func TestWindowChannels(t *testing.T) {
	w := plane()
	require.NoError(t, w.Validate())
	assert.Equal(t, 6, w.Points())
	assert.Equal(t, []string{"density", "velocity_x", "velocity_y"}, w.Channels(false))
	assert.Equal(t, []string{"mask"}, w.Channels(true))
}

// TestWindowValidate: every error names the window and the invalid part.
func TestWindowValidate(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		name, want string
		change     func(w *Window)
	}{
		{"no grid", "grid []: expected 1 to 3 axes, got 0", func(w *Window) { w.Grid = nil }},
		{"four axes", "grid [3 2 1 1]: expected 1 to 3 axes, got 4", func(w *Window) { w.Grid = []int{3, 2, 1, 1} }},
		{"zero length", "grid [3 0]: expected a positive length on axis 1, got 0", func(w *Window) { w.Grid = []int{3, 0} }},
		{"negative length", "grid [-3 -2]: expected a positive length on axis 0, got -3", func(w *Window) { w.Grid = []int{-3, -2} }},
		{"embedded plane without third axis", "embedded: expected a grid of 3 axes, got [3 2]", func(w *Window) { w.Embedded = true }},
		{"no boundaries", "boundaries: expected one per axis (2), got 0; there is no default", func(w *Window) { w.Boundaries = nil }},
		{"one boundary too many", "boundaries: expected one per axis (2), got 3; there is no default", func(w *Window) { w.Boundaries = append(w.Boundaries, Both(Open)) }},
		{"unset side", "axis 1: boundary of the high end is not set: expected wall, open or periodic", func(w *Window) { w.Boundaries[1] = Boundary{Low: Open} }},
		{"half periodic", "axis 0: boundary wall/periodic: an axis is periodic at both ends or at none", func(w *Window) { w.Boundaries[0].High = Periodic }},
		{"code outside the enumeration", "axis 0: boundary of the low end is not set", func(w *Window) { w.Boundaries[0].Low = 17 }},
		{"no name", "field without a name", func(w *Window) { w.Fields[0].Name = "" }},
		{"unknown order", `field "density": expected tensor order 0, 1 or 2, got 3`, func(w *Window) { w.Fields[0].Order = 3 }},
		{"duplicate", `field "velocity" is listed twice`, func(w *Window) { w.Fields[0].Name = "velocity" }},
		{"duplicate component", `fields "velocity_y" and "velocity" both have the channel velocity_y`, func(w *Window) { w.Fields[0].Name = "velocity_y" }},
		{"duplicate padding component", `fields "velocity_z" and "velocity" both have the channel velocity_z`, func(w *Window) { w.Fields[0].Name = "velocity_z" }},
		{"no fields", "expected at least one field that varies with time", func(w *Window) { w.Fields = nil }},
		{"only constants", "expected at least one field that varies with time", func(w *Window) { w.Fields = w.Fields[2:] }},
		{"no history", "expected at least one frame of history, got none", func(w *Window) { w.Frames = nil }},
		{"empty history", "expected at least one frame of history, got none", func(w *Window) { w.Frames = [][]float32{} }},
		{"short frame", "frame 1: expected 18 values (3 channels [density velocity_x velocity_y] × grid [3 2]), got 17", func(w *Window) { w.Frames[1] = w.Frames[1][1:] }},
		{"nil frame", "frame 0: expected 18 values", func(w *Window) { w.Frames[0] = nil }},
		{"no constants", "constant fields: expected 6 values (1 channels [mask] × grid [3 2]), got 0", func(w *Window) { w.Constants = nil }},
		{"constants without a field", "constant fields: expected 0 values", func(w *Window) { w.Fields = w.Fields[:2] }},
		{"NaN", "frame 1: field velocity_y is NaN at [2 1]: expected finite values", func(w *Window) { w.Frames[1][17] = nan }},
		{"infinite", "frame 0: field velocity_x is -Inf at [0 1]: expected finite values", func(w *Window) { w.Frames[0][7] = inf }},
		{"one axis name", "axes [x]: expected one name for each axis of grid [3 2], got 1", func(w *Window) { w.Axes = []string{"x"} }},
		{"Cartesian axes in another order", "axes [y x]: expected [x y] for Cartesian coordinates", func(w *Window) { w.Axes = []string{"y", "x"} }},
		{"embedded sphere", "embedded: expected Cartesian coordinates, got curvilinear ones", func(w *Window) {
			w.Grid, w.Embedded, w.Curvilinear = []int{3, 2, 1}, true, true
		}},
		{"missing time", "times: expected one per frame (2), got 1", func(w *Window) { w.Times = []float32{0} }},
		{"coordinates of one axis", "coordinates: expected one list per axis (2), got 1", func(w *Window) { w.Coordinates = [][]float32{{0, 1, 2}} }},
		{"short coordinates", "coordinates of axis 1: expected 2 values, got 1", func(w *Window) { w.Coordinates = [][]float32{{0, 1, 2}, {0}} }},
		{"scalar per frame", `scalar "energy": expected 2 values, got 1`, func(w *Window) { w.Scalars = []Scalar{{Name: "energy", Values: []float32{1}}} }},
		{"constant scalar", `scalar "Re": expected 1 values, got 2`, func(w *Window) {
			w.Scalars = []Scalar{{Name: "Re", Constant: true, Values: []float32{1, 2}}}
		}},
		{"NaN constant", "constant fields: field mask is NaN at [1 0]: expected finite values", func(w *Window) { w.Constants[2] = nan }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := plane()
			c.change(w)
			err := w.Validate()
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "window tank 7: ")
			w.Name = ""
			assert.ErrorContains(t, w.Validate(), "window: ")
		})
	}
}

func TestWindowSlice(t *testing.T) {
	w := plane()
	w.Times = []float32{0.5, 0.75}
	w.Scalars = []Scalar{{"Re", true, []float32{100}}, {"energy", false, []float32{3, 2}}}
	w.Origin = Origin{Dataset: "tank", File: "a.hdf5", Trajectory: 4, Start: 10, Stride: 3}
	last, err := w.Slice(1, 2)
	require.NoError(t, err)
	require.NoError(t, last.Validate())
	assert.Equal(t, [][]float32{w.Frames[1]}, last.Frames)
	assert.Equal(t, []float32{0.75}, last.Times)
	assert.Equal(t, []Scalar{{"Re", true, []float32{100}}, {"energy", false, []float32{2}}}, last.Scalars)
	assert.Equal(t, "tank trajectory 4 frame 13 stride 3 (a.hdf5)", last.Origin.String())
	assert.Equal(t, []float32{3, 2}, w.Scalars[1].Values, "the window keeps its scalars")
	assert.Len(t, w.Frames, 2, "the window keeps its frames")
	for _, bad := range [][2]int{{-1, 1}, {0, 3}, {1, 1}, {2, 1}} {
		_, err := w.Slice(bad[0], bad[1])
		require.ErrorContains(t, err, "window tank 7 has 2 frames: cannot take [", "%v", bad)
	}
}

// TestCurvilinearWindow: components are named after the axes, and the network gets no
// others.
func TestCurvilinearWindow(t *testing.T) {
	w := &Window{
		Fields: []Field{{Name: "height"}, {Name: "velocity", Order: 1}}, Grid: []int{2, 3}, Axes: []string{"theta", "phi"},
		Curvilinear: true, Boundaries: Boundaries{Both(Open), Both(Periodic)}, Frames: [][]float32{make([]float32, 18)},
	}
	require.NoError(t, w.Validate())
	assert.Equal(t, []string{"height", "velocity_theta", "velocity_phi"}, w.Channels(false))
	v := w.Volume()
	assert.Equal(t, []string{"height", "velocity_theta", "velocity_phi"}, v.Variable)
	assert.Equal(t, []int{0, 1, 2}, v.Source)
	assert.Equal(t, []bool{true, true, true}, v.Real)
	assert.Equal(t, [3]int{2, 3, 1}, v.Shape)
	ids, err := v.IDs(ReleasedRegistry())
	require.NoError(t, err)
	assert.Equal(t, []int32{44, 31, 32}, ids)
	w.Fields = append(w.Fields, Field{Name: "velocity_z"})
	w.Frames[0] = make([]float32, 24)
	require.NoError(t, w.Validate(), "no component of the vector is called z here")
}

package data

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWindowError: the error gives the place of the fault as values, also when it is
// wrapped.
func TestWindowError(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		change func(w *Window)
		want   WindowError
	}{
		{func(w *Window) { w.Frames[1][17] = nan }, WindowError{Array: "frames", Frame: 1, Field: "velocity_y", Point: []int{2, 1}}},
		{func(w *Window) { w.Frames[1] = nil }, WindowError{Array: "frames", Frame: 1}},
		{func(w *Window) { w.Frames = nil }, WindowError{Array: "frames", Frame: -1}},
		{func(w *Window) { w.Constants[2] = nan }, WindowError{Array: "constants", Frame: -1, Field: "mask", Point: []int{1, 0}}},
		{func(w *Window) { w.Constants = nil }, WindowError{Array: "constants", Frame: -1}},
		{func(w *Window) { w.Boundaries = nil }, WindowError{Array: "layout", Frame: -1}},
		{func(w *Window) { w.Times = []float32{0} }, WindowError{Array: "times", Frame: -1}},
		{func(w *Window) { w.Coordinates = [][]float32{} }, WindowError{Array: "coordinates", Frame: -1}},
		{func(w *Window) { w.Scalars = []Scalar{{Name: "Re"}} }, WindowError{Array: "scalars", Frame: -1}},
	} {
		w := plane()
		c.change(w)
		_, err := NewMemory("tanks", []*Window{plane(), w})
		for _, err := range []error{w.Validate(), fmt.Errorf("input: %w", w.Validate()), err} {
			var got *WindowError
			require.ErrorAs(t, err, &got)
			require.ErrorContains(t, err, got.Err.Error())
			c.want.Window, c.want.Err = "tank 7", got.Err
			assert.Equal(t, c.want, *got)
		}
	}
	short := plane()
	short.Frames[1] = short.Frames[1][1:]
	for _, err := range []error{
		ApplyTransforms(short, []Transform{{"density", Log10}}),
		second(short.Drop("density")),
		second((*Window)(nil).Drop()),
		(*Window)(nil).Validate(),
	} {
		assert.ErrorAs(t, err, new(*WindowError))
	}
}

// second returns the error of a call that returns a value and an error.
func second[T any](_ T, err error) error { return err }

func TestUnknownFieldsError(t *testing.T) {
	r := MustRegistry("density", "velocity_x", "velocity_y", "velocity_z")
	_, err := plane().Volume().IDs(r)
	got, ok := errors.AsType[*UnknownFieldsError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []string{"mask"}, got.Unknown)
	assert.Equal(t, []string{"density", "velocity_x", "velocity_y", "velocity_z"}, got.Known)
}

// TestUnknownFieldsHints: an unknown name gets the nearest known names, and fields of another
// order are recognised.
func TestUnknownFieldsHints(t *testing.T) {
	r := MustRegistry("pressure", "velocity_x", "velocity_y", "D_xx", "D_xy", "density", "tracer", "A")
	for name, want := range map[string]string{
		"presure":    "no presure (did you mean pressure?);",
		"Density":    "no Density (did you mean density?);",
		"velocity":   "no velocity (the components of a vector of this name are known, such as velocity_x: declare the field with order 1, in a text as velocity:vector);",
		"D":          "no D (the components of a tensor of this name are known, such as D_xx: declare the field with order 2, in a text as D:tensor);",
		"tracer_x":   "no tracer_x (tracer is known as a scalar: declare the field with order 0);",
		"velocity_z": "no velocity_z; it knows",
		"lava":       "no lava; it knows",
		"B":          "no B (did you mean A?);",
	} {
		_, err := r.Indices([]string{name})
		assert.ErrorContains(t, err, want)
	}
	assert.Equal(t, 3, editDistance("kitten", "sitting"))
	assert.Equal(t, 4, editDistance("", "mask"))
}

package data

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWindowDrop drops fields of each kind and compares the remaining values.
func TestWindowDrop(t *testing.T) {
	for name, c := range map[string]struct {
		drop               []string
		variable, constant []string
	}{
		"constant":     {[]string{MaskName}, []string{"density", "velocity_x", "velocity_y"}, nil},
		"scalar":       {[]string{"density"}, []string{"velocity_x", "velocity_y"}, []string{MaskName}},
		"vector":       {[]string{"velocity"}, []string{"density"}, []string{MaskName}},
		"both kinds":   {[]string{MaskName, "velocity"}, []string{"density"}, nil},
		"nothing":      {nil, []string{"density", "velocity_x", "velocity_y"}, []string{MaskName}},
		"twice a name": {[]string{MaskName, MaskName}, []string{"density", "velocity_x", "velocity_y"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := plane()
			for i := range w.Constants {
				w.Constants[i] = float32(-i)
			}
			all, frames := w.Channels(false), w.Frames
			out, err := w.Drop(c.drop...)
			require.NoError(t, err)
			require.NoError(t, out.Validate())
			assert.Equal(t, c.variable, out.Channels(false))
			assert.Equal(t, c.constant, out.Channels(true))
			for i, channel := range c.variable {
				k := slices.Index(all, channel)
				for f := range frames {
					assert.Equal(t, frames[f][6*k:6*k+6], out.Frames[f][6*i:6*i+6], "%s of frame %d", channel, f)
				}
			}
			assert.Equal(t, len(c.constant)*6, len(out.Constants))
			assert.Equal(t, plane().Fields, w.Fields, "the window stays as it is")
		})
	}
}

func TestWindowDropErrors(t *testing.T) {
	_, err := plane().Drop("velocity_x")
	assert.EqualError(t, err, `window tank 7: drop: expected names of its fields, which are density, velocity, mask, got "velocity_x"`)
	_, err = plane().Drop("density", "velocity")
	assert.EqualError(t, err, "window tank 7: drop: expected at least one field that varies with time to be left of density, velocity, mask, got none")
	short := plane()
	short.Frames[1] = short.Frames[1][:5]
	_, err = short.Drop(MaskName)
	assert.ErrorContains(t, err, "frame 1: expected 18 values (3 channels [density velocity_x velocity_y] × grid [3 2]), got 5")
	short = plane()
	short.Constants = nil
	_, err = short.Drop("density")
	assert.ErrorContains(t, err, "constant fields: expected 6 values (1 channels [mask] × grid [3 2]), got 0")
	_, err = new(Window).Drop()
	assert.ErrorContains(t, err, "grid []: expected 1 to 3 axes")
}

// TestDrop: Metadata and Read of the view lack the dropped field, also when Read reuses a
// window.
func TestDrop(t *testing.T) {
	whole, err := NewMemory("tank", []*Window{plane()})
	require.NoError(t, err)
	ds, err := Drop(whole, "density", MaskName)
	require.NoError(t, err)
	assert.Equal(t, []Field{{Name: "velocity", Order: 1}}, ds.Metadata().Fields)
	assert.Len(t, whole.Metadata().Fields, 3)
	var into Window
	for range 2 {
		w, err := ds.Read(context.Background(), Span{Stride: 1, Frames: 2}, &into)
		require.NoError(t, err)
		require.Same(t, &into, w)
		require.NoError(t, w.Validate())
		assert.Equal(t, plane().Frames[1][6:], w.Frames[1])
	}
	same, err := Drop(whole)
	require.NoError(t, err)
	assert.Same(t, whole, same)
	_, err = Drop(whole, "salt")
	assert.ErrorContains(t, err, `data: data set tank: drop: expected names of its fields, which are density, velocity, mask, got "salt"`)
}

// TestUnknownFieldSaysDrop: the error for a field that the registry lacks says how to drop
// it.
func TestUnknownFieldSaysDrop(t *testing.T) {
	r, err := ReleasedRegistry().Extend("nothing")
	require.NoError(t, err)
	odd := plane()
	odd.Fields[2].Name = "sediment"
	_, err = odd.Volume().IDs(r)
	require.ErrorContains(t, err, "no sediment; it knows")
	require.ErrorContains(t, err, "--drop NAME")
	w, err := odd.Drop("sediment")
	require.NoError(t, err)
	_, err = w.Volume().IDs(r)
	require.NoError(t, err)
}

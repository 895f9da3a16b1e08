package data

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVolume(t *testing.T) {
	scalar, vector, tensor := Field{Name: "s"}, Field{Name: "v", Order: 1}, Field{Name: "D", Order: 2}
	tensorNames := []string{"D_xx", "D_xy", "D_xz", "D_yx", "D_yy", "D_yz", "D_zx", "D_zy", "D_zz"}
	yes, no := true, false
	for _, c := range []struct {
		name     string
		grid     []int
		embedded bool
		fields   []Field
		shape    [3]int
		variable []string
		source   []int
		real     []bool
	}{
		{"scalar on a line", []int{9}, no, []Field{scalar}, [3]int{9, 1, 1}, []string{"s"}, []int{0}, []bool{yes}},
		{"vector on a line", []int{9}, no, []Field{scalar, vector}, [3]int{9, 1, 1},
			[]string{"s", "v_x", "v_y", "v_z"}, []int{0, 1, -1, -1}, []bool{yes, yes, no, no}},
		{"tensor on a line", []int{9}, no, []Field{tensor}, [3]int{9, 1, 1},
			tensorNames, []int{0, -1, -1, -1, -1, -1, -1, -1, -1}, []bool{yes, no, no, no, no, no, no, no, no}},
		{"vector on a plane", []int{4, 5}, no, []Field{vector, scalar}, [3]int{4, 5, 1},
			[]string{"v_x", "v_y", "v_z", "s"}, []int{0, 1, -1, 2}, []bool{yes, yes, no, yes}},
		{"tensor on a plane", []int{4, 5}, no, []Field{tensor}, [3]int{4, 5, 1},
			tensorNames, []int{0, 1, -1, 2, 3, -1, -1, -1, -1}, []bool{yes, yes, no, yes, yes, no, no, no, no}},
		{"everything in space", []int{4, 5, 6}, no, []Field{tensor, vector}, [3]int{4, 5, 6},
			append(append([]string{}, tensorNames...), "v_x", "v_y", "v_z"), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
			[]bool{yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes}},
		{"thin but not embedded: all components count", []int{4, 1, 6}, no, []Field{vector}, [3]int{4, 1, 6},
			[]string{"v_x", "v_y", "v_z"}, []int{0, 1, 2}, []bool{yes, yes, yes}},
		{"embedded plane", []int{4, 1, 6}, yes, []Field{vector, scalar}, [3]int{4, 1, 6},
			[]string{"v_x", "v_y", "v_z", "s"}, []int{0, 1, 2, 3}, []bool{yes, no, yes, yes}},
		{"embedded tensor", []int{1, 5, 6}, yes, []Field{tensor}, [3]int{1, 5, 6},
			tensorNames, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, []bool{no, no, no, no, yes, yes, no, yes, yes}},
		{"a scalar's name is no component", []int{1, 5, 6}, yes, []Field{{Name: "x"}, {Name: "pressure_x"}}, [3]int{1, 5, 6},
			[]string{"x", "pressure_x"}, []int{0, 1}, []bool{yes, yes}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := (&Window{Grid: c.grid, Embedded: c.embedded, Fields: c.fields}).Volume()
			assert.Equal(t, c.shape, v.Shape)
			assert.Equal(t, c.variable, v.Variable)
			assert.Equal(t, c.source, v.Source)
			assert.Equal(t, c.real, v.Real)
			assert.Equal(t, -1, v.Mask)
			assert.Empty(t, v.Constant)
		})
	}
}

func TestVolumeConstants(t *testing.T) {
	v := (&Window{Grid: []int{4, 5}, Fields: []Field{
		{Name: "force", Order: 1, Constant: true}, {Name: "u"}, {Name: MaskName, Constant: true}, {Name: "w"},
	}}).Volume()
	assert.Equal(t, []string{"u", "w"}, v.Variable)
	assert.Equal(t, []int{0, 1}, v.Source)
	assert.Equal(t, []string{"force_x", "force_y", "force_z", "mask"}, v.Constant)
	assert.Equal(t, []int{0, 1, -1, 2}, v.ConstantSource)
	assert.Equal(t, 3, v.Mask)
	assert.Equal(t, []string{"u", "w", "force_x", "force_y", "force_z", "mask"}, v.Channels())
	moving := (&Window{Grid: []int{4, 5}, Fields: []Field{{Name: MaskName}}}).Volume()
	assert.Equal(t, -1, moving.Mask, "a mask that changes with time is a field like any other")
}

func TestVolumeIDs(t *testing.T) {
	w := plane()
	ids, err := w.Volume().IDs(ReleasedRegistry())
	require.NoError(t, err)
	assert.Equal(t, []int32{28, 4, 5, 6, 38}, ids)
	_, err = w.Volume().IDs(MustRegistry("density", "velocity_x"))
	require.ErrorContains(t, err, "has no velocity_y, velocity_z, mask; it knows density, velocity_x")
}

func TestSpreadGather(t *testing.T) {
	w := plane()
	v := w.Volume()
	dst := make([]float32, 4*6)
	for i := range dst {
		dst[i] = -1 // Spread must overwrite it
	}
	require.NoError(t, v.Spread(dst, w.Frames[0], v.Source))
	assert.Equal(t, w.Frames[0], dst[:18])
	assert.Equal(t, make([]float32, 6), dst[18:], "velocity_z is 0")
	got, err := v.Gather(dst)
	require.NoError(t, err)
	assert.Equal(t, w.Frames[0], got)
	_, err = v.Gather(dst[1:])
	require.EqualError(t, err, "data: gather: expected 24 values, got 23")
	require.ErrorContains(t, v.Spread(dst[1:], w.Frames[0], v.Source), "room: expected 24 values, got 23")

	line := (&Window{Grid: []int{2}, Fields: []Field{{Name: "v", Order: 1}, {Name: "p"}}}).Volume()
	dst = make([]float32, 8)
	require.NoError(t, line.Spread(dst, []float32{1, 2, 3, 4}, line.Source))
	assert.Equal(t, []float32{1, 2, 0, 0, 0, 0, 3, 4}, dst)
	got, err = line.Gather(dst)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 2, 3, 4}, got)
}

// TestSpreadShort: a source array that lacks channels gives an error, not a panic.
func TestSpreadShort(t *testing.T) {
	v := plane().Volume()
	require.ErrorContains(t, v.Spread(make([]float32, 24), make([]float32, 17), v.Source), "expected 18 values, got 17")
}

package data

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// released is the registry of the released weights (docs/reference.md §1) with the index of
// every name.
var released = map[string]int{
	"closed_boundary": 0, "open_boundary": 1, "bias_correction": 2, "pressure": 3,
	"velocity_x": 4, "velocity_y": 5, "velocity_z": 6, "zeros_like_density": 7, "speed_of_sound": 8, "concentration": 9,
	"D_xx": 10, "D_xy": 11, "D_xz": 12, "D_yx": 13, "D_yy": 14, "D_yz": 15, "D_zx": 16, "D_zy": 17, "D_zz": 18,
	"E_xx": 19, "E_xy": 20, "E_xz": 21, "E_yx": 22, "E_yy": 23, "E_yz": 24, "E_zx": 25, "E_zy": 26, "E_zz": 27,
	"density": 28, "energy": 29, "velocity_r": 30, "velocity_theta": 31, "velocity_phi": 32,
	"momentum_x": 33, "momentum_y": 34, "momentum_z": 35, "pressure_re": 36, "pressure_im": 37, "mask": 38,
	"magnetic_field_x": 39, "magnetic_field_y": 40, "magnetic_field_z": 41, "A": 42, "B": 43, "height": 44,
	"internal_energy": 45, "temperature": 46, "electron_fraction": 47, "entropy": 48,
	"magnetic_field_log_r": 49, "magnetic_field_log_theta": 50, "magnetic_field_log_phi": 51, "velocity_log_r": 52,
	"buoyancy": 53, "tracer": 54, "log10_density": 55, "log10_temperature": 56, "c_zz": 57,
	"C_xx": 58, "C_xy": 59, "C_xz": 60, "C_yx": 61, "C_yy": 62, "C_yz": 63, "C_zx": 64, "C_zy": 65, "C_zz": 66,
}

func TestReleasedRegistry(t *testing.T) {
	r := ReleasedRegistry()
	assert.Equal(t, 67, r.Len())
	assert.Equal(t, 67, r.States())
	assert.Equal(t, released, r.Map())
	for i, name := range r.Names() {
		assert.Equal(t, released[name], i)
	}
}

func TestNewRegistry(t *testing.T) {
	index := map[string]int{ClosedBoundary: 0, OpenBoundary: 1, BiasCorrection: 2, "density": 9, "pressure": 5}
	r, err := NewRegistry(index)
	require.NoError(t, err)
	index["density"] = 77 // the registry is a copy
	assert.Equal(t, 5, r.Len())
	assert.Equal(t, 10, r.States(), "indices may leave gaps")
	assert.Equal(t, []string{ClosedBoundary, OpenBoundary, BiasCorrection, "pressure", "density"}, r.Names())
	i, ok := r.Index("density")
	assert.True(t, ok)
	assert.Equal(t, 9, i)
	_, ok = r.Index("velocity")
	assert.False(t, ok)
	r.Map()["density"] = 3
	assert.Equal(t, 9, r.Map()["density"], "Map returns a copy")
}

func TestNewRegistryErrors(t *testing.T) {
	base := func(more map[string]int) map[string]int {
		m := map[string]int{ClosedBoundary: 0, OpenBoundary: 1, BiasCorrection: 2}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	for want, index := range map[string]map[string]int{
		`data: registry: expected "closed_boundary" at index 0, as in the release`: {},
		`data: registry: expected "open_boundary" at index 1, as in the release`:   {ClosedBoundary: 0, BiasCorrection: 2, "u": 3},
		`data: registry: expected "bias_correction" at index 2, as in the release`: base(map[string]int{BiasCorrection: 8}),
		`data: registry: field "u" has the negative index -1`:                      base(map[string]int{"u": -1}),
		`data: registry: fields "u" and "v" share index 7`:                         base(map[string]int{"v": 7, "u": 7}),
		`data: registry: fields "bias_correction" and "u" share index 2`:           base(map[string]int{"u": 2}),
	} {
		_, err := NewRegistry(index)
		assert.EqualError(t, err, want)
	}
}

func TestRegistryIndices(t *testing.T) {
	r := MustRegistry("pressure", "velocity_x")
	got, err := r.Indices([]string{"velocity_x", "pressure", "velocity_x"})
	require.NoError(t, err)
	assert.Equal(t, []int{4, 3, 4}, got)

	_, err = r.Indices([]string{"lava", "pressure", "ash"})
	assert.EqualError(t, err, "data: the field registry has no lava, ash; it knows pressure, velocity_x")
	_, err = Registry{}.Indices([]string{"lava"})
	assert.ErrorContains(t, err, "has no lava")
}

func TestRegistryExtend(t *testing.T) {
	r := MustRegistry("pressure")
	wider, err := r.Extend("density", "pressure", "mask", "density")
	require.NoError(t, err)
	assert.Equal(t, []string{ClosedBoundary, OpenBoundary, BiasCorrection, "pressure", "density", "mask"}, wider.Names(),
		"known names keep their index, new ones follow in order")
	assert.Equal(t, 4, r.Len(), "the original is unchanged")

	// New names follow the largest index; gaps remain.
	gap, err := NewRegistry(map[string]int{ClosedBoundary: 0, OpenBoundary: 1, BiasCorrection: 2, "u": 9})
	require.NoError(t, err)
	gap, err = gap.Extend("v")
	require.NoError(t, err)
	i, _ := gap.Index("v")
	assert.Equal(t, 10, i)

	_, err = r.Extend("u", "")
	assert.EqualError(t, err, "data: registry: empty field name")
}

func TestMustRegistry(t *testing.T) {
	assert.Equal(t, []string{ClosedBoundary, OpenBoundary, BiasCorrection}, MustRegistry().Names())
	assert.PanicsWithValue(t, "data: MustRegistry: repeated name in [u v u]", func() { MustRegistry("u", "v", "u") })
	assert.Panics(t, func() { MustRegistry("u", OpenBoundary) })
	assert.Panics(t, func() { MustRegistry("") })
}

func TestZeroRegistry(t *testing.T) {
	var r Registry
	assert.Zero(t, r.Len())
	assert.Zero(t, r.States())
	assert.Empty(t, r.Names())
}

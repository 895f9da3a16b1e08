package data

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTransformNames(t *testing.T) {
	// The names of the released registry (docs/reference.md §1).
	assert.Equal(t, "log10_density", Transform{"density", Log10}.Rename())
	assert.Equal(t, "zeros_like_density", Transform{"density", ZerosLike}.Rename())
	for _, k := range []TransformKind{Log10, ZerosLike} {
		got, err := ParseTransform(k.String())
		require.NoError(t, err)
		assert.Equal(t, k, got)
	}
	_, err := ParseTransform("torch.sqrt")
	assert.EqualError(t, err, `data: transform: expected torch.log10 or torch.zeros_like, got "torch.sqrt"`)
}

func TestTransformFields(t *testing.T) {
	fields := []Field{{Name: "density"}, {Name: "velocity", Order: 1}, {Name: "rho", Constant: true}}
	got, err := TransformFields(fields, []Transform{{"rho", ZerosLike}, {"density", Log10}})
	require.NoError(t, err)
	assert.Equal(t, []Field{{Name: "log10_density"}, {Name: "velocity", Order: 1}, {Name: "zeros_like_rho", Constant: true}}, got)
	assert.Equal(t, "density", fields[0].Name, "the argument keeps its names")
	for want, ts := range map[string][]Transform{
		`field "energy": expected one of the fields [density velocity rho], each once`: {{"energy", Log10}},
		`field "density": expected one of the fields`:                                  {{"density", Log10}, {"density", ZerosLike}},
		`unknown kind 0`: {{Field: "density"}},
	} {
		_, err := TransformFields(fields, ts)
		assert.ErrorContains(t, err, want)
	}
	_, err = TransformFields([]Field{{Name: "a"}, {Name: "log10_a"}}, []Transform{{"a", Log10}})
	assert.ErrorContains(t, err, "two fields have one name in [log10_a log10_a]")
}

func TestApplyTransforms(t *testing.T) {
	w := plane()
	for i := range w.Frames[0] {
		w.Frames[0][i]++
	}
	w.Constants = []float32{1, 2, 3, 4, 5, 6}
	velocity := append([]float32{}, w.Frames[1][6:]...)
	require.NoError(t, ApplyTransforms(w, []Transform{{"density", Log10}, {"mask", ZerosLike}}))
	require.NoError(t, w.Validate())
	assert.Equal(t, []string{"log10_density", "velocity_x", "velocity_y"}, w.Channels(false))
	assert.Equal(t, []string{"zeros_like_mask"}, w.Channels(true))
	assert.Equal(t, float32(math.Log10(103)), w.Frames[1][3])
	assert.Equal(t, velocity, w.Frames[1][6:])
	assert.Equal(t, make([]float32, 6), w.Constants)

	w = plane()
	err := ApplyTransforms(w, []Transform{{"density", Log10}})
	assert.EqualError(t, err, `window tank 7: frame 0: transform torch.log10 of field "density": value 0 is 0: expected positive values`)
	require.NoError(t, ApplyTransforms(w, nil))
}

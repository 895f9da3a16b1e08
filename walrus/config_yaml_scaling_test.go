package walrus

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// TestScalingYAMLRoundTrip: ParseRecipe reads every scaling that WriteYAML writes, except
// that statistics are read back empty.
func TestScalingYAMLRoundTrip(t *testing.T) {
	some := &data.Statistics{RMS: map[string][]float64{"pressure": {1}}}
	for _, kind := range []Normalization{NormalizeRMS, NormalizeMeanStd} {
		for _, eps := range []float64{0, 1e-8, 0.125, 3e-7} {
			for _, statistics := range []*data.Statistics{nil, some} {
				s := Scaling{Normalization: kind, Eps: eps, Statistics: statistics}
				for _, prediction := range []Prediction{PredictDelta, PredictFull} {
					c := Micro()
					c.Prediction = prediction
					var b strings.Builder
					require.NoError(t, c.WriteYAML(&b, s))
					r, err := ParseRecipe([]byte(b.String()))
					require.NoError(t, err)
					want := s
					if statistics != nil {
						want.Statistics = &data.Statistics{}
					}
					assert.Equal(t, &want, r.Scaling)
					assert.Equal(t, c, r.Config)
				}
			}
		}
	}
	assert.EqualError(t, Micro().WriteYAML(&strings.Builder{}, Scaling{Normalization: 7}), "walrus: scaling: normalization: expected NormalizeRMS or NormalizeMeanStd, got 7")
	assert.EqualError(t, Micro().WriteYAML(&strings.Builder{}, Scaling{Eps: -1}), "walrus: scaling: eps: expected a positive number or 0 for the default, got -1")
}

// TestRecipeReplacesScaling: a new scaling replaces the lines of the old one, or adds lines
// to a file without them. An equal scaling does not change the lines.
func TestRecipeReplacesScaling(t *testing.T) {
	const old = "trainer:\n  revin: # of the authors\n    _target_: some.module.RMSSamplewiseRevNormalization\n  max_epoch: 200\n"
	global := Scaling{Eps: 1e-8, Statistics: &data.Statistics{}}
	text := strings.Replace(written(t), "trainer:\n  max_epoch: 200\n", old, 1)
	for _, c := range []struct {
		text string
		to   Scaling
		want [2]string
	}{
		{text, Scaling{}, [2]string{old, old}},
		{text, global, [2]string{old, "trainer:\n  epsilon: 1.0e-08\n  revin:\n    _target_: walrus.trainer.normalization_strat.RMSGlobalRevNormalization\n    _partial_: true\n  max_epoch: 200\n"}},
		{written(t), global, [2]string{"trainer:\n", "trainer:\n  epsilon: 1.0e-08\n  revin:\n    _target_: walrus.trainer.normalization_strat.RMSGlobalRevNormalization\n    _partial_: true\n"}},
	} {
		r, err := ParseRecipe([]byte(c.text))
		require.NoError(t, err)
		r.Scaling = &c.to
		out, err := r.Bytes()
		require.NoError(t, err)
		assert.Equal(t, strings.Replace(c.text, c.want[0], c.want[1], 1), string(out))
		back, err := ParseRecipe(out)
		require.NoError(t, err)
		assert.Equal(t, &c.to, back.Scaling)
	}
	r, err := ParseRecipe([]byte(written(t)))
	require.NoError(t, err)
	assert.Nil(t, r.Scaling, "the file names no class")
	r.Scaling = &Scaling{Eps: -1}
	_, err = r.Bytes()
	assert.ErrorContains(t, err, "walrus: scaling: eps: expected a positive number")
}

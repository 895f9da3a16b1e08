package train

import (
	"testing"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dropping returns the gradients of one pass of a two-block network whose last
// block drops its paths at the given rate.
func dropping(t *testing.T, rate float64, seed uint64) map[string][]float32 {
	t.Helper()
	c := smallConfig()
	c.Blocks, c.DropPath = 2, rate
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	defer w.Finalize()
	tr, err := New(w, Options{Backend: testbackend.New(t), Seed: seed})
	require.NoError(t, err)
	_, err = tr.Accumulate(still(plane(), plane()))
	require.NoError(t, err)
	return gradientsOf(tr)
}

// TestDropPath: a dropped path has no gradient, the first block never drops.
func TestDropPath(t *testing.T) {
	const space, time = "space_mixing.attn_out.weight", "time_mixing.output_head.weight"
	none, all := dropping(t, 0, 1), dropping(t, 1-1e-9, 1)
	for _, path := range []string{space, time} {
		for _, block := range []string{"blocks.0.", "blocks.1."} {
			assert.NotZero(t, sumOfSquares(none[block+path]), block+path)
		}
		assert.NotZero(t, sumOfSquares(all["blocks.0."+path]))
		assert.Zero(t, sumOfSquares(all["blocks.1."+path]))
	}
	half, again, other := dropping(t, 0.5, 3), dropping(t, 0.5, 3), dropping(t, 0.5, 4)
	assert.Equal(t, half["blocks.1."+space], again["blocks.1."+space], "replayed by seed")
	assert.NotEqual(t, half["blocks.1."+space], other["blocks.1."+space])
}

func sumOfSquares(v []float32) (sum float64) {
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return sum
}

func TestFieldDropIsRefused(t *testing.T) {
	c := smallConfig()
	c.FieldDrop = 0.1
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	defer w.Finalize()
	_, err = New(w, Options{Backend: testbackend.New(t)})
	require.ErrorContains(t, err, "drops fields at rate 0.1: expected 0")
}

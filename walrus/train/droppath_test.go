package train

import (
	"math/rand/v2"
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

// fieldLoss returns the loss of one pass of a network that drops fields.
func fieldLoss(t *testing.T, rate float64, seed uint64) float64 {
	t.Helper()
	c := smallConfig()
	c.FieldDrop = rate
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	defer w.Finalize()
	tr, err := New(w, Options{Backend: testbackend.New(t), Seed: seed})
	require.NoError(t, err)
	loss, err := tr.Accumulate(still(plane(), plane()))
	require.NoError(t, err)
	return loss
}

// TestFieldDrop: dropped fields change what the network sees, by the seed; factors
// are 0 or such that the mean stays.
func TestFieldDrop(t *testing.T) {
	none, all := fieldLoss(t, 0, 3), fieldLoss(t, 1, 3)
	assert.NotEqual(t, none, all)
	assert.Equal(t, all, fieldLoss(t, 1, 3), "replayed by seed")
	assert.NotEqual(t, all, fieldLoss(t, 1, 4))
	assert.Equal(t, none, fieldLoss(t, 1e-12, 3), "nothing is dropped and nothing scaled")

	h := &hostBatch{steps: 200, size: 5, nVar: 3, nConst: 1}
	h.dropFields(walrus.Config{FieldDrop: 0.8}, rand.New(rand.NewPCG(1, 2)))
	dropped := 0
	for _, k := range h.keepFields {
		if k == 0 {
			dropped++
		} else {
			assert.Equal(t, float32(1.25), k, "1/(1 − 0.8/4)")
		}
	}
	require.Len(t, h.keepFields, 4000)
	assert.InDelta(t, 800, dropped, 80)
}

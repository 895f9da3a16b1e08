package train

import (
	"math/rand/v2"
	"testing"

	"github.com/gowalrus/gowalrus/data"
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
	defer w.Close()
	tr, err := New(w, Options{Backend: testbackend.New(t), Seed: seed})
	require.NoError(t, err)
	_, err = tr.Accumulate(still(plane(), plane()))
	require.NoError(t, err)
	return gradientsOf(tr)
}

// TestDropPath: a dropped path has no gradient, and the first block drops no paths.
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
	defer w.Close()
	tr, err := New(w, Options{Backend: testbackend.New(t), Seed: seed})
	require.NoError(t, err)
	loss, err := tr.Accumulate(still(plane(), plane()))
	require.NoError(t, err)
	return loss
}

// TestFieldDrop: dropped fields change the loss and depend only on the seed. The factors
// are 0 for dropped channels, and for the others such that the mean does not change.
func TestFieldDrop(t *testing.T) {
	none, all := fieldLoss(t, 0, 3), fieldLoss(t, 1, 3)
	assert.NotEqual(t, none, all)
	assert.Equal(t, all, fieldLoss(t, 1, 3), "replayed by seed")
	assert.NotEqual(t, all, fieldLoss(t, 1, 4))
	assert.Equal(t, none, fieldLoss(t, 1e-12, 3), "nothing is dropped and nothing scaled")

	h := &hostBatch{steps: 6, size: 1000, nVar: 3, nConst: 1}
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

// TestFieldDropIsForAllFrames: the encoder's weights of a dropped channel have no gradient,
// so the channel is dropped from every frame; the weights of other channels have one.
func TestFieldDropIsForAllFrames(t *testing.T) {
	c := smallConfig()
	c.FieldDrop = 1
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	defer w.Close()
	tr, err := New(w, Options{Backend: testbackend.New(t), Seed: 5})
	require.NoError(t, err)
	window := waves("plane", []int{16, 16}, data.Boundaries{periodic, walled}, 7)
	ids, err := window.Volume().IDs(c.Registry)
	require.NoError(t, err)
	const passes = 12
	dropped := 0
	for range passes {
		tr.Drop()
		_, err := tr.Accumulate(still(window))
		require.NoError(t, err)
		columns := columnsOf(gradientsOf(tr)["embed.2.proj1.weight"], c)
		for _, id := range ids[:3] { // the fourth, velocity_z, is padding
			if columns[id] == 0 {
				dropped++
			}
		}
	}
	assert.Greater(t, dropped, 3, "of 36 with probability 1/4; frame by frame it would be 1/4 to the 6")
	assert.Less(t, dropped, 18)
}

// columnsOf returns, for each state, the sum of squares of its column of the encoder's
// first weights [intermediate, states, 8, 8, 8].
func columnsOf(weights []float32, c walrus.Config) []float64 {
	out := make([]float64, c.States())
	kernel := len(weights) / c.Intermediate / len(out)
	for i := 0; i < len(weights); i += kernel {
		out[i/kernel%len(out)] += sumOfSquares(weights[i : i+kernel])
	}
	return out
}

package distributed

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
)

// TestFits: the released network in 12 GiB forecasts in every type and does not train; in
// int8 more draws fit than in float32. More memory never lets fewer fit.
func TestFits(t *testing.T) {
	find := func(uses []Use, name string) Use {
		for _, u := range uses {
			if u.String() == name {
				return u
			}
		}
		t.Fatalf("expected %q in %v", name, uses)
		return Use{}
	}
	small, err := Fits(walrus.Walrus(), plane(256), 12<<30)
	require.NoError(t, err)
	wide, narrow := find(small, "forecast, weights in float32"), find(small, "forecast, weights in int8")
	assert.Positive(t, wide.Batch)
	assert.Greater(t, narrow.Batch, wide.Batch)
	assert.InDelta(t, 3*1_286_199_047, wide.Bytes-narrow.Bytes, 0.1*3*1_286_199_047)
	c, cached := walrus.Walrus(), find(small, "forecast, weights in float32, KV cache")
	assert.Greater(t, cached.Bytes, int64(4*2*5*c.Blocks*33*32*c.Hidden), "keys and values of five frames")
	for _, u := range small {
		if u.Task != "forecast" {
			assert.Zero(t, u.Batch, u.String())
			assert.Greater(t, u.Bytes, int64(12<<30))
		}
	}
	large, err := Fits(walrus.Walrus(), plane(256), 141e9)
	require.NoError(t, err)
	assert.Positive(t, find(large, "train adapters of rank 64, checkpoint_every 1").Batch)
	assert.Positive(t, find(large, "train all weights, checkpoint_every 1").Batch)
	for i, u := range large[:8] {
		assert.GreaterOrEqual(t, u.Batch, small[i].Batch, u.String())
		assert.Equal(t, u.Bytes, small[i].Bytes)
	}
	_, err = Fits(walrus.Walrus(), BatchShape{}, 1)
	require.ErrorContains(t, err, "expected at least 1 step")
}

// TestEstimateLoRA: adapters of rank r have r·(in+out) values per matrix, and only they have
// gradients and moments.
func TestEstimateLoRA(t *testing.T) {
	c := walrus.Walrus()
	all, err := Estimate(c, Local(), plane(128))
	require.NoError(t, err)
	f, err := EstimateLoRA(c, Local(), plane(128), 8)
	require.NoError(t, err)
	w, m := int64(c.Hidden), int64(c.MLPWidth())
	perBlock := 8 * ((m + 3*w + w) + (w + m/2) + 2*w + (3*w + w) + 2*w)
	assert.Equal(t, int64(c.Blocks)*perBlock, f.Params)
	assert.Equal(t, 4*f.Params, f.Gradients)
	assert.Equal(t, 8*f.Params, f.Moments)
	matrices := int64(c.Blocks) * ((m+3*w)*w + w*m/2 + w*w + 3*w*w + w*w)
	assert.Equal(t, all.Weights+4*(matrices+f.Params), f.Weights)
	assert.Less(t, f.Activations, all.Activations, "encoder and decoder need no gradients")
	assert.Greater(t, f.Activations, all.Activations/2)
	_, err = EstimateLoRA(c, Local(), plane(128), 0)
	assert.EqualError(t, err, "distributed: estimate: LoRA: expected a rank of at least 1, got 0")
	_, err = EstimateLoRA(c, Local(), plane(128), 4096)
	assert.ErrorContains(t, err, "rank 4096: expected at most 1408 for blocks.0.")
}

package train

import (
	"math"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// TestAccumulateTwice: the mean gradient of two equal batches is the gradient of one, bit
// for bit.
func TestAccumulateTwice(t *testing.T) {
	once, twice := newTrainer(t, Options{}), newTrainer(t, Options{})
	for step := range 2 {
		_, err := once.Accumulate(still(plane()))
		require.NoError(t, err)
		for range 2 {
			_, err := twice.Accumulate(still(plane()))
			require.NoError(t, err)
		}
		a, err := once.Update(1e-3)
		require.NoError(t, err)
		b, err := twice.Update(1e-3)
		require.NoError(t, err)
		require.Positive(t, a)
		require.Equal(t, a, b, "gradient norm of update %d", step)
		require.Equal(t, snapshot(t, once.Weights()), snapshot(t, twice.Weights()), "update %d", step)
	}
}

// TestAccumulateMixed: an update with a 2D and a 3D batch has the sum of both gradients. A
// tensor that neither batch uses does not change, not even by weight decay.
func TestAccumulateMixed(t *testing.T) {
	alone := map[string]map[string][]float32{}
	for name, batch := range map[string]*Batch{"plane": still(plane()), "space": still(space())} {
		tr := newTrainer(t, Options{})
		_, err := tr.Accumulate(batch)
		require.NoError(t, err)
		alone[name] = gradientsOf(tr)
	}
	require.NotContains(t, alone["plane"], "embed.3.proj1.weight")
	require.NotContains(t, alone["space"], "debed.2.proj2.bias")
	both := newTrainer(t, Options{})
	for _, b := range []*Batch{still(plane()), still(space())} {
		_, err := both.Accumulate(b)
		require.NoError(t, err)
	}
	for key, got := range gradientsOf(both) {
		for i, g := range got {
			want := float32(0)
			for _, part := range alone {
				if v, ok := part[key]; ok {
					want += v[i]
				}
			}
			if math.Float32bits(want) != math.Float32bits(g) && want != g {
				require.Failf(t, "gradients differ", "%s at %d: expected %v, got %v", key, i, want, g)
			}
		}
	}
	require.Len(t, gradientsOf(both), len(both.Weights().Params())-buffers(both), "every trained tensor has one")
}

func buffers(tr *Trainer) (n int) {
	for _, p := range tr.Weights().Params() {
		if p.Init.Buffer {
			n++
		}
	}
	return n
}

// TestUpdateLeavesOthers: tensors without a gradient do not change, and their steps of Adam
// count from their first gradient.
func TestUpdateLeavesOthers(t *testing.T) {
	tr := newTrainer(t, Options{AdamW: AdamW{WeightDecay: 0.5}})
	before := snapshot(t, tr.Weights())
	for range 2 {
		_, err := tr.Step(still(plane()), 1e-2)
		require.NoError(t, err)
	}
	untouched := 0
	for key, v := range snapshot(t, tr.Weights()) {
		if strings.Contains(key, "bed.3.") || strings.HasSuffix(key, "rotary_emb.freqs") {
			untouched++
			require.Equal(t, before[key], v, key)
			require.NotContains(t, tr.state, key)
		} else {
			require.NotEqual(t, before[key], v, key)
			require.Equal(t, 2, tr.state[key].steps, key)
		}
	}
	require.Equal(t, 9, untouched)
	_, err := tr.Step(still(space()), 1e-2)
	require.NoError(t, err)
	require.Equal(t, 1, tr.state["embed.3.proj1.weight"].steps)
	require.Equal(t, 3, tr.state["encoder_dummy"].steps)
}

// TestNotFinite: a loss that is not finite is an error, and its gradients are not added.
func TestNotFinite(t *testing.T) {
	tr := newTrainer(t, Options{})
	_, err := tr.Accumulate(still(plane()))
	require.NoError(t, err)
	kept := gradientsOf(tr)
	scale, _ := tr.Weights().Tensor("debed.2.proj2.bias")
	bad := make([]float32, scale.Size())
	for i := range bad {
		bad[i] = float32(math.Inf(1)) // of a padding component, ∞ times 0 is NaN
	}
	require.NoError(t, tr.Weights().Set("debed.2.proj2.bias", testbackend.Tensor(bad, len(bad))))
	loss, err := tr.Accumulate(still(plane()))
	require.EqualError(t, err, "train: the loss is NaN for window plane; field density, velocity_x, velocity_y; "+
		"not finite before: the network's debed.2.proj2.bias")
	require.True(t, math.IsNaN(loss))
	require.Equal(t, kept, gradientsOf(tr))
	require.Equal(t, 1, tr.micro)
}

func TestUpdateErrors(t *testing.T) {
	tr := newTrainer(t, Options{})
	_, err := tr.Update(1e-3)
	require.EqualError(t, err, "train: update: expected accumulated gradients, got none")
	_, err = tr.Accumulate(still(plane()))
	require.NoError(t, err)
	before := snapshot(t, tr.Weights())
	for _, lr := range []float64{-1, math.NaN(), math.Inf(1)} {
		_, err = tr.Update(lr)
		require.ErrorContains(t, err, "train: update: expected a learning rate of at least 0, got ")
	}
	require.Equal(t, before, snapshot(t, tr.Weights()))
	_, err = tr.Update(1e-3)
	require.NoError(t, err, "the gradients are still there")
	_, err = tr.Update(1e-3)
	require.Error(t, err, "and then they are used up")
}

func TestNewErrors(t *testing.T) {
	w, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	defer w.Finalize()
	_, err = New(w, Options{})
	require.EqualError(t, err, "train: options: expected a backend, got none")
	_, err = New(nil, Options{Backend: testbackend.New(t)})
	require.EqualError(t, err, "train: expected weights, got none")
	_, err = New(w, Options{Backend: testbackend.New(t), AdamW: AdamW{Beta1: 1}})
	require.EqualError(t, err, "train: AdamW beta1: expected 0 ≤ β < 1, got 1")
}

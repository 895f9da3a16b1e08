package train

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
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
		require.Equal(t, snapshot(t, once.weights), snapshot(t, twice.weights), "update %d", step)
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
	require.Len(t, gradientsOf(both), len(both.weights.Params())-buffers(both), "every trained tensor has one")
}

func buffers(tr *Trainer) (n int) {
	for _, p := range tr.weights.Params() {
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
	before := snapshot(t, tr.weights)
	for range 2 {
		_, err := tr.Step(still(plane()), 1e-2)
		require.NoError(t, err)
	}
	untouched := 0
	for key, v := range snapshot(t, tr.weights) {
		if strings.Contains(key, "bed.3.") || strings.HasSuffix(key, "rotary_emb.freqs") {
			untouched++
			require.Equal(t, before[key], v, key)
			require.NotContains(t, tr.steps, key)
		} else {
			require.NotEqual(t, before[key], v, key)
			require.Equal(t, 2, tr.steps[key], key)
		}
	}
	require.Equal(t, 9, untouched)
	_, err := tr.Step(still(space()), 1e-2)
	require.NoError(t, err)
	require.Equal(t, 1, tr.steps["embed.3.proj1.weight"])
	require.Equal(t, 3, tr.steps["encoder_dummy"])
}

// TestNotFinite: a loss that is not finite is an error, and its gradients are not added.
func TestNotFinite(t *testing.T) {
	tr := newTrainer(t, Options{})
	_, err := tr.Accumulate(still(plane()))
	require.NoError(t, err)
	kept := gradientsOf(tr)
	scale, _ := tr.weights.Tensor("debed.2.proj2.bias")
	bad := make([]float32, scale.Size())
	for i := range bad {
		bad[i] = float32(math.Inf(1)) // of a padding component, ∞ times 0 is NaN
	}
	require.NoError(t, tr.weights.Set("debed.2.proj2.bias", testbackend.Tensor(bad, len(bad))))
	loss, err := tr.Accumulate(still(plane()))
	require.EqualError(t, err, "train: the loss is NaN for window plane; field density, velocity_x, velocity_y; "+
		"not finite before: the network's debed.2.proj2.bias")
	require.True(t, math.IsNaN(loss))
	require.Equal(t, kept, gradientsOf(tr))
	require.Equal(t, 1, tr.groups[0].micro)
}

// steep makes the loss of 2D windows so steep that the norm of its gradient overflows,
// while the loss itself is finite.
func steep(t *testing.T, tr *Trainer) {
	t.Helper()
	for _, key := range []string{"debed.2.proj2.weight", "debed.2.proj2.bias"} {
		x, ok := tr.weights.Tensor(key)
		require.True(t, ok)
		v := tensors.MustCopyFlatData[float32](x)
		for i := range v {
			v[i] = float32(math.Copysign(1e21, float64(v[i])))
		}
		require.NoError(t, tr.weights.Set(key, testbackend.Tensor(v, x.Shape().Dimensions...)))
	}
}

// TestGradientNotFinite: a gradient whose norm is not finite is an error that names window
// and fields, is not added, and can be left out.
func TestGradientNotFinite(t *testing.T) {
	tr := newTrainer(t, Options{SkipNonFinite: true})
	_, err := tr.Accumulate(still(space()))
	require.NoError(t, err)
	kept := gradientsOf(tr)
	steep(t, tr)
	before := snapshot(t, tr.weights)
	loss, err := tr.Accumulate(still(plane()))
	require.EqualError(t, err, "train: the gradient norm is +Inf for window plane; field density, velocity_x, velocity_y")
	require.True(t, finite(loss))
	require.Equal(t, kept, gradientsOf(tr))
	tr.Drop()

	u, err := tr.StepFrom(context.Background(), func(_ context.Context, _, micro int) (*Batch, error) {
		return still([]*data.Window{plane(), space()}[micro]), nil
	}, 2, 1e-3)
	require.NoError(t, err)
	require.Equal(t, 1, u.Skipped)
	require.Equal(t, 1, u.Samples)
	require.True(t, finite(u.Loss))
	require.EqualValues(t, 1, tr.Updates())
	require.NotEqual(t, before, snapshot(t, tr.weights))

	before = snapshot(t, tr.weights)
	u, err = tr.StepFrom(context.Background(), func(context.Context, int, int) (*Batch, error) { return still(plane()), nil }, 2, 1e-3)
	require.NoError(t, err)
	require.Equal(t, 2, u.Skipped)
	require.EqualValues(t, 1, tr.Updates())
	require.Equal(t, before, snapshot(t, tr.weights))
}

// TestUpdateNotFinite: if the norm of the summed gradients is not finite, weights, moments,
// average and step stay as they were, and the next update is that of a trainer that never
// saw them.
func TestUpdateNotFinite(t *testing.T) {
	tr, other := newTrainer(t, Options{EMA: 0.5}), newTrainer(t, Options{EMA: 0.5})
	for _, tr := range []*Trainer{tr, other} {
		_, err := tr.Step(still(plane()), 1e-3)
		require.NoError(t, err)
	}
	before, average := snapshot(t, tr.weights), snapshot(t, tr.averaged)
	for range 2 { // each gradient is finite, their sum is not
		_, err := tr.Accumulate(still(plane()))
		require.NoError(t, err)
		g := tr.groups[0]
		for key := range g.sums {
			large := make([]float32, g.slot(key).Size())
			for i := range large {
				large[i] = math.MaxFloat32
			}
			require.NoError(t, g.set(g.sums, key, large))
		}
	}
	norm, err := tr.Update(1e-3)
	require.True(t, math.IsInf(norm, 1))
	require.EqualError(t, err, "train: the gradient norm is +Inf for window plane, plane")
	require.Equal(t, before, snapshot(t, tr.weights))
	require.Equal(t, average, snapshot(t, tr.averaged))
	require.EqualValues(t, 1, tr.Updates())
	for _, tr := range []*Trainer{tr, other} {
		_, err := tr.Step(still(plane()), 1e-3)
		require.NoError(t, err)
	}
	require.Equal(t, snapshot(t, other.weights), snapshot(t, tr.weights))
	require.Equal(t, snapshot(t, other.averaged), snapshot(t, tr.averaged))
}

func TestUpdateErrors(t *testing.T) {
	tr := newTrainer(t, Options{})
	_, err := tr.Update(1e-3)
	require.EqualError(t, err, "train: update: expected accumulated gradients, got none")
	_, err = tr.Accumulate(still(plane()))
	require.NoError(t, err)
	before := snapshot(t, tr.weights)
	for _, lr := range []float64{-1, math.NaN(), math.Inf(1)} {
		_, err = tr.Update(lr)
		require.ErrorContains(t, err, "train: update: expected a finite learning rate of at least 0, got ")
	}
	require.Equal(t, before, snapshot(t, tr.weights))
	_, err = tr.Update(1e-3)
	require.NoError(t, err, "the gradients are still there")
	_, err = tr.Update(1e-3)
	require.Error(t, err, "and then they are used up")
}

func TestNewErrors(t *testing.T) {
	w, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	defer w.Close()
	_, err = New(w, Options{})
	require.EqualError(t, err, "train: options: expected a backend, got none")
	_, err = New(nil, Options{Backend: testbackend.New(t)})
	require.EqualError(t, err, "train: expected weights, got none")
	_, err = New(w, Options{Backend: testbackend.New(t), AdamW: AdamW{Beta1: 1}})
	require.EqualError(t, err, "train: AdamW beta1: expected 0 ≤ β < 1, got 1")
}

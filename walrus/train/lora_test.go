package train

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// TestLoRA: if all tensors are frozen, only the adapted matrices change, each by a matrix
// of the given rank. Training resumes from a checkpoint bit for bit.
func TestLoRA(t *testing.T) {
	o := Options{Freeze: []string{"*"}, LoRA: &LoRA{Rank: 2, Targets: []string{"blocks.*.ff_out.weight"}}, Seed: 3}
	tr := newTrainer(t, o)
	before := snapshot(t, tr.weights)
	const key = "blocks.0.space_mixing.ff_out.weight"
	trained, all := tr.Trainable()
	require.Equal(t, 2*(32+64), trained) // of ff_out [32, 64]
	require.Less(t, trained, all/10)
	for range 3 {
		_, err := tr.Step(still(plane()), 1e-2)
		require.NoError(t, err)
	}
	after := snapshot(t, tr.weights)
	change := make([]float64, 32*64)
	for name, values := range after {
		if name != key {
			require.Equal(t, before[name], values, name)
			continue
		}
		for i := range values {
			change[i] = float64(values[i] - before[name][i])
		}
	}
	require.Equal(t, 2, rank(change, 32, 64))

	c, err := tr.Checkpoint()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "saved")
	require.NoError(t, walrus.SaveCheckpoint(dir, c))
	m, err := walrus.OpenCheckpoint(dir)
	require.NoError(t, err)
	again := newTrainer(t, o)
	require.NoError(t, again.Restore(m))
	for range 2 {
		want, err := tr.Step(still(plane()), 1e-2)
		require.NoError(t, err)
		got, err := again.Step(still(plane()), 1e-2)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Equal(t, snapshot(t, tr.weights), snapshot(t, again.weights))
	require.ErrorContains(t, newTrainer(t, Options{}).Restore(m), "adapters: the checkpoint has them: true, options ask for them: false")
}

// rank returns the number of pivots of a matrix above rounding.
func rank(a []float64, rows, cols int) int {
	n := 0
	for range min(rows, cols) {
		best, at := 1e-6, -1
		for i, v := range a {
			if v > best || -v > best {
				best, at = max(v, -v), i
			}
		}
		if at < 0 {
			return n
		}
		n++
		r, c := at/cols, at%cols
		pivot, row, column := a[at], make([]float64, cols), make([]float64, rows)
		copy(row, a[r*cols:(r+1)*cols])
		for i := range column {
			column[i] = a[i*cols+c] / pivot
		}
		for i := range rows {
			for j := range cols {
				a[i*cols+j] -= column[i] * row[j]
			}
		}
	}
	return n
}

func TestLoRAErrors(t *testing.T) {
	w, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	defer w.Close()
	for want, o := range map[string]LoRA{
		"expected a positive rank and scale, got 0 and 0": {},
		"match no matrix of the network":                  {Rank: 1, Targets: []string{"encoder_dummy"}},
		"matches none of the network's":                   {Rank: 1, Targets: []string{"nothing"}},
		"rank 33: expected at most ":                      {Rank: 33},
	} {
		_, err := New(w, Options{Backend: testbackend.New(t), LoRA: &o})
		require.ErrorContains(t, err, want)
	}
}

// TestLoRADefaultTargets: the default targets are all matrices of the blocks except the
// tables of relative positions, and the rank may exceed the number of heads.
func TestLoRADefaultTargets(t *testing.T) {
	w, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	defer w.Close()
	chosen, err := matching(w.Params(), DefaultTargets())
	require.NoError(t, err)
	for _, p := range w.Params() {
		want := strings.HasPrefix(p.Key, "blocks.") && len(p.Dims) > 1 && !strings.Contains(p.Key, "relative_attention_bias") && !p.Init.Buffer
		require.Equal(t, want, chosen[p.Key], p.Key)
	}
	rank := smallConfig().Heads + 4
	tr, err := New(w, Options{Backend: testbackend.New(t), LoRA: &LoRA{Rank: rank}})
	require.NoError(t, err)
	tr.Close()
}

// TestAdapters: saved adapters, merged into the weights that they were trained from, give
// the weights of the trainer.
func TestAdapters(t *testing.T) {
	tr := newTrainer(t, Options{Freeze: []string{"*"}, LoRA: &LoRA{Rank: 3, Alpha: 5}, Seed: 2})
	w, err := tr.weights.Clone()
	require.NoError(t, err)
	defer w.Close()
	before := snapshot(t, w)
	for range 2 {
		_, err := tr.Step(still(plane()), 1e-2)
		require.NoError(t, err)
	}
	path := filepath.Join(t.TempDir(), "adapters.safetensors")
	require.NoError(t, tr.SaveAdapters(path))
	require.NoError(t, ApplyAdapters(w, path))
	want, changed := snapshot(t, tr.weights), 0
	for key, values := range snapshot(t, w) {
		require.InDeltaSlice(t, want[key], values, 1e-6, key)
		if !slices.Equal(before[key], values) {
			changed++
		}
	}
	require.Equal(t, len(tr.lora.keys), changed)
}

func TestAdaptersErrors(t *testing.T) {
	plain := newTrainer(t, Options{})
	dir := t.TempDir()
	path := filepath.Join(dir, "a.safetensors")
	require.ErrorContains(t, plain.SaveAdapters(path), "expected a trainer with Options.LoRA")
	require.NoError(t, plain.weights.Save(path, nil))
	require.ErrorContains(t, ApplyAdapters(plain.weights, path), "expected lora_rank, lora_alpha and lora_base in the metadata")
	require.NoError(t, plain.weights.Save(path, map[string]string{rankKey: "2", alphaKey: "2", baseKey: "0"}))
	require.ErrorContains(t, ApplyAdapters(plain.weights, path), "expected adapters of the network's tensors")
	require.ErrorContains(t, ApplyAdapters(plain.weights, filepath.Join(dir, "none")), "no such file")

	require.NoError(t, newTrainer(t, Options{LoRA: &LoRA{Rank: 2}}).SaveAdapters(path))
	c := smallConfig()
	c.Hidden *= 2
	other, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	defer other.Close()
	before := snapshot(t, other)
	require.ErrorContains(t, ApplyAdapters(other, path), "lora_a: expected [2 ")
	require.Equal(t, before, snapshot(t, other))
}

// TestAdaptersRefused: adapters of other weights, applied twice, of an alpha that is no
// scale or with values that are not finite change nothing.
func TestAdaptersRefused(t *testing.T) {
	tr := newTrainer(t, Options{Freeze: []string{"*"}, LoRA: &LoRA{Rank: 2}, Seed: 2})
	base, err := tr.weights.Clone()
	require.NoError(t, err)
	defer base.Close()
	path := filepath.Join(t.TempDir(), "adapters.safetensors")
	refused := func(want string) {
		t.Helper()
		before := snapshot(t, base)
		require.ErrorContains(t, ApplyAdapters(base, path), want)
		require.Equal(t, before, snapshot(t, base))
	}
	for _, alpha := range []float64{math.NaN(), math.Inf(1), 0, -1} {
		tr.lora.alpha = alpha
		require.NoError(t, tr.SaveAdapters(path))
		refused("expected a positive lora_rank and a positive finite lora_alpha")
	}
	tr.lora.alpha = 2
	_, err = tr.Step(still(plane()), 1e-2)
	require.NoError(t, err)
	tr.lora.alpha = 1e308
	require.NoError(t, tr.SaveAdapters(path))
	refused("expected a finite sum of weight and adapter")
	tr.lora.alpha = 2
	require.NoError(t, tr.SaveAdapters(path))
	require.NoError(t, ApplyAdapters(base, path))
	refused("expected the weights that the adapters were trained from")
}

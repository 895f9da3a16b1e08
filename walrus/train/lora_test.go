package train

import (
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// TestLoRA: with everything else frozen only adapted matrices change, by a matrix of
// the rank asked for, and training goes on from a checkpoint bit for bit.
func TestLoRA(t *testing.T) {
	o := Options{Freeze: []string{"*"}, LoRA: &LoRA{Rank: 2, Targets: []string{"blocks.*.ff_out.weight"}}, Seed: 3}
	tr := newTrainer(t, o)
	before := snapshot(t, tr.Weights())
	const key = "blocks.0.space_mixing.ff_out.weight"
	trained, all := tr.Trainable()
	require.Equal(t, 2*(32+64), trained) // of ff_out [32, 64]
	require.Less(t, trained, all/10)
	for range 3 {
		_, err := tr.Step(still(plane()), 1e-2)
		require.NoError(t, err)
	}
	after := snapshot(t, tr.Weights())
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
	require.Equal(t, snapshot(t, tr.Weights()), snapshot(t, again.Weights()))
	require.ErrorContains(t, newTrainer(t, Options{}).Restore(m), "adapters: the checkpoint has them: true, options ask for them: false")
}

// rank is the number of pivots of a matrix above rounding.
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
	defer w.Finalize()
	for want, o := range map[string]LoRA{
		"expected a positive rank and scale, got 0 and 0": {},
		"match no matrix of the network":                  {Rank: 1, Targets: []string{"encoder_dummy"}},
		"matches none of the network's":                   {Rank: 1, Targets: []string{"nothing"}},
		"rank 33: expected at most that of":               {Rank: 33},
	} {
		_, err := New(w, Options{Backend: testbackend.New(t), LoRA: &o})
		require.ErrorContains(t, err, want)
	}
}

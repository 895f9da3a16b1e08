package train

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/examples/quickstart/dataset"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// TestLossCurve is the seeded golden curve: five updates of the nano preset on
// the quickstart's data. Initial weights, jitter and rolls are drawn on the
// host, so that every backend has the same curve. A refactor must keep it; a
// deliberate change of the recipe records a new one.
func TestLossCurve(t *testing.T) {
	recorded := []float64{24.48001, 25.75033, 36.25968, 32.13077, 29.01250}
	set, err := dataset.Load()
	require.NoError(t, err)
	w, err := walrus.InitWeights(walrus.Nano(), 42)
	require.NoError(t, err)
	defer w.Finalize()
	tr, err := New(w, Options{Backend: testbackend.New(t), Seed: 42})
	require.NoError(t, err)
	for i, want := range recorded {
		a, b := set.Train[i%len(set.Train)], set.Train[(i+1)%len(set.Train)]
		loss, err := tr.Step(&Batch{Windows: []*data.Window{a.Window(i, i+3), b.Window(i, i+3)}}, 1e-3)
		require.NoError(t, err)
		t.Logf("update %d: %.9g", i, loss)
		require.InEpsilon(t, want, loss, 1e-4, "update %d", i)
	}
}

// TestOverfit: a network learns one batch by heart.
func TestOverfit(t *testing.T) {
	tr := newTrainer(t, Options{})
	var losses []float64
	for range 30 {
		loss, err := tr.Step(still(plane()), 5e-3)
		require.NoError(t, err)
		losses = append(losses, loss)
	}
	t.Logf("%.4g", losses)
	require.Less(t, losses[29], 0.3*losses[0])
}

// TestSeed: the trainer's draws follow from its seed alone.
func TestSeed(t *testing.T) {
	run := func(seed uint64) (losses []float64) {
		tr := newTrainer(t, Options{Seed: seed})
		for range 3 {
			loss, err := tr.Step(&Batch{Windows: []*data.Window{plane()}}, 1e-3)
			require.NoError(t, err)
			losses = append(losses, loss)
		}
		return losses
	}
	one := run(1)
	require.Equal(t, one, run(1))
	require.NotEqual(t, one, run(2))
}

package train

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/stretchr/testify/require"
)

// TestLossCurve compares the losses of fifty updates of a tiny network on the sample
// data with a recorded curve. Initial weights, jitter and rolls are drawn on the host, so
// every backend has the same curve. A refactor must keep it; a deliberate change of the
// recipe records a new curve:
//
//	go test ./walrus/train -run TestLossCurve -record
func TestLossCurve(t *testing.T) {
	b := testbackend.New(t)
	path := filepath.Join("testdata", "loss_curve.json")
	set, err := sample.Load()
	require.NoError(t, err)
	c := walrus.Micro()
	c.Heads, c.Hidden, c.Intermediate, c.Kernel, c.Tokens = 1, 16, 4, [2]int{4, 4}, [3]int{6, 6, 6}
	w, err := walrus.InitWeights(c, 42)
	require.NoError(t, err)
	defer w.Close()
	tr, err := New(w, Options{Backend: b, Seed: 42})
	require.NoError(t, err)
	var losses []float64
	for i := range 50 {
		a, b := set.Train[i%len(set.Train)], set.Train[(i+1)%len(set.Train)]
		from := i % 20
		var windows []*data.Window
		for _, trajectory := range []*data.Window{a, b} {
			w, err := trajectory.Slice(from, from+3)
			require.NoError(t, err)
			windows = append(windows, w)
		}
		loss, err := tr.Step(&Batch{Windows: windows}, 1e-3)
		require.NoError(t, err)
		losses = append(losses, loss)
	}
	if *record {
		text, err := json.Marshal(losses)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o666))
	}
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var recorded []float64
	require.NoError(t, json.Unmarshal(raw, &recorded))
	require.Len(t, recorded, len(losses))
	for i, want := range recorded {
		require.InEpsilon(t, want, losses[i], 1e-4, "update %d", i)
	}
	// Updates 40 to 49 use windows of the same times as updates 0 to 9.
	require.Less(t, eval.Mean(losses[40:50]), eval.Mean(losses[:10]))
}

var record = flag.Bool("record", false, "write the loss curve of the backend")

// TestOverfit: a network fits a single batch.
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

// TestSeed: the trainer's draws depend only on its seed.
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

package nano

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestNano: the weights forecast one step of a test split better than persistence.
// All nine splits and all horizons are in experiments/nano.
func TestNano(t *testing.T) {
	em, err := Load(walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.NoError(t, err)
	defer em.Close()
	for _, name := range []string{"acoustic_obstacle_mask", "gray_scott_reaction_diffusion"} {
		ds, err := well.Open("../../testdata/data/"+name, well.Options{Split: "test"})
		require.NoError(t, err)
		defer ds.Close()
		forecasters := eval.Baselines()
		forecasters["model"] = em.Forecast
		r, err := eval.Evaluate(context.Background(), ds, forecasters, eval.Protocol{Horizons: []eval.Horizon{{From: 1, To: 1}}, Windows: 6})
		require.NoError(t, err)
		scores := r.Horizons[0].Scores
		t.Logf("%s: %.3f, persistence %.3f", name, scores["model"].Median, scores["persistence"].Median)
		require.Less(t, scores["model"].Median, 0.5*scores["persistence"].Median)
	}
}

// TestSize: what comes with the library stays small.
func TestSize(t *testing.T) {
	m, err := Manifest()
	require.NoError(t, err)
	part, ok := m.Part(walrus.WeightsFile)
	require.True(t, ok)
	require.LessOrEqual(t, part.Bytes, int64(8_000_000))
	require.Equal(t, "walrus-nano", m.Config.Name)
}

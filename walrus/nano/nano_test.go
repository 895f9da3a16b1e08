package nano

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestNano: the weights forecast one step of a test split better than persistence.
// experiments/nano has the results for all nine splits and all horizons.
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

// TestVersions: every version loads, its files match its manifest, and all versions
// together stay small.
func TestVersions(t *testing.T) {
	total := 0
	for _, v := range Versions() {
		found, ok := Find(v.Name)
		require.True(t, ok, v.Name)
		m, err := found.Manifest()
		require.NoError(t, err)
		require.Equal(t, "walrus-nano", m.Config.Name)
		require.Len(t, m.Files, 1, "%s: weights and nothing else", v.Name)
		raw, err := found.file(walrus.WeightsFile)
		require.NoError(t, err)
		require.EqualValues(t, m.Files[0].Bytes, len(raw), v.Name)
		require.Equal(t, m.Files[0].SHA256, fmt.Sprintf("%x", sha256.Sum256(raw)), v.Name)
		w, err := found.Weights(walrus.LoadOptions{})
		require.NoError(t, err)
		w.Close()
		dir := t.TempDir()
		require.NoError(t, v.Extract(dir))
		_, err = walrus.OpenCheckpoint(dir)
		require.NoError(t, err, v.Name)
		total += len(raw)
	}
	require.LessOrEqual(t, total, 12_000_000)
	require.Equal(t, Name, Names()[0])
}

func TestFind(t *testing.T) {
	for _, name := range []string{"", "nan", "nano-2026", "walrus-nano", "./nano"} {
		_, ok := Find(name)
		require.False(t, ok, name)
	}
	_, err := Version{Name: "mine"}.Manifest()
	require.ErrorContains(t, err, `expected a version that Find or Versions returned, got "mine"`)
	_, err = Open("nano-2020-01-01", walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "the weights that come with the library are nano, nano-2026-11-30")
	_, err = OpenWeights("nano-2020-01-01", walrus.LoadOptions{})
	require.ErrorContains(t, err, "the weights that come with the library are nano, nano-2026-11-30")
}

// TestOpenWeights: weights by name and by path are the same.
func TestOpenWeights(t *testing.T) {
	byName, err := OpenWeights(Name, walrus.LoadOptions{})
	require.NoError(t, err)
	defer byName.Close()
	byPath, err := OpenWeights("checkpoint", walrus.LoadOptions{})
	require.NoError(t, err)
	defer byPath.Close()
	require.Equal(t, byName.Scaling(), byPath.Scaling())
	for _, p := range byName.Params() {
		a, _ := byName.Tensor(p.Key)
		b, _ := byPath.Tensor(p.Key)
		require.True(t, a.Equal(b), p.Key)
	}
}

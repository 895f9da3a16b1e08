package nano

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// testSets are the data sets with a test split.
var testSets = []string{"acoustic_obstacle_mask", "acoustic_scattering_inclusions", "burgers_3D", "euler_multi_quadrants_openBC",
	"euler_multi_quadrants_periodicBC", "gray_scott_reaction_diffusion", "rayleigh_benard", "shear_flow", "shear_flow_tensor"}

// TestFamiliarity: few windows of the test splits are unlike the training data, about the
// stated 1 %; all are if they are noise.
func TestFamiliarity(t *testing.T) {
	f, err := Familiarity()
	require.NoError(t, err)
	require.Equal(t, 0.01, f.Rate)
	rng := rand.New(rand.NewPCG(1, 1))
	n, alarms := 0, 0
	for _, name := range testSets {
		ds, err := well.Open("../../testdata/data/"+name, well.Options{Split: "test"})
		require.NoError(t, err)
		defer ds.Close()
		frames := ds.Metadata().History()
		for i, tr := range ds.Trajectories() {
			for start := 0; start+frames < tr.Steps; start += 4 {
				w, err := ds.Read(context.Background(), data.Span{Trajectory: i, Start: start, Stride: 1, Frames: frames}, nil)
				require.NoError(t, err)
				score, _, err := f.Score(w)
				require.NoError(t, err)
				if n++; score > f.Limit {
					alarms++
				}
				for _, frame := range w.Frames {
					for i := range frame {
						frame[i] = float32(rng.NormFloat64())
					}
				}
				score, _, err = f.Score(w)
				require.NoError(t, err)
				require.Greater(t, score, f.Limit, "noise in place of %s", name)
			}
		}
	}
	t.Logf("%d of %d windows are alarms", alarms, n)
	require.Less(t, float64(alarms), 0.05*float64(n))
	raw, err := newest.file(walrus.FamiliarityFile)
	require.NoError(t, err)
	require.Less(t, len(raw), 24_000)
}

// TestFamiliarityDefault: Load and an extracted checkpoint warn of noise without being asked.
func TestFamiliarityDefault(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, newest.Extract(dir))
	w := &data.Window{Name: "noise", Grid: []int{16, 16}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}, Fields: []data.Field{{Name: "concentration"}}}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 6 {
		frame := make([]float32, 256)
		for i := range frame {
			frame[i] = float32(rng.NormFloat64())
		}
		w.Frames = append(w.Frames, frame)
	}
	for _, name := range []string{Name, dir} {
		var log bytes.Buffer
		em, err := Open(name, walrus.EmulatorOptions{Backend: testbackend.New(t), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
		require.NoError(t, err)
		defer em.Close()
		list, err := em.Advice(w)
		require.NoError(t, err)
		require.NotEmpty(t, list)
		last := list[len(list)-1]
		require.Equal(t, walrus.AdviseFamiliarity, last.Kind)
		require.Contains(t, last.Text, "the values of this window are unlike those of all training data")
		_, err = em.Emulate(context.Background(), w)
		require.NoError(t, err)
		require.Contains(t, log.String(), "kind=familiarity")
	}
}

// TestFamiliarityFits: the record has no more and no fewer fields than the weights.
func TestFamiliarityFits(t *testing.T) {
	f, err := Familiarity()
	require.NoError(t, err)
	m, err := Manifest()
	require.NoError(t, err)
	for _, d := range f.Datasets {
		for name := range d.Channels {
			_, known := m.Config.Registry.Index(name)
			require.True(t, known, "%s: %s", d.Name, name)
		}
	}
	text, err := json.Marshal(f)
	require.NoError(t, err)
	again := new(walrus.Familiarity)
	require.NoError(t, json.Unmarshal(text, again))
	require.Equal(t, f, again)
}

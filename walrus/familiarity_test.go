package walrus_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// familiarity returns the record of a single window.
func familiarity(t *testing.T) *walrus.Familiarity {
	t.Helper()
	w := plane()
	features, err := walrus.WindowFeatures(w)
	require.NoError(t, err)
	f := walrus.NewFamiliarity()
	f.Rate, f.Limit, f.Windows = 0.01, 1, 99
	d := walrus.FamiliarDataset{Name: "waves", Windows: 1, Channels: map[string]walrus.FamiliarFeatures{}}
	for i, name := range w.Channels(false) {
		d.Channels[name] = walrus.FamiliarFeatures{Mean: features[i]}
	}
	f.Datasets = []walrus.FamiliarDataset{d}
	return f
}

// TestAdviseFamiliarity: a familiar window gets no advice, also in other units; an unlike one
// gets advice that names the nearest data set and the difference, and a warning in the log.
func TestAdviseFamiliarity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "checkpoint")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: livelyWeights(t, smallConfig())}))
	require.NoError(t, familiarity(t).Save(dir))
	var log bytes.Buffer
	e, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: testbackend.New(t), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	require.NoError(t, err)
	defer e.Close()
	w := plane()
	for _, f := range w.Frames {
		for i := range f {
			f[i] *= 1e3
		}
	}
	list, err := e.Advice(w)
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = e.Emulate(context.Background(), w)
	require.NoError(t, err)
	require.Empty(t, log.String())

	for _, f := range w.Frames {
		for i, v := range noiseOf(3, len(f)) {
			f[i] += 2e3 * v
		}
	}
	list, err = e.Advice(w)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, walrus.AdviseFamiliarity, list[0].Kind)
	require.NotContains(t, list[0].Text, "%!")
	require.Regexp(t, `^the values of this window are unlike those of all training data: the forecast may be poor. Compared with waves, the nearest, .+ \(score [\d.]+; 1 % of familiar windows exceed 1.0\). Check .+; if the data is right, finetune the weights on such data$`, list[0].Text)
	_, err = e.Emulate(context.Background(), w)
	require.NoError(t, err)
	require.Contains(t, log.String(), "kind=familiarity")

	w.Fields[0].Name = "pressure"
	list, err = e.Advice(w)
	require.NoError(t, err)
	require.Equal(t, "no training data had the fields pressure, velocity_x, velocity_y together: expect a poor forecast. The nearest, waves, had "+strings.Join(slices.Sorted(maps.Keys(familiarity(t).Datasets[0].Channels)), ", ")+": check the names, leave out fields, or finetune the weights on such data", list[0].Text)
}

// TestFamiliarityFile: a damaged record is an error that names the file.
func TestFamiliarityFile(t *testing.T) {
	f := familiarity(t)
	f.Limit = -1
	require.ErrorContains(t, f.Save(t.TempDir()), "expected data sets, a rate between 0 and 1 and a finite limit")
	f = familiarity(t)
	f.FormatVersion = 7
	require.ErrorContains(t, f.Save(t.TempDir()), "expected format 2, got 7")
	_, err := walrus.ReadFamiliarity(t.TempDir())
	require.ErrorContains(t, err, walrus.FamiliarityFile)
}

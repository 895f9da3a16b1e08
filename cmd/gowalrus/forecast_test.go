package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/gif"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/npz"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

// forecastLine is the line of forecast --json.
type forecastLine struct {
	Window         string
	History, Steps int
	Seconds        float64
	VRMSE          map[string][]*float64
	Files          []string
}

func forecastJSON(t *testing.T, args ...string) (line forecastLine) {
	t.Helper()
	text := output(t, append([]string{"forecast", "--json"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(text), &line))
	return line
}

// TestForecast: the forecast of the sample beats both baselines, is written with its truth
// as arrays, picture and animation, and continues from its own file.
func TestForecast(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "out")
	r := forecastJSON(t, "--start", "23", "--steps", "4", "--out", dir)
	assert.Equal(t, []int{6, 4}, []int{r.History, r.Steps})
	require.Len(t, r.VRMSE["model"], 2, "the run has 31 frames")
	assert.Less(t, *r.VRMSE["model"][0], *r.VRMSE["persistence"][0])
	assert.Less(t, *r.VRMSE["model"][0], *r.VRMSE["linear"][0])
	path := func(name string) string { return filepath.Join(dir, name) }
	assert.Equal(t, []string{path(forecastFile), path(truthFile), path(animationFile), path(errorsFile)}, r.Files)

	set, err := sample.Load()
	require.NoError(t, err)
	truth, err := npz.Read(path(truthFile), npz.Options{})
	require.NoError(t, err)
	assert.Equal(t, set.Test[0].Frames[29:], truth.Frames)
	frames, err := npz.Read(path(forecastFile), npz.Options{})
	require.NoError(t, err)
	assert.Len(t, frames.Frames, 4)
	assert.InDelta(t, set.Test[0].Times[30], frames.Times[1], 1e-5)
	f, err := os.Open(path(animationFile))
	require.NoError(t, err)
	defer f.Close()
	g, err := gif.DecodeAll(f)
	require.NoError(t, err)
	assert.Len(t, g.Image, 2)

	next := filepath.Join(t.TempDir(), "next")
	on := forecastJSON(t, "--window", path(forecastFile), "--steps", "1", "--out", next)
	assert.Equal(t, 4, on.History)
	assert.Nil(t, on.VRMSE)
	assert.Equal(t, []string{filepath.Join(next, forecastFile), filepath.Join(next, animationFile)}, on.Files)
}

// TestForecastText prints a table and repeats a forecast with the same seed.
func TestForecastText(t *testing.T) {
	dir := t.TempDir()
	args := []string{"forecast", "--data", flow, "--steps", "2", "--trajectory", "1", "--stride", "2", "--out", dir}
	text := output(t, args...)
	assert.Contains(t, text, "2 steps from 6 frames on a grid of [32 64]")
	assert.Regexp(t, `step +model +persistence +linear\n   1 .*\n   2 .*\nmean`, text)
	before, err := os.ReadFile(filepath.Join(dir, forecastFile))
	require.NoError(t, err)
	output(t, args...)
	after, err := os.ReadFile(filepath.Join(dir, forecastFile))
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

// TestForecastHistory: a window gives its last frames as history, or, with --start, those
// from there on, and the rest as truth.
func TestForecastHistory(t *testing.T) {
	set, err := sample.Load()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "w.npz")
	require.NoError(t, npz.Write(path, set.Test[1]))
	for _, c := range []struct {
		source forecastSource
		from   int
		seen   int
		known  int
	}{
		{forecastSource{}, 0, 31, 0},
		{forecastSource{start: 20, first: true}, 20, 11, 0},
		{forecastSource{history: 6}, 25, 6, 0},
		{forecastSource{history: 6, start: 3, first: true}, 3, 6, 5},
		{forecastSource{history: 6, start: 23, first: true}, 23, 6, 2},
		{forecastSource{history: 6, start: 0, first: true, drop: []string{"density"}}, 0, 6, 5},
	} {
		c.source.window = path
		w, history, err := c.source.open(t.Context(), nil, 5)
		require.NoError(t, err)
		assert.Equal(t, c.seen, history)
		assert.Len(t, w.Frames, c.seen+c.known)
		assert.Equal(t, set.Test[1].Frames[c.from], w.Frames[0])
		assert.Len(t, w.Fields, 4-len(c.source.drop))
	}
}

func TestForecastErrors(t *testing.T) {
	set, err := sample.Load()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "w.npz")
	require.NoError(t, npz.Write(path, set.Test[1]))
	for _, c := range []struct {
		want  string
		usage bool
		args  []string
	}{
		{"--steps: expected 1 to 1000000, got 0", true, []string{"--steps", "0"}},
		{"--split does not go with --window", true, []string{"--window", path, "--split", "train"}},
		{"--fields goes with --window", true, []string{"--fields", "p"}},
		{"got -1, 0, 0 and 1", true, []string{"--trajectory", "-1"}},
		{"the trajectories 0 to 1, got 2", true, []string{"--trajectory", "2"}},
		{"trajectory 0 has 31 frames: expected 6 of history from frame 26 on with stride 1", true, []string{"--start", "26"}},
		{`--split: sample: expected the split train, valid or test, got "later"`, true, []string{"--split", "later"}},
		{`--fields: field "p:q"`, true, []string{"--window", path, "--fields", "p:q"}},
		{`--boundary: axis 0: "soft"`, true, []string{"--window", path, "--boundary", "soft"}},
		{path + ": expected 40 frames of history from frame 0 on, got 31 frames in all", false, []string{"--window", path, "--history", "40"}},
		{path + ": window test.1: drop: expected names of its fields", false, []string{"--window", path, "--drop", "x"}},
		{"nowhere.npz", false, []string{"--window", "nowhere.npz"}},
		{"nowhere: no such file", false, []string{"--data", "nowhere"}},
		{"nowhere: no such file", false, []string{"--weights", "nowhere"}},
	} {
		err := fails(append([]string{"forecast", "--out", t.TempDir()}, c.args...)...)
		if assert.ErrorContains(t, err, c.want) && c.usage {
			assert.ErrorIs(t, err, command.ErrUsage)
		} else {
			assert.NotErrorIs(t, err, command.ErrUsage)
		}
	}
}

// TestForecastUnlike: the program warns of fields with an offset, and not of the waves that come
// with it.
func TestForecastUnlike(t *testing.T) {
	set, err := sample.Load()
	require.NoError(t, err)
	w := set.Test[1]
	for _, offset := range []float32{0, 1000} {
		v := *w
		v.Frames = make([][]float32, len(w.Frames))
		for i, frame := range w.Frames {
			for _, u := range frame {
				v.Frames[i] = append(v.Frames[i], u+offset)
			}
		}
		path := filepath.Join(t.TempDir(), "w.npz")
		require.NoError(t, npz.Write(path, &v))
		var notes bytes.Buffer
		_, err = run(context.Background(), []string{"forecast", "--window", path, "--steps", "1", "--out", t.TempDir()}, io.Discard, &notes)
		require.NoError(t, err)
		require.NotContains(t, notes.String(), "%!")
		require.Equal(t, offset != 0, strings.Contains(notes.String(), "note: the values of this window are unlike those of all training data"), notes.String())
	}
}

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
)

// result is the last line of the output.
type result struct {
	Seed                       uint64
	Seconds                    float64
	VRMSE, Persistence, Linear []float64
}

func quickstart(t *testing.T, args ...string) (result, string) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), args, &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var r result
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &r))
	return r, out.String()
}

// TestQuickstart: the shipped weights beat both baselines without training, and the
// pictures are written.
func TestQuickstart(t *testing.T) {
	dir := t.TempDir()
	r, text := quickstart(t, "-steps", "10", "-seed", "7", "-out", dir)
	assert.Contains(t, text, "beats both, at one step and in the mean: true")
	assert.Contains(t, text, "VRMSE")
	assert.Less(t, r.VRMSE[0], 0.35)
	assert.Equal(t, uint64(7), r.Seed)
	assert.Positive(t, r.Seconds)
	for _, v := range [][]float64{r.VRMSE, r.Persistence, r.Linear} {
		assert.Len(t, v, 10)
	}
	// The baselines do not depend on the network.
	assert.InDelta(t, 0.747, r.Persistence[0], 1e-3)
	assert.InDelta(t, 0.933, r.Linear[0], 1e-3)
	for _, name := range []string{"step1.png", "forecast.gif", "vrmse.png"} {
		stat, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Greater(t, stat.Size(), int64(5000), name)
	}
	again, _ := quickstart(t, "-steps", "2", "-seed", "7", "-out", dir)
	assert.Equal(t, r.VRMSE[:2], again.VRMSE, "the same seed gives the same forecast")
}

// TestShownAnimation: the animation in docs is one of this program, and small enough for
// a page.
func TestShownAnimation(t *testing.T) {
	raw, err := os.ReadFile("../../docs/forecast.gif")
	require.NoError(t, err)
	assert.LessOrEqual(t, len(raw), 1<<20)
	shown, err := gif.DecodeAll(bytes.NewReader(raw))
	require.NoError(t, err)
	assert.Len(t, shown.Image, 20)

	dir := t.TempDir()
	quickstart(t, "-steps", "1", "-out", dir)
	raw, err = os.ReadFile(filepath.Join(dir, "forecast.gif"))
	require.NoError(t, err)
	made, err := gif.DecodeAll(bytes.NewReader(raw))
	require.NoError(t, err)
	assert.Equal(t, made.Config.Width, shown.Config.Width, "run the program again and copy out/quickstart/forecast.gif to docs")
	assert.Equal(t, made.Config.Height, shown.Config.Height, "run the program again and copy out/quickstart/forecast.gif to docs")
}

// TestCopyable: the program is short and compiles in another module.
func TestCopyable(t *testing.T) {
	text, err := os.ReadFile("main.go")
	require.NoError(t, err)
	assert.Less(t, bytes.Count(text, []byte("\n")), 150)
	assert.NotContains(t, string(text), "/internal/")
}

func TestQuickstartBadFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"23 frames":       {"-steps", "24"},
		"must be positiv": {"-steps", "0"},
		"flags only":      {"surprise"},
		"not defined":     {"-nosuch"},
	} {
		err := run(context.Background(), args, io.Discard)
		require.ErrorContains(t, err, want)
	}
}

func TestQuickstartStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := run(ctx, []string{"-steps", "1", "-out", t.TempDir()}, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTrained: the experiment trains, scores and draws, and the same seed gives the same
// forecast.
func TestTrained(t *testing.T) {
	dir := t.TempDir()
	quickstart := func(args ...string) (r struct{ VRMSE, Persistence, Linear []float64 }) {
		var out bytes.Buffer
		require.NoError(t, run(context.Background(), append(args, "-updates", "2", "-seed", "7", "-out", dir), &out, io.Discard))
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &r))
		return r
	}
	r := quickstart("-steps", "3")
	for _, v := range [][]float64{r.VRMSE, r.Persistence, r.Linear} {
		assert.Len(t, v, 3)
	}
	// The baselines do not depend on the network.
	assert.InDelta(t, 0.747, r.Persistence[0], 1e-3)
	assert.InDelta(t, 0.933, r.Linear[0], 1e-3)
	for _, name := range []string{"step1.png", "forecast.gif", "vrmse.png"} {
		stat, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Greater(t, stat.Size(), int64(5000), name)
	}
	assert.Equal(t, r.VRMSE[:2], quickstart("-steps", "2").VRMSE)
}

func TestBadFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"23 frames":       {"-steps", "24"},
		"must be positiv": {"-steps", "0"},
		"flags only":      {"surprise"},
		"not defined":     {"-nosuch"},
	} {
		require.ErrorContains(t, run(context.Background(), args, io.Discard, io.Discard), want)
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := run(ctx, []string{"-updates", "1"}, io.Discard, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
}

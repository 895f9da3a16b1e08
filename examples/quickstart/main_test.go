package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestQuickstart: the shipped weights beat both baselines, and the files of the report are
// there.
func TestQuickstart(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), 10, dir, &out))
	assert.Contains(t, out.String(), "beats both in the mean: true")
	var model, same, linear float64
	_, err := fmt.Sscanf(out.String()[strings.Index(out.String(), "\n   1 "):], "\n 1 %f %f %f", &model, &same, &linear)
	require.NoError(t, err)
	assert.Less(t, model, 0.35)
	assert.InDelta(t, 0.747, same, 1e-3)
	assert.InDelta(t, 0.933, linear, 1e-3)
	for _, name := range []string{"report.html", "acoustic_scattering_inclusions.gif"} {
		stat, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Greater(t, stat.Size(), int64(5000), name)
	}
}

func TestQuickstartErrors(t *testing.T) {
	require.ErrorContains(t, run(context.Background(), 24, t.TempDir(), io.Discard), "-steps: window test.0 has 31 frames")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, run(ctx, 1, t.TempDir(), io.Discard), context.Canceled)
}

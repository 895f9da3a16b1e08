package main

import (
	"bytes"
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOwnSolver: a short training ends with scores and a page with an animation.
func TestOwnSolver(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	require.NoError(t, run(context.Background(), dir, 1, 1, &out))
	assert.Regexp(t, `^steps 1: finetuned \d\S+, persistence \d\S+, linear \d\S+\nsteps 1:5: `, out.String())
	assert.FileExists(t, filepath.Join(dir, "report", "report.html"))
	animations, err := filepath.Glob(filepath.Join(dir, "report", "*.gif"))
	require.NoError(t, err)
	assert.Len(t, animations, 1)
}

// TestSimulations: the waves saturate near amplitude 1 and move.
func TestSimulations(t *testing.T) {
	w := simulations(1, 3)[0]
	require.NoError(t, w.Validate())
	require.Len(t, w.Frames, frames)
	sum, change := 0.0, 0.0
	for i, v := range w.Frames[frames-1] {
		sum += float64(v * v)
		change += math.Abs(float64(v - w.Frames[frames-2][i]))
	}
	n := float64(side * side)
	assert.InDelta(t, 0.75, sum/n, 0.3)
	assert.Greater(t, change/n, 0.1)
}

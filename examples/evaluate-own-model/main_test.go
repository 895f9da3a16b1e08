package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// TestEvaluateOwnModel: at one step half of the last change is better than all or nothing of it,
// and walrus-nano is better than that.
func TestEvaluateOwnModel(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	require.NoError(t, run(context.Background(), dir, &out))
	var ours, nano, same, linear float64
	_, err := fmt.Sscanf(out.String(), "steps 1:  damped %f  walrus-nano %f  persistence %f  linear %f\n", &ours, &nano, &same, &linear)
	require.NoError(t, err)
	assert.Less(t, ours, min(same, linear))
	assert.Less(t, nano, ours)
	assert.FileExists(t, filepath.Join(dir, "report.html"))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, run(ctx, dir, &out), context.Canceled)
}

func TestDamped(t *testing.T) {
	w := &data.Window{Frames: [][]float32{{0, 5}, {4, 5}}}
	frames, err := damped(0.5)(context.Background(), w, 3)
	require.NoError(t, err)
	assert.Equal(t, [][]float32{{6, 5}, {7, 5}, {7.5, 5}}, frames)
}

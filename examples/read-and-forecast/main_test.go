package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/npz"
)

func TestReadForecast(t *testing.T) {
	ctx := context.Background()
	w, err := read(ctx, "../../testdata/data/shear_flow")
	require.NoError(t, err)
	require.Len(t, w.Frames, 6)
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "forecast.npz")
	require.NoError(t, forecast(ctx, w, "nano", 2, file, &out))
	assert.Equal(t, 2*len(w.Channels(false)), strings.Count(out.String(), "step "))
	made, err := npz.Read(file, npz.Options{})
	require.NoError(t, err)
	assert.Len(t, made.Frames, 2)
	assert.Equal(t, w.Grid, made.Grid)

	_, err = read(ctx, "nowhere")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorIs(t, forecast(ctx, w, "nowhere", 1, file, &out), os.ErrNotExist)
}

package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
)

// TestFinetune finetunes adapters and positions on a data set, and keeps its
// statistics with the weights.
func TestFinetune(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var out bytes.Buffer
	args := []string{"-data", "../../testdata/data/gray_scott_reaction_diffusion", "-out", dir, "-epochs", "1", "-updates", "1", "-lora", "2", "-ape", "-freeze", "embed.*"}
	require.NoError(t, run(context.Background(), args, &out, io.Discard))
	require.Contains(t, out.String(), "gray_scott_reaction_diffusion 1: ")
	m, err := walrus.OpenCheckpoint(filepath.Join(dir, "best"))
	require.NoError(t, err)
	require.Equal(t, walrus.RoPEPerAxis, m.Config.RoPE)
	require.Equal(t, []int{16, 16, 1}, m.Config.APE)
	require.NotNil(t, m.Scaling.Statistics)
	require.Equal(t, 1e-8, m.Scaling.Eps)
}

func TestFinetuneErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"expected -data FOLDER and -out FOLDER": {"-data", "x"},
		"nothing":                               {"-data", "nothing", "-out", t.TempDir()},
		"expected history or dataset":           {"-data", "../../testdata/data/shear_flow", "-out", t.TempDir(), "-statistics", "mine"},
	} {
		require.ErrorContains(t, run(context.Background(), args, io.Discard, io.Discard), want)
	}
}

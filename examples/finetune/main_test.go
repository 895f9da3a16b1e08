package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
)

// TestFinetune finetunes adapters and positions on a data set, and keeps its statistics
// with the weights.
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

// TestFinetuneUnjudged: without files for validation there is no best; a run with other
// settings does not resume in the folder.
func TestFinetuneUnjudged(t *testing.T) {
	set, dir := t.TempDir(), filepath.Join(t.TempDir(), "run")
	const from = "../../testdata/data/gray_scott_reaction_diffusion"
	require.NoError(t, os.CopyFS(filepath.Join(set, "data", "train"), os.DirFS(filepath.Join(from, "data", "train"))))
	args := []string{"-data", set, "-out", dir, "-epochs", "1", "-updates", "1", "-history", "2", "-statistics", "history"}
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), args, &out, io.Discard))
	require.Contains(t, out.String(), "Note: the run is not validated: no checkpoint best is written")
	require.Contains(t, out.String(), "Done: 1 updates; weights in "+filepath.Join(dir, "last"))
	require.ErrorContains(t, run(context.Background(), append(args, "-history", "3"), io.Discard, io.Discard),
		"to start again choose another folder, or remove "+dir)
	require.ErrorContains(t, run(context.Background(), args[:4], io.Discard, io.Discard), "examples/inspect -data FOLDER -stats")
	require.ErrorIs(t, run(context.Background(), []string{"-h"}, io.Discard, io.Discard), flag.ErrHelp)
}

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
)

// TestPack packs a checkpoint of a training. The packed folder holds the files that the
// library needs and not the state of the training.
func TestPack(t *testing.T) {
	w, err := walrus.InitWeights(walrus.Tiny(), 1)
	require.NoError(t, err)
	defer w.Close()
	w.SetScaling(walrus.Scaling{Normalization: walrus.NormalizeMeanStd, Eps: 1e-6})
	in, out := filepath.Join(t.TempDir(), "last"), filepath.Join(t.TempDir(), "packed")
	require.NoError(t, walrus.SaveCheckpoint(in, walrus.Checkpoint{Weights: w, Step: 9,
		Extra: map[string]json.RawMessage{"run": json.RawMessage(`{}`)},
		Parts: []walrus.Part{{Name: walrus.OptimizerFile, Write: func(path string) error {
			return os.WriteFile(path, []byte("moments"), 0o666)
		}}}}))
	var text bytes.Buffer
	require.NoError(t, run([]string{"-in", in, "-out", out}, &text))
	require.Contains(t, text.String(), "in float16")

	before, err := walrus.OpenCheckpoint(in)
	require.NoError(t, err)
	after, err := walrus.OpenCheckpoint(out)
	require.NoError(t, err)
	require.Equal(t, before.Config, after.Config)
	require.Equal(t, before.Scaling, after.Scaling)
	require.Equal(t, before.Step, after.Step)
	require.Empty(t, after.Extra)
	require.Len(t, after.Files, 1)
	require.InDelta(t, 0.5, float64(after.Files[0].Bytes)/float64(before.Files[0].Bytes), 0.01)

	require.NoError(t, run([]string{"-in", out, "-out", out}, &text), "a folder may be packed in place")
}

func TestPackErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"expected -in FOLDER and -out FOLDER":                       {"-in", "x"},
		"-store: walrus: storage: expected float32, float16 or bfl": {"-in", "x", "-out", "y", "-store", "int8"},
		"no such file": {"-in", "nowhere", "-out", "y"},
	} {
		require.ErrorContains(t, run(args, &bytes.Buffer{}), want)
	}
}

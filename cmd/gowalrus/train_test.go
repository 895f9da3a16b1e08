package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shear returns the recipe examples/recipes/shear.yaml with fewer updates.
func shear(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../examples/recipes/shear.yaml")
	require.NoError(t, err)
	root, err := filepath.Abs("../../testdata")
	require.NoError(t, err)
	text := strings.NewReplacer("../../testdata", root, "epochs: 10", "epochs: 2", "updates: 100", "updates: 2",
		"warmup: 1, cooldown: 3", "warmup: -1, cooldown: 1", "windows: 16, rollout_every: 5", "windows: 2").Replace(string(raw))
	path := filepath.Join(t.TempDir(), "recipe.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
	return path
}

// TestTrain trains, finds nothing left to do the second time, and checks the files that
// the command promises.
func TestTrain(t *testing.T) {
	recipe, dir := shear(t), filepath.Join(t.TempDir(), "run")
	for _, want := range []string{"epoch 2, VRMSE by steps: shear_flow 1: ", "Resuming after update 4."} {
		out := output(t, "train", "--config", recipe, "--out", dir)
		require.Contains(t, out, want)
		require.Contains(t, out, "Done: 4 updates; weights in "+filepath.Join(dir, "best"))
	}
	for _, name := range []string{"last/optimizer.safetensors", "last/average.safetensors", "best/model.safetensors", "log.jsonl"} {
		require.FileExists(t, filepath.Join(dir, name))
	}
	events, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	require.NoError(t, err)
	require.NotEmpty(t, events)
}

// TestTrainInterrupted: an interruption is no error, and the message says how to
// resume.
func TestTrainInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	_, err := run(ctx, []string{"train", "--config", shear(t), "--out", t.TempDir()}, &out, io.Discard)
	require.NoError(t, err)
	require.Contains(t, out.String(), "Interrupted after update 0; the same command resumes the run.")
	require.Contains(t, out.String(), "There is no best yet: the weights so far are in ")
}

func TestTrainErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"expected --config FILE and --out FOLDER": {"--config", "shear.yaml"},
		"no such file":           {"--config", "none.yaml", "--out", t.TempDir()},
		"unknown flag: --nosuch": {"-v", "--nosuch"},
	} {
		require.ErrorContains(t, fails(append([]string{"train"}, args...)...), want)
	}
}

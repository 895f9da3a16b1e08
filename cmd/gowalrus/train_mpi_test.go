//go:build mpi && cgo

package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTrainMPI: two processes train one run, of which one speaks, and the same command
// resumes it.
func TestTrainMPI(t *testing.T) {
	program := filepath.Join(t.TempDir(), "gowalrus")
	out, err := exec.Command("go", "build", "-tags", "mpi", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	recipe, dir := shear(t), filepath.Join(t.TempDir(), "run")
	for range 2 {
		out, err := exec.Command("mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2",
			program, "train", "--mpi", "--config", recipe, "--out", dir).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Regexp(t, `(?s)^[^D]*Done: [0-9]+ updates`, string(out))
	}
	require.FileExists(t, filepath.Join(dir, "log.jsonl"))

	out, err = exec.Command("mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2",
		program, "train", "--mpi", "--config", "none.yaml", "--out", dir).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "none.yaml: no such file")
}

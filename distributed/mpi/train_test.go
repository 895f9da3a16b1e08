//go:build mpi && cgo

package mpi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/distributed/internal/smallrun"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Environment variables tell ranks the folder to train in, and which rank kills itself
// after which update.
const (
	dirVariable  = "GOWALRUS_MPI_DIR"
	killVariable = "GOWALRUS_MPI_KILL"
)

func init() { cases["train"] = trains }

// trains is a rank of a training with one group of two devices.
func trains(e *Engine) error { return trainOn(e, distributed.FullyShard(2), os.Getenv(dirVariable)) }

// trainOn trains the small run, or resumes it.
func trainOn(e distributed.Engine, mesh distributed.Mesh, dir string) error {
	b, err := xla.NewWithOptions("cpu", pjrt.NamedValuesMap{"cpu_device_count": int64(mesh.Devices())})
	if err != nil {
		return err
	}
	defer b.Finalize()
	o, err := smallrun.Options(dir)
	if err != nil {
		return err
	}
	o.Trainer.Backend = b
	k := &killer{Engine: e}
	o.Trainer.Mesh, o.Trainer.Engine = mesh, k
	w, err := smallrun.Weights()
	if err != nil {
		return err
	}
	r, err := train.NewRun(w, o)
	if err != nil {
		return err
	}
	k.run = r
	return errors.Join(r.Train(context.Background()), r.Close())
}

// killer kills rank 1 when it is asked to exchange the gradients of an update.
type killer struct {
	distributed.Engine
	run *train.Run
}

func (k *killer) Sum(values []float32) func() error {
	if at, err := strconv.Atoi(os.Getenv(killVariable)); err == nil && k.Rank() == 1 && k.run != nil && k.run.Updates() == int64(at) {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return k.Engine.Sum(values)
}

// lossesOf reads the losses from the log of a run.
func lossesOf(t *testing.T, dir string) []float64 {
	f, err := os.Open(filepath.Join(dir, train.LogFile))
	require.NoError(t, err)
	defer f.Close()
	var out []float64
	for s := bufio.NewScanner(f); s.Scan(); {
		var line struct {
			Loss    float64 `json:"loss"`
			Samples int     `json:"samples"`
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &line))
		if line.Samples > 0 {
			out = append(out, line.Loss)
		}
	}
	return out
}

// TestTrain: ranks of two devices train like one process with that many groups. A
// killed rank ends the run, which resumes with another number of ranks.
func TestTrain(t *testing.T) {
	if !strings.HasPrefix(os.Getenv("GOMLX_BACKEND"), "xla:cpu") {
		t.Skip("several devices exist on XLA only: GOMLX_BACKEND=xla:cpu (.ci/run, phase mpi)")
	}
	want := t.TempDir()
	require.NoError(t, trainOn(distributed.Alone{}, distributed.Hybrid(2, 2), want))
	together := t.TempDir()
	t.Setenv(dirVariable, together)
	mpirun(t, 2, "train").requirePassed(t, 2)
	require.InEpsilonSlice(t, lossesOf(t, want), lossesOf(t, together), 1e-5)

	broken := t.TempDir()
	t.Setenv(dirVariable, broken)
	t.Setenv(killVariable, "5")
	o := mpirun(t, 4, "train")
	require.NotZero(t, o.code)
	require.Regexp(t, `rank 1 with PID`, o.text)
	require.Len(t, lossesOf(t, broken), 5)
	t.Setenv(killVariable, "")
	mpirun(t, 2, "train").requirePassed(t, 2)
	require.Len(t, lossesOf(t, broken), 8)
}

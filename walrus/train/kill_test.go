package train

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// childDir is the environment variable with the folder in which a child process of
// TestRunKilled trains.
const childDir = "GOWALRUS_TEST_RUN"

// killedRun returns the options of a run that spends most of its time saving.
func killedRun(t *testing.T, dir string) RunOptions {
	o := smallRun(t, dir)
	o.Updates, o.SaveEvery = 25, 1
	return o
}

// TestRunChild is the program of the children of TestRunKilled. It tests nothing itself.
func TestRunChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("only a part of TestRunKilled")
	}
	r, err := NewRun(smallWeights(t), killedRun(t, dir))
	require.NoError(t, err)
	require.NoError(t, r.Train(context.Background()))
	require.NoError(t, r.Close())
}

// TestRunKilled kills a training process at random moments and starts it again until it
// finishes. Its losses must equal those of a run that was not killed, and after every kill
// the checkpoint must be complete.
func TestRunKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	onGo(t)
	whole := t.TempDir()
	begin := time.Now()
	var start time.Duration // up to the second update, which includes building programs
	o := killedRun(t, whole)
	o.Observe = func(p Progress) {
		if p.Update == 2 {
			start = time.Since(begin)
		}
	}
	r, err := NewRun(smallWeights(t), o)
	require.NoError(t, err)
	require.NoError(t, r.Train(context.Background()))
	span := time.Since(begin) - start
	require.NoError(t, r.Close())

	dir := t.TempDir()
	kills, done := 0, false
	for !done {
		require.Less(t, kills, 200)
		child := exec.Command(os.Args[0], "-test.run=^TestRunChild$")
		child.Env = append(os.Environ(), childDir+"="+dir)
		require.NoError(t, child.Start())
		exit := make(chan error, 1)
		go func() { exit <- child.Wait() }()
		select {
		case err := <-exit:
			require.NoError(t, err, "the child failed by itself")
			done = true
		case <-time.After(start/2 + rand.N(start+span/10)):
			require.NoError(t, child.Process.Kill())
			<-exit
			kills++
		}
		_, err := walrus.OpenCheckpoint(filepath.Join(dir, LastCheckpoint))
		if !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
	}
	t.Logf("%d kills", kills)
	require.Equal(t, losses(t, whole), losses(t, dir))
}

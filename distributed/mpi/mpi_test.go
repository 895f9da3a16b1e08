//go:build mpi && cgo

package mpi

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// soon is the time within which the failure of a rank must end a run, on a machine that
// is busy with other tests.
const soon = 15 * time.Second

// outcome is the result of a run.
type outcome struct {
	text string
	code int
	took time.Duration
	pids []int
}

// mpirun runs a case of this binary on n ranks.
func mpirun(t testing.TB, n int, name string, options ...string) outcome {
	args := append([]string{"-n", strconv.Itoa(n), "--oversubscribe"}, options...)
	return command(t, name, "mpirun", append(args, os.Args[0])...)
}

// command runs a command that starts the ranks of a case, and collects their output.
func command(t testing.TB, name string, program string, args ...string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	// Runs that share a folder disturb each other when one removes files of another.
	temp, err := os.MkdirTemp("", "gowalrus-mpi")
	require.NoError(t, err)
	defer os.RemoveAll(temp)
	cmd.Env = append([]string{
		"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
		// Copies from process to process are forbidden in many containers.
		"OMPI_MCA_btl_vader_single_copy_mechanism=none",
	}, os.Environ()...)
	cmd.Env = append(cmd.Env, caseVariable+"="+name, "OMPI_MCA_orte_tmpdir_base="+temp)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	o := outcome{text: string(out), code: cmd.ProcessState.ExitCode(), took: time.Since(begin)}
	require.NoError(t, ctx.Err(), "%s\n%s", name, out)
	if o.code < 0 {
		require.NoError(t, err, "%s", out)
	}
	for _, m := range regexp.MustCompile(`pid (\d+)\n`).FindAllStringSubmatch(o.text, -1) {
		pid, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		o.pids = append(o.pids, pid)
	}
	return o
}

// requirePassed checks that all n ranks have finished.
func (o outcome) requirePassed(t testing.TB, n int) {
	require.Zero(t, o.code, "%s", o.text)
	for rank := range n {
		require.Contains(t, o.text, fmt.Sprintf("rank %d of %d passed\n", rank, n))
	}
}

// requireEnded checks that a run of n ranks has failed within soon, that its output
// says why, and that none of its processes is left.
func (o outcome) requireEnded(t testing.TB, n int, why ...string) {
	require.NotZero(t, o.code, "%s", o.text)
	assert.Less(t, o.took, soon)
	for _, w := range why {
		assert.Regexp(t, w, o.text)
	}
	assert.NotContains(t, o.text, "passed\n")
	require.Len(t, o.pids, n, "%s", o.text)
	for _, pid := range o.pids {
		assert.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH },
			5*time.Second, 20*time.Millisecond, "process %d is left", pid)
	}
}

func TestEngine(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 4} {
		t.Run(fmt.Sprintf("%d ranks", n), func(t *testing.T) {
			mpirun(t, n, "check").requirePassed(t, n)
		})
	}
	t.Run("4 ranks over TCP", func(t *testing.T) {
		mpirun(t, 4, "check", "--mca", "pml", "ob1", "--mca", "btl", "self,tcp").requirePassed(t, 4)
	})
	t.Run("without mpirun", func(t *testing.T) {
		command(t, "check", os.Args[0]).requirePassed(t, 1)
	})
}

var hugeFlag = flag.Bool("huge", false, "also transfer more bytes than MPI can count; needs 5 GB of memory")

// TestHuge broadcasts 2³¹ + 5 bytes, so that no count may overflow. Other tests cover
// the splitting at smaller lengths.
func TestHuge(t *testing.T) {
	if !*hugeFlag {
		t.Skip("needs 5 GB of memory: run with -huge")
	}
	mpirun(t, 2, "huge").requirePassed(t, 2)
}

func TestCallsThatDiffer(t *testing.T) {
	t.Parallel()
	mpirun(t, 4, "mismatch").requirePassed(t, 4)
}

func TestSumAdvancesAlone(t *testing.T) {
	t.Parallel()
	mpirun(t, 2, "advance").requirePassed(t, 2)
}

func TestNilPointerIsAPanic(t *testing.T) {
	t.Parallel()
	mpirun(t, 2, "nil").requirePassed(t, 2)
}

// TestFailure ends one rank of four in every way in which a rank can end.
func TestFailure(t *testing.T) {
	for name, why := range map[string][]string{
		"abort":  {`(?m)^rank 2 of 4: group 1, shear_flow, step 17: no such file$`},
		"kill":   {`process rank 2 with PID \d+ on node .* exited on signal 9`},
		"panic":  {`panic: this rank panics`, `Process name: \[\[\d+,1\],2\]`},
		"exit":   {`Process name: \[\[\d+,1\],2\]\s+Exit code:\s+7`},
		"broken": {`(?m)^rank \d of 4: mpi: rank \d of 4: a broadcast of 1 bytes from rank 99: MPI_ERR_ROOT`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := mpirun(t, 4, name)
			o.requireEnded(t, 4, why...)
			t.Log(strings.TrimSpace(o.text))
		})
	}
}

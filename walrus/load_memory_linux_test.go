//go:build linux && !race

// The race detector's shadow memory would be counted too.

package walrus_test

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// resident returns a value of /proc/self/status in bytes: "VmRSS", the memory of the
// process, or "VmHWM", the largest VmRSS so far.
func resident(t *testing.T, figure string) int64 {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	require.NoError(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), figure+":"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			require.NoError(t, err)
			return kb << 10
		}
	}
	t.Fatalf("expected %s in /proc/self/status", figure)
	return 0
}

// peakOf returns the largest growth of the process's memory while f ran.
func peakOf(t *testing.T, f func()) int64 {
	t.Helper()
	debug.FreeOSMemory()
	// 5 resets VmHWM to the current VmRSS.
	require.NoError(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200))
	before := resident(t, "VmRSS")
	f()
	return resident(t, "VmHWM") - before
}

// TestLoadMemory checks that loading needs the memory of the network, its largest tensor
// and little more, and that Finalize frees it.
func TestLoadMemory(t *testing.T) {
	c := walrus.Small()
	c.Hidden, c.Blocks, c.Heads, c.Intermediate = 512, 8, 8, 64
	path := filepath.Join(t.TempDir(), "w.safetensors")
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	require.NoError(t, w.Save(path, nil))
	var model, largest int64
	for _, p := range w.Params() {
		model += 4 * int64(p.Size())
		largest = max(largest, 4*int64(p.Size()))
	}
	w.Close()
	require.Greater(t, model, int64(150<<20), "large enough to see a second copy")
	const slack = 48 << 20
	b := testbackend.New(t)
	for _, o := range []walrus.LoadOptions{{}, {Backend: b}} {
		// Allocators may keep freed memory, up to the size of a network, and use it again.
		// A network that is not freed makes memory grow by its size in every round.
		var after [4]int64
		for round := range after {
			peak := peakOf(t, func() { w, _, err = walrus.LoadWeights(path, c, o) })
			require.NoError(t, err)
			t.Logf("network %d MB, largest tensor %d MB, peak %d MB", model>>20, largest>>20, peak>>20)
			assert.Less(t, peak, model+largest+slack)
			saved := peakOf(t, func() { err = w.Save(filepath.Join(t.TempDir(), "copy.safetensors"), nil) })
			require.NoError(t, err)
			assert.Less(t, saved, largest+slack, "saving copies at most a tensor at a time")
			w.Close()
			debug.FreeOSMemory()
			after[round] = resident(t, "VmRSS")
		}
		assert.Less(t, after[3], after[0]+model+slack, "Finalize frees the network: three rounds may not grow by more than one")
	}
	before := resident(t, "VmRSS")
	peak := peakOf(t, func() {
		_, _, err = walrus.LoadWeights(golden.Path(t, "tiny_walrus.pt"), c, walrus.LoadOptions{Backend: b})
	})
	require.Error(t, err)
	assert.Less(t, peak, int64(slack), "nothing is allocated for a file that does not fit")
	assert.Less(t, resident(t, "VmRSS"), before+slack)
}

// TestHeldLoadMemory checks that loading into a shorter type needs the memory of the network
// in that type, its largest tensor in float32 and little more.
func TestHeldLoadMemory(t *testing.T) {
	c := walrus.Small()
	c.Hidden, c.Blocks, c.Heads, c.Intermediate = 512, 8, 8, 64
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	path := weightFileOf(t, w)
	w.Close()
	for p, bytes := range map[walrus.Precision]int64{walrus.BFloat16: 2, walrus.Int8: 1} {
		var model, largest int64
		for _, q := range w.Params() {
			model += bytes * int64(q.Size())
			largest = max(largest, 4*int64(q.Size()))
		}
		o := walrus.EmulatorOptions{Backend: testbackend.New(t), Weights: p}
		peak := peakOf(t, func() { w, _, err = walrus.LoadWeights(path, c, o.LoadOptions()) })
		require.NoError(t, err)
		t.Logf("%v: network %d MB, largest tensor %d MB, peak %d MB", p, model>>20, largest>>20, peak>>20)
		assert.Less(t, peak, model+largest+32<<20)
		w.Close()
	}
}

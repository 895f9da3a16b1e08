package nano

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/experiments/nano/lengths"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// allLengths is the environment variable that makes TestLengths cover every length, which
// takes hours. experiments/nano/sweep prints the same results as a table.
const allLengths = "GOWALRUS_ALL_LENGTHS"

// sampled is the time in which TestLengths begins rollouts by default.
const sampled = 30 * time.Second

// TestLengths: for every number of points, the error of a rollout of 20 steps is at most
// three times that of persistence. By default the test takes a sample of lengths, the
// shortest first, for half a minute.
func TestLengths(t *testing.T) {
	em, err := Load(walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 1, Divergence: walrus.Divergence{Factor: -1}})
	require.NoError(t, err)
	t.Cleanup(em.Close)
	begin, trials := time.Now(), sample()
	whole := os.Getenv(allLengths) != ""
	if whole {
		trials = every()
	}
	var work sync.WaitGroup
	queue := make(chan lengths.Trial)
	for range 2 {
		work.Go(func() {
			for tr := range queue {
				check(t, em, tr)
			}
		})
	}
	done := 0
	for _, tr := range trials {
		if !whole && done >= 7 && time.Since(begin) > sampled {
			break
		}
		queue <- tr
		done++
	}
	close(queue)
	work.Wait()
	t.Logf("%d of %d rollouts", done, len(trials))
}

// check forecasts and scores one rollout.
func check(t *testing.T, em *walrus.Emulator, tr lengths.Trial) {
	w, err := tr.Window(t.Context())
	if !assert.NoError(t, err) {
		return
	}
	s, err := tr.Score(t.Context(), w, em.Forecast)
	if assert.NoError(t, err) {
		assert.Empty(t, s.Lost, "%s on %v", s.System, s.Grid)
		assert.LessOrEqual(t, s.Ratio, 3.0, "%s on %v: VRMSE %.3g, persistence %.3g", s.System, s.Grid, s.Model, s.Persistence)
	}
}

// sample lists a dozen lengths with all systems for each: even and odd lengths and primes,
// with and without a closed ring of patches.
func sample() []lengths.Trial {
	var out []lengths.Trial
	planes := []int{8, 13, 22, 32, 36, 19, 11, 26, 40, 31, 50, 47}
	for i, n := range planes {
		out = append(out, of(2, n, 1)...)
		if volumes := []int{8, 12, 9, 16, 13, 21}; i < len(volumes) {
			out = append(out, of(3, volumes[i], 1)...)
		}
	}
	return append(out, of(2, 16, 2)...)
}

// every lists all lengths.
func every() []lengths.Trial {
	var out []lengths.Trial
	for n := 8; n <= 128; n++ {
		out = append(out, of(2, n, 1)...)
		if n <= 32 {
			out = append(out, of(3, n, 1)...)
		}
	}
	return out
}

func of(dims, n, aspect int) []lengths.Trial {
	var out []lengths.Trial
	for _, system := range lengths.Systems(dims) {
		out = append(out, lengths.Trial{System: system, Grid: lengths.Grid(dims, n, aspect), Seed: 1})
	}
	return out
}

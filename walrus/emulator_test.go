package walrus_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

func newEmulator(t *testing.T, o walrus.EmulatorOptions) *walrus.Emulator {
	t.Helper()
	o.Backend = testbackend.New(t)
	e, err := walrus.NewEmulator(livelyWeights(t, smallConfig()), o)
	require.NoError(t, err)
	return e
}

// collect ranges over a rollout and checks that steps count from 1.
func collect(t *testing.T, frames iter.Seq2[walrus.Frame, error]) [][]float32 {
	t.Helper()
	var out [][]float32
	for f, err := range frames {
		require.NoError(t, err)
		out = append(out, f.Values)
		require.Equal(t, len(out), f.Step)
	}
	return out
}

// lastError ranges over a rollout to its end and returns its error.
func lastError(frames iter.Seq2[walrus.Frame, error]) (got [][]float32, last error) {
	for f, err := range frames {
		if err == nil {
			got = append(got, f.Values)
		}
		last = err
	}
	return got, last
}

var wallOpen = data.Boundary{Low: data.Wall, High: data.Open}

// plane returns the 2D window that most tests use.
func plane() *data.Window { return flow([]int{16, 20}, data.Boundaries{periodic, wallOpen}, 3) }

// TestEmulatorGrids runs every kind of grid: 1D stays 1D and 2D stays 2D.
func TestEmulatorGrids(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	for _, c := range []struct {
		grid []int
		bcs  data.Boundaries
	}{
		{[]int{64, 64}, data.Boundaries{periodic, periodic}},
		{[]int{96, 60}, data.Boundaries{walled, data.Both(data.Open)}},
		{[]int{20, 24}, data.Boundaries{wallOpen, periodic}},
		{[]int{25, 16}, data.Boundaries{periodic, walled}}, // 25 in an open ring
		{[]int{40}, data.Boundaries{periodic}},
		{[]int{1, 24, 16}, data.Boundaries{periodic, walled, periodic}},
		{[]int{8, 8, 8}, data.Boundaries{periodic, walled, wallOpen}},
	} {
		t.Run(fmt.Sprint(c.grid), func(t *testing.T) {
			w := withMask(flow(c.grid, c.bcs, 2))
			points := w.Points()
			channels := len(w.Channels(false))
			require.Equal(t, 1+len(c.grid), channels)
			frames := collect(t, e.Rollout(context.Background(), w, 2))
			require.Len(t, frames, 2)
			for _, f := range frames {
				require.Len(t, f, channels*points)
				moved := 0.0
				for i, v := range f {
					if w.Constants[i%points] != 0 {
						require.Zero(t, v, "solid point")
						continue
					}
					moved += math.Abs(float64(v - w.Frames[1][i]))
				}
				require.Greater(t, moved/float64(len(f)), 1e-3, "a forecast, not the input")
			}
		})
	}
}

// TestEmulatorEmbedded: a 2D window and the same window embedded in 3D have the same
// forecast; the component along the added axis is 0.
func TestEmulatorEmbedded(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	flat, thin := plane(), plane()
	thin.Grid, thin.Embedded = []int{16, 20, 1}, true
	thin.Boundaries = append(thin.Boundaries, periodic)
	for i, f := range thin.Frames {
		thin.Frames[i] = append(f[:len(f):len(f)], noiseOf(1, 320)...)
	}
	for i := range thin.Frames {
		clear(thin.Frames[i][3*320:])
	}
	want, err := e.Emulate(context.Background(), flat)
	require.NoError(t, err)
	got, err := e.Emulate(context.Background(), thin)
	require.NoError(t, err)
	requireNear(t, want, got[:3*320], 1e-6, "forecast")
	require.Equal(t, make([]float32, 320), got[3*320:])
}

// TestEmulatorOrder: permuted fields give the same forecast, permuted.
func TestEmulatorOrder(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	w, swapped := plane(), plane()
	swapped.Fields = []data.Field{w.Fields[1], w.Fields[0]}
	turnAround := func(f []float32) []float32 { return append(append([]float32{}, f[320:]...), f[:320]...) }
	for i, f := range swapped.Frames {
		swapped.Frames[i] = turnAround(f)
	}
	a, b := collect(t, e.Rollout(context.Background(), w, 2)), collect(t, e.Rollout(context.Background(), swapped, 2))
	for i := range a {
		requireNear(t, turnAround(a[i]), b[i], 1e-5, "forecast")
	}
}

// TestEmulatorScale: the forecast of a field in other units is in these units, and the
// forecasts of the other fields do not change.
func TestEmulatorScale(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{Scaling: &walrus.Scaling{Eps: 1e-20}})
	w, scaled := plane(), plane()
	factors := []float32{1000, 0.03, 1e-6}
	for _, f := range scaled.Frames {
		for i := range f {
			f[i] *= factors[i/320]
		}
	}
	a, b := collect(t, e.Rollout(context.Background(), w, 3)), collect(t, e.Rollout(context.Background(), scaled, 3))
	for step := range a {
		for c, factor := range factors {
			want := append([]float32{}, a[step][c*320:(c+1)*320]...)
			for i := range want {
				want[i] *= factor
			}
			requireNear(t, want, b[step][c*320:(c+1)*320], 1e-5, fmt.Sprintf("step %d channel %d", step, c))
		}
	}
}

func TestEmulatorSeeds(t *testing.T) {
	ctx, w := context.Background(), plane()
	run := func(seed uint64, off bool) [][]float32 {
		return collect(t, newEmulator(t, walrus.EmulatorOptions{Seed: seed, JitterOff: off}).Rollout(ctx, w, 3))
	}
	one := run(1, false)
	assert.Equal(t, one, run(1, false), "one seed, one forecast")
	assert.NotEqual(t, one, run(2, false), "another seed, another forecast")
	assert.Equal(t, run(1, true), run(2, true), "without jitter the seed does not matter")
	e := newEmulator(t, walrus.EmulatorOptions{Seed: 1})
	again := e.Rollout(ctx, w, 3)
	assert.Equal(t, one, collect(t, again))
	assert.Equal(t, one, collect(t, again), "ranging twice over one rollout")
	first, err := e.Emulate(ctx, w)
	require.NoError(t, err)
	assert.Equal(t, one[0], first)
	assert.Equal(t, plane(), w, "the window is left as it was")
}

// drawsFor returns the first n draws of a Rollout of w with the given seed.
func drawsFor(t *testing.T, e *walrus.Emulator, w *data.Window, seed uint64, n int) []walrus.Draws {
	t.Helper()
	plan, err := e.Model().Plan(w.Grid, w.Boundaries)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(seed, 0x656d756c61746f72))
	var out []walrus.Draws
	for range n {
		out = append(out, e.Model().Draw(rng, plan))
	}
	return out
}

func TestEmulatorReplay(t *testing.T) {
	ctx, w := context.Background(), plane()
	e := newEmulator(t, walrus.EmulatorOptions{Seed: 5})
	d := drawsFor(t, e, w, 5, 3)
	replay := e.Replay(ctx, w, d)
	got := collect(t, replay)
	assert.Equal(t, collect(t, e.Rollout(ctx, w, 3)), got)
	assert.Equal(t, got, collect(t, replay), "ranging twice over one replay")
	assert.Empty(t, collect(t, e.Replay(ctx, w, nil)))

	bad := d[0]
	bad.Shift[1] = 1000
	_, err := lastError(e.Replay(ctx, w, []walrus.Draws{d[0], bad}))
	require.ErrorContains(t, err, "walrus: window flow: step 2: walrus: jitter: shift of axis 1: expected within ±")
	_, err = lastError(e.Replay(ctx, w, []walrus.Draws{{Rolls: make([][3]int32, 7)}}))
	require.ErrorContains(t, err, "latent rolls: expected one per block (2), got 7")
}

// TestEmulatorEnsemble: a frame of an ensemble of two is the mean of the frames
// of two draws, and the next step starts from it.
func TestEmulatorEnsemble(t *testing.T) {
	ctx, w := context.Background(), plane()
	single, pair := newEmulator(t, walrus.EmulatorOptions{}), newEmulator(t, walrus.EmulatorOptions{Ensemble: 2})
	d := drawsFor(t, single, w, 9, 4)
	got := collect(t, pair.Replay(ctx, w, d))
	require.Len(t, got, 2)
	at := *w
	for step, frame := range got {
		a := collect(t, single.Replay(ctx, &at, d[2*step:2*step+1]))[0]
		b := collect(t, single.Replay(ctx, &at, d[2*step+1:2*step+2]))[0]
		require.Equal(t, meanOf(a, b), frame, "step %d", step+1)
		at.Frames = append(at.Frames[1:len(at.Frames):len(at.Frames)], frame)
	}
	_, err := lastError(pair.Replay(ctx, w, d[:3]))
	require.EqualError(t, err, "walrus: replay: expected 2 draws for every step, got 3 in all")
}

func meanOf(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = float32((float64(a[i]) + float64(b[i])) / 2)
	}
	return out
}

// TestEmulatorStatistics: data set statistics that equal those of the history give the
// same forecast.
func TestEmulatorStatistics(t *testing.T) {
	w := flow([]int{16, 16}, data.Boundaries{periodic, walled}, 1)
	w.Fields = w.Fields[:1]
	w.Frames[0] = w.Frames[0][:256]
	sum := 0.0
	for _, v := range w.Frames[0] {
		sum += float64(v) * float64(v)
	}
	stats := &data.Statistics{RMS: map[string][]float64{"density": {sqrt(sum / 256)}}, RMSDelta: map[string][]float64{"density": {1}}}
	own, err := newEmulator(t, walrus.EmulatorOptions{}).Emulate(context.Background(), w)
	require.NoError(t, err)
	given, err := newEmulator(t, walrus.EmulatorOptions{Scaling: &walrus.Scaling{Statistics: stats}}).Emulate(context.Background(), w)
	require.NoError(t, err)
	requireNear(t, own, given, 1e-5, "forecast")
	_, err = newEmulator(t, walrus.EmulatorOptions{Scaling: &walrus.Scaling{Statistics: stats}}).Emulate(context.Background(), plane())
	require.EqualError(t, err, `walrus: window flow: data: statistics: rms: expected field "velocity", which is missing`)
}

// TestEmulatorLog: every program is compiled once, with one record in the log.
func TestEmulatorLog(t *testing.T) {
	var log bytes.Buffer
	e := newEmulator(t, walrus.EmulatorOptions{Log: slog.New(slog.NewTextHandler(&log, nil))})
	collect(t, e.Rollout(context.Background(), plane(), 3))
	collect(t, e.Rollout(context.Background(), plane(), 1))
	assert.Equal(t, 1, strings.Count(log.String(), "\n"), "%s", &log)
	assert.Contains(t, log.String(), "grid [16 20 1] boundaries periodic wall/open periodic T=3 channels 4+0")
}

// TestEmulatorConcurrent: concurrent rollouts give the same frames as a single one.
func TestEmulatorConcurrent(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{Seed: 4})
	windows := []*data.Window{plane(), withMask(plane()), flow([]int{24}, data.Boundaries{walled}, 2)}
	var want [][][]float32
	for _, w := range windows {
		want = append(want, collect(t, newEmulator(t, walrus.EmulatorOptions{Seed: 4}).Rollout(context.Background(), w, 2)))
	}
	got := make([][][]float32, 9)
	errs := make([]error, len(got))
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			got[i], errs[i] = lastError(e.Rollout(context.Background(), windows[i%len(windows)], 2))
		})
	}
	wg.Wait()
	for i := range got {
		require.NoError(t, errs[i])
		require.Equal(t, want[i%len(windows)], got[i], "goroutine %d", i)
	}
}

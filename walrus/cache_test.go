package walrus_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// recomputed forecasts steps frames without a cache, each from all frames so far, with the
// statistics of the window and the same draws at every step. A cache that discards no frame
// must give the same frames.
func recomputed(t *testing.T, w *walrus.Weights, window *data.Window, steps int, d walrus.Draws) [][]float32 {
	t.Helper()
	m, err := walrus.NewModel(w.Config())
	require.NoError(t, err)
	plan, err := m.Plan(window.Grid, window.Boundaries)
	require.NoError(t, err)
	v := window.Volume()
	ids, err := v.IDs(w.Config().Registry)
	require.NoError(t, err)
	shift, rolls, err := m.Tensors(d, plan)
	require.NoError(t, err)
	real := make([]float32, len(v.Real))
	for i, ok := range v.Real {
		if ok {
			real[i] = 1
		}
	}
	s, points := v.Shape, v.Points()
	var history []float32
	for _, f := range window.Frames {
		spread := make([]float32, len(v.Variable)*points)
		require.NoError(t, v.Spread(spread, f, v.Source))
		history = append(history, spread...)
	}
	first := len(window.Frames)
	var out [][]float32
	for n := first; n < first+steps; n++ {
		in := graphWeights(t, w)
		in["history"] = testbackend.Tensor(history, n, 1, len(v.Variable), s[0], s[1], s[2])
		in["ids"], in["real"] = testbackend.Tensor(ids, len(ids)), testbackend.Tensor(real, len(real))
		in["shift"], in["rolls"] = clone(t, shift), clone(t, rolls)
		if len(v.Constant) > 0 {
			flat := make([]float32, len(v.Constant)*points)
			require.NoError(t, v.Spread(flat, window.Constants, v.ConstantSource))
			in["constants"] = testbackend.Tensor(flat, 1, len(v.Constant), s[0], s[1], s[2])
		}
		got := testbackend.RunNamed(t, in, func(in map[string]*Node, o *testbackend.Outputs) {
			vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in["w."+key] })
			x := SliceAxis(walrus.WithConstants(in["history"], in["constants"]), 0, AxisRange(0, first))
			stats := walrus.SampleStats(x, walrus.Scaling{})
			step := walrus.StepInputs{History: in["history"], Constants: in["constants"], Real: in["real"], Stats: &stats,
				Net: walrus.Inputs{IDs: in["ids"], Shift: in["shift"], Rolls: in["rolls"]}}
			if v.Mask >= 0 {
				step.Solid = SliceAxis(in["constants"], 1, AxisElem(v.Mask))
			}
			o.Add("u", m.NextFrame(m.WeightsFor(vars, plan), step, plan, walrus.Scaling{}))
		})
		history = append(history, got["u"]...)
		u, err := v.Gather(got["u"])
		require.NoError(t, err)
		out = append(out, u)
	}
	return out
}

func clone(t *testing.T, x *tensors.Tensor) *tensors.Tensor {
	t.Helper()
	y, err := x.LocalClone()
	require.NoError(t, err)
	return y
}

// fixedDraws returns the first draws of an emulator with this seed.
func fixedDraws(t *testing.T, em *walrus.Emulator, window *data.Window, seed uint64) walrus.Draws {
	t.Helper()
	plan, err := em.Model().Plan(window.Grid, window.Boundaries)
	require.NoError(t, err)
	return em.Model().Draw(rand.New(rand.NewPCG(seed, 0x656d756c61746f72)), plan)
}

// TestCacheExact: while no frame is discarded, forecasts with a cache equal those of the
// network on all frames, over 20 steps, in 2D and 3D, for all kinds of boundaries, with
// and without absolute positions and learned rotary frequencies.
func TestCacheExact(t *testing.T) {
	steps := 20
	if !strings.HasPrefix(testbackend.New(t).Name(), "Go") {
		steps = 3 // XLA compiles the network for every length of the history
	}
	opening := data.Both(data.Open)
	for name, c := range map[string]struct {
		grid   []int
		bcs    data.Boundaries
		rope   layers.RoPEMode
		ape    []int
		masked bool
	}{
		"periodic plane":               {grid: []int{16, 16}, bcs: data.Boundaries{periodic, periodic}},
		"walls and openings, APE":      {grid: []int{16, 16}, bcs: data.Boundaries{walled, {Low: data.Wall, High: data.Open}}, ape: []int{5, 5, 1}},
		"channel, learned frequencies": {grid: []int{16, 16}, bcs: data.Boundaries{periodic, opening}, rope: layers.RoPEPerAxis, masked: true},
		"space":                        {grid: []int{8, 8, 8}, bcs: data.Boundaries{periodic, walled, opening}},
		"space, all learned":           {grid: []int{8, 8, 8}, bcs: data.Boundaries{periodic, periodic, walled}, rope: layers.RoPEPerAxis, ape: []int{2, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			config := smallConfig()
			config.RoPE, config.APE = walrus.RoPEMode(c.rope), c.ape
			w := livelyWeights(t, config)
			window := flow(c.grid, c.bcs, 3)
			if c.masked {
				window = withMask(window)
			}
			em, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 4, Cache: &walrus.Cache{Frames: 3 + steps, Refresh: -1}})
			require.NoError(t, err)
			defer em.Close()
			got, err := em.Forecast(context.Background(), window, steps)
			require.NoError(t, err)
			want := recomputed(t, w, window, steps, fixedDraws(t, em, window, 4))
			for i := range want {
				requireNear(t, want[i], got[i], 1e-5, fmt.Sprintf("step %d", i+1))
			}
		})
	}
}

// TestCacheSliding: with a cache of the window's length the first frame equals that
// without a cache, Refresh recomputes the cache, and ensembles work.
func TestCacheSliding(t *testing.T) {
	w := livelyWeights(t, smallConfig())
	window := flow([]int{16, 16}, data.Boundaries{periodic, walled}, 3)
	forecast := func(o walrus.EmulatorOptions, steps int) [][]float32 {
		o.Backend = testbackend.New(t)
		em, err := walrus.NewEmulator(w, o)
		require.NoError(t, err)
		defer em.Close()
		require.NoError(t, em.Prepare(window))
		out, err := em.Forecast(context.Background(), window, steps)
		require.NoError(t, err)
		return out
	}
	plain := forecast(walrus.EmulatorOptions{Seed: 2, JitterOff: true}, 4)
	sliding := forecast(walrus.EmulatorOptions{Seed: 2, JitterOff: true, Cache: &walrus.Cache{Refresh: -1}}, 4)
	requireNear(t, plain[0], sliding[0], 1e-5, "first step")
	require.NotEqual(t, plain[3], sliding[3])
	always := forecast(walrus.EmulatorOptions{Seed: 2, JitterOff: true, Cache: &walrus.Cache{Refresh: 1}}, 4)
	for i := range plain {
		requireNear(t, plain[i], always[i], 2e-5, "refreshed at every step, it is the plain rollout")
	}
	again := forecast(walrus.EmulatorOptions{Seed: 2, Cache: &walrus.Cache{Refresh: 2}}, 4)
	require.Equal(t, again, forecast(walrus.EmulatorOptions{Seed: 2, Cache: &walrus.Cache{Refresh: 2}}, 4))
	require.Len(t, forecast(walrus.EmulatorOptions{Seed: 2, Ensemble: 2, Cache: &walrus.Cache{}}, 3), 3)
	one := forecast(walrus.EmulatorOptions{Seed: 2, JitterOff: true, Ensemble: 3, Cache: &walrus.Cache{Refresh: -1}}, 3)
	for i := range one {
		requireNear(t, sliding[i], one[i], 1e-6, "members without jitter are alike")
	}
}

func TestCacheRefuses(t *testing.T) {
	b := testbackend.New(t)
	w := livelyWeights(t, smallConfig())
	window := flow([]int{16, 16}, data.Boundaries{periodic, walled}, 3)
	_, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Cache: &walrus.Cache{Frames: -1}})
	require.ErrorContains(t, err, "cache: expected a number of frames of at least 0")
	em, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Cache: &walrus.Cache{Frames: 2}})
	require.NoError(t, err)
	defer em.Close()
	_, err = em.Emulate(context.Background(), window)
	require.ErrorContains(t, err, "expected at least the 3 frames of the window, got 2")
	for _, err := range em.Replay(context.Background(), window, []walrus.Draws{{}}) {
		require.ErrorContains(t, err, "expected an emulator without a cache")
	}
	c := smallConfig()
	c.Causal = false
	acausal, err := walrus.NewEmulator(livelyWeights(t, c), walrus.EmulatorOptions{Backend: b, Cache: &walrus.Cache{}})
	require.NoError(t, err)
	defer acausal.Close()
	_, err = acausal.Emulate(context.Background(), window)
	require.ErrorContains(t, err, "expected a causal network")
}

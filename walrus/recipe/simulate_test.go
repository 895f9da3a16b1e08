package recipe

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

func open(t *testing.T, text string) *Opened {
	t.Helper()
	r, err := read(t, text)
	require.NoError(t, err)
	o, err := r.Open()
	require.NoError(t, err)
	t.Cleanup(o.Close)
	return o
}

// TestSimulate: an entry becomes a data set for each pair of grid and boundaries, in
// addition to data sets with files.
func TestSimulate(t *testing.T) {
	o := open(t, `
seed: 4
data:
  - {path: ROOT/shear_flow}
  - simulate: euler_periodic
    grids: [[32, 32], [48, 32]]
    boundaries: ["periodic,periodic", "wall,open/wall"]
    weight: 2
    rotations: mirrors
    batch: 3
    history: 4
    frames: 12
    windows_per_run: 5
    combinations: -1
    runs: 20
    parameters: {gamma: 1.5}
    interval: 0.001
  - {simulate: diffusion, name: heat, grids: [[8, 8]], valid: -1}
simulation: {workers: 1, ahead: 5, cache: kept, cache_bytes: 1000000, memory_bytes: 1000000, seed: 9}
`)
	var names []string
	weights := 0.0
	for _, s := range o.Options.Systems[1:] {
		names = append(names, s.Name)
		weights += s.Weight
	}
	require.Equal(t, []string{"euler_periodic_32x32_periodic", "euler_periodic_48x32_wall-open+wall",
		"euler_periodic_32x32_wall-open+wall", "euler_periodic_48x32_periodic", "heat_8x8_periodic"}, names)
	require.InDelta(t, 3, weights, 1e-12)
	s := o.Options.Systems[2]
	require.Equal(t, []any{0.5, 3, 4, 8}, []any{s.Weight, s.Batch, s.Cut.Input, len(s.Rotations)})
	require.Len(t, s.Train.Trajectories(), 20)
	require.Len(t, s.Valid.Trajectories(), 2)
	require.Nil(t, o.Options.Systems[5].Valid)
	require.Len(t, o.Options.Systems[5].Train.Trajectories(), 1<<16)
	require.Equal(t, data.Serving{Windows: 5, Ahead: 5}, s.Train.(data.Endless).Serving())

	span := data.Span{Trajectory: 1, Stride: 1, Frames: 12}
	seen, err := s.Train.Read(context.Background(), span, nil)
	require.NoError(t, err)
	require.NoError(t, seen.Validate())
	require.Equal(t, []int{48, 32}, seen.Grid)
	require.Equal(t, data.Boundaries{data.Both(data.Wall), {Low: data.Open, High: data.Wall}}, seen.Boundaries)
	require.Equal(t, []data.Scalar{{Name: "gamma", Constant: true, Values: []float32{1.5}}}, seen.Scalars)
	valid, err := s.Valid.Read(context.Background(), span, nil)
	require.NoError(t, err)
	require.NotEqual(t, seen.Frames, valid.Frames)
	stats, ok := o.Simulations()
	require.True(t, ok)
	require.Equal(t, 2, stats.Simulated)
}

// TestSimulateDefaults: the defaults of grids and boundaries are those of the system's
// Variety.
func TestSimulateDefaults(t *testing.T) {
	for _, system := range solve.Systems() {
		o := open(t, "data: [{simulate: "+system.Name+"}]")
		grids, boundaries := max(len(distinct(system.Variety.Grids)), 1), max(len(distinct(system.Variety.Boundaries)), 1)
		require.Len(t, o.Options.Systems, max(grids, boundaries), system.Name)
		o = open(t, "data: [{simulate: "+system.Name+", combinations: -1}]")
		require.Len(t, o.Options.Systems, grids*boundaries, system.Name)
		o = open(t, "data: [{simulate: "+system.Name+", combinations: 1}]")
		require.Len(t, o.Options.Systems, 1, system.Name)
	}
	_, ok := open(t, "data: [{path: ROOT/shear_flow}]").Simulations()
	require.False(t, ok)
}

// TestPairs: all pairs occur once, and any leading part has each number about as often.
func TestPairs(t *testing.T) {
	for a := 1; a <= 6; a++ {
		for b := 1; b <= 6; b++ {
			seen, first, second := map[[2]int]bool{}, map[int]int{}, map[int]int{}
			for n, p := range pairs(a, b) {
				seen[p] = true
				first[p[0]]++
				second[p[1]]++
				require.LessOrEqual(t, first[p[0]], n/a+2, "%d×%d", a, b)
				require.LessOrEqual(t, second[p[1]], n/b+2, "%d×%d", a, b)
				if n == max(a, b)-1 {
					require.Equal(t, []int{a, b}, []int{len(first), len(second)}, "all came")
				}
			}
			require.Len(t, seen, a*b)
		}
	}
}

func TestSimulateErrors(t *testing.T) {
	const flow = "data: [{path: ROOT/shear_flow, "
	for want, text := range map[string]string{
		"entry 1: expected either a path or a system to simulate": flow + "simulate: diffusion}]",
		"windows_per_run, runs and valid belong to entries with":  flow + "frames: 3}]",
		"expected no transforms of a simulated system":            "data: [{simulate: diffusion, transforms: {tracer: log10}}]",
		"runs: expected a positive number, or 0":                  "data: [{simulate: diffusion, runs: -1}]",
		`simulated system heat: solve: unknown system "heat"`:     "data: [{simulate: heat}]",
		"expected a grid of 2 axes, got [8]":                      "data: [{simulate: diffusion, grids: [[8]]}]",
		"boundaries: axis 0: \"dry\"":                             "data: [{simulate: diffusion, boundaries: [dry]}]",
		"expected some that its solver knows":                     "data: [{simulate: gray_scott, boundaries: [\"wall,wall\"]}]",
		"unknown parameter \"heat\"":                              "data: [{simulate: diffusion, parameters: {heat: 1}}]",
		"start: expected one of":                                  "data: [{simulate: diffusion, start: cold}]",
		"got diffusion_8x8_periodic twice: give the entries":      "data: [{simulate: diffusion, grids: [[8, 8]]}, {simulate: diffusion, grids: [[8, 8]]}]",
		"statistics: expected history, because simulated":         "data: [{simulate: diffusion}]\nobjective: {statistics: dataset}",
		"simulation: solve: pool: expected no negative":           "data: [{simulate: diffusion}]\nsimulation: {workers: -2}",
		"unknown field \"worker\"":                                "data: [{simulate: diffusion}]\nsimulation: {worker: 2}",
		"unknown field \"grid\"":                                  "data: [{simulate: diffusion, grid: [8, 8]}]",
	} {
		t.Run(want, func(t *testing.T) { requireRefused(t, text, want) })
	}
}

// TestSimulateResume: a run that is interrupted in an epoch sees the same simulations
// as an uninterrupted one: its losses are the same to the last bit.
func TestSimulateResume(t *testing.T) {
	const text = `
seed: 1
network: {preset: micro, hidden: 16, heads: 1, groups: 2, intermediate: 4, kernel: [4, 4], tokens: [4, 4, 4]}
data:
  - {simulate: diffusion, grids: [[16, 16], [24, 16]], frames: 8, windows_per_run: 2, rotations: mirrors}
sampling: {planes: {history: 2, batch: 2}, strides: [1, 2]}
epochs: 2
updates: 4
accumulate: 1
schedule: {base: 1.0e-3, warmup: -1, cooldown: -1}
validation: {windows: 1}
`
	b, err := backend.Go()
	require.NoError(t, err)
	var losses []float64
	run := func(dir string, stopAfter int64) error {
		o := open(t, text)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		o.Options.Trainer.Backend, o.Options.Dir = b, dir
		o.Options.Observe = func(p train.Progress) {
			if losses = append(losses, p.Loss); p.Update == stopAfter {
				stop()
			}
		}
		r, err := train.NewRun(o.Weights, o.Options)
		require.NoError(t, err)
		defer r.Close()
		return r.Train(ctx)
	}
	require.NoError(t, run(t.TempDir(), 0))
	whole := losses
	losses = nil
	dir := t.TempDir()
	require.ErrorIs(t, run(dir, 2), train.ErrInterrupted)
	require.ErrorIs(t, run(dir, 7), train.ErrInterrupted)
	require.NoError(t, run(dir, 0))
	require.Equal(t, whole, losses)
}

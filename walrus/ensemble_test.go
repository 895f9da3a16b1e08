package walrus_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

// ensemble ranges over an ensemble and checks its steps.
func ensemble(t *testing.T, e *walrus.Emulator, w *data.Window, steps int, o walrus.EnsembleOptions) (out []walrus.EnsembleFrame) {
	t.Helper()
	for frame, err := range e.Ensemble(context.Background(), w, steps, o) {
		require.NoError(t, err)
		out = append(out, frame)
		require.Equal(t, len(out)*max(o.Every, 1), frame.Step)
	}
	return out
}

// TestEnsembleStatistics: mean, deviation and quantiles are those of the members, which are
// kept only if asked for.
func TestEnsembleStatistics(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{Seed: 3, Batch: 2})
	o := walrus.EnsembleOptions{Members: 5, KeepMembers: true, Quantiles: []float64{0.25, 0.5}}
	w := plane()
	all := ensemble(t, e, w, 2, o)
	require.Len(t, all, 2)
	require.Equal(t, plane(), w, "the window is left as it was")
	for _, f := range all {
		require.Len(t, f.Members, 5)
		for i := range f.Mean {
			var x []float64
			mean, sq := 0.0, 0.0
			for _, m := range f.Members {
				x = append(x, float64(m[i]))
				mean += float64(m[i]) / 5
			}
			for _, v := range x {
				sq += (v - mean) * (v - mean) / 4
			}
			slices.Sort(x)
			require.InDelta(t, mean, f.Mean[i], 1e-5)
			require.InDelta(t, math.Sqrt(sq), f.Std[i], 1e-5)
			require.InDelta(t, (x[0]+x[1])/2, f.Quantiles[0][i], 1e-5, "position 1.5")
			require.InDelta(t, x[2], f.Quantiles[1][i], 1e-5)
		}
	}
	for i, f := range ensemble(t, e, w, 2, walrus.EnsembleOptions{Members: 5}) {
		require.Equal(t, all[i].Mean, f.Mean)
		require.Equal(t, all[i].Std, f.Std)
		require.Nil(t, f.Members)
		require.Nil(t, f.Quantiles)
	}
	every := ensemble(t, e, w, 3, walrus.EnsembleOptions{Members: 5, Every: 2})
	require.Len(t, every, 1)
	require.Equal(t, all[1].Mean, every[0].Mean)
	one := ensemble(t, e, w, 1, walrus.EnsembleOptions{Members: 1})
	require.Equal(t, make([]float32, len(one[0].Mean)), one[0].Std)
}

// TestEnsembleReproducible: a member depends on the seed and its number, not on the number of
// members or the batch, with every source of spread.
func TestEnsembleReproducible(t *testing.T) {
	c := smallConfig()
	weights := livelyWeights(t, c)
	other, err := walrus.InitWeights(c, 7)
	require.NoError(t, err)
	t.Cleanup(other.Close)
	w := flow([]int{16, 20}, data.Boundaries{periodic, wallOpen}, 5)
	type key struct {
		seed  uint64
		batch int
	}
	emulators := map[key]*walrus.Emulator{}
	for _, k := range []key{{1, 1}, {1, 4}, {2, 1}} {
		emulators[k], err = walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: k.seed, Batch: k.batch})
		require.NoError(t, err)
		t.Cleanup(emulators[k].Close)
	}
	for name, o := range map[string]walrus.EnsembleOptions{
		"draws": {},
		"white": {Perturbation: perturb.White(0.1)},
		"all":   {Perturbation: perturb.Shaped(0.1), Lags: []int{1, 0}, Weights: []*walrus.Weights{other, weights}},
	} {
		t.Run(name, func(t *testing.T) {
			o.KeepMembers = true
			run := func(seed uint64, members, batch int) [][]float32 {
				o.Members = members
				frames := ensemble(t, emulators[key{seed, batch}], w, 2, o)
				return append(frames[0].Members, frames[1].Members...)
			}
			want := run(1, 6, 1)
			require.Equal(t, want, run(1, 6, 1))
			for i := range want[:6] {
				for k := range i {
					require.NotEqual(t, want[k], want[i], "members %d and %d", k, i)
				}
			}
			few := run(1, 4, 1)
			for i, u := range few {
				require.Equal(t, want[i/4*6+i%4], u, "fewer members")
			}
			for i, u := range run(1, 6, 4) {
				requireNear(t, want[i], u, 1e-5, "a larger batch")
			}
			require.NotEqual(t, want, run(2, 6, 1), "another seed")
		})
	}
}

// TestEnsembleSources: members are the rollouts of their frames and weights. The network
// is deterministic, so that nothing else makes them differ.
func TestEnsembleSources(t *testing.T) {
	ctx, c := context.Background(), smallConfig()
	weights := livelyWeights(t, c)
	other, err := walrus.InitWeights(c, 7)
	require.NoError(t, err)
	t.Cleanup(other.Close)
	emulator := func(w *walrus.Weights) *walrus.Emulator {
		e, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: testbackend.New(t), JitterOff: true})
		require.NoError(t, err)
		t.Cleanup(e.Close)
		return e
	}
	e, second := emulator(weights), emulator(other)
	w := flow([]int{16, 20}, data.Boundaries{periodic, wallOpen}, 5)

	same := ensemble(t, e, w, 2, walrus.EnsembleOptions{Members: 3})
	require.Equal(t, collect(t, e.Rollout(ctx, w, 2))[1], same[1].Mean)
	require.Equal(t, make([]float32, len(same[1].Std)), same[1].Std)

	lagged := ensemble(t, e, w, 2, walrus.EnsembleOptions{Members: 4, Lags: []int{0, 2}, KeepMembers: true})
	for m, from := range []int{2, 0, 2, 0} {
		start, err := w.Slice(from, from+3)
		require.NoError(t, err)
		frames := collect(t, e.Rollout(ctx, start, 4-from))
		require.Equal(t, frames[len(frames)-2:], [][]float32{lagged[0].Members[m], lagged[1].Members[m]}, "member %d", m)
	}

	snapshots := ensemble(t, e, w, 1, walrus.EnsembleOptions{Members: 3, Weights: []*walrus.Weights{weights, other}, KeepMembers: true})
	a, b := collect(t, e.Rollout(ctx, w, 1))[0], collect(t, second.Rollout(ctx, w, 1))[0]
	require.Equal(t, [][]float32{a, b, a}, snapshots[0].Members)

	shift := func(w *data.Window, rng *rand.Rand) ([][]float32, error) {
		by := float32(rng.NormFloat64())
		var out [][]float32
		for _, f := range w.Frames {
			f = slices.Clone(f)
			for i := range f {
				f[i] += by
			}
			out = append(out, f)
		}
		return out, nil
	}
	var starts []*data.Window
	moved := ensemble(t, e, w, 1, walrus.EnsembleOptions{Members: 2, KeepMembers: true, Perturbation: func(w *data.Window, rng *rand.Rand) ([][]float32, error) {
		own := *w
		var err error
		own.Frames, err = shift(w, rng)
		starts = append(starts, &own)
		return own.Frames, err
	}})
	for m, start := range starts {
		require.Equal(t, collect(t, e.Rollout(ctx, start, 1))[0], moved[0].Members[m])
	}
	require.NotEqual(t, moved[0].Members[0], moved[0].Members[1])
}

// TestEnsembleDiverges: the error names the member.
func TestEnsembleDiverges(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{Batch: 2, Between: func(_ int, history, frame *data.Window) error {
		if history.Frames[0][0] == 4 {
			frame.Frames[0][3] = 1e9
		}
		return nil
	}, Divergence: walrus.Divergence{Factor: 1000}})
	made := 0
	o := walrus.EnsembleOptions{Members: 6, Perturbation: func(w *data.Window, _ *rand.Rand) ([][]float32, error) {
		first := slices.Clone(w.Frames[0])
		first[0] = float32(made)
		made++
		return append([][]float32{first}, w.Frames[1:]...), nil
	}}
	for _, err := range e.Ensemble(context.Background(), plane(), 1, o) {
		var diverged *walrus.DivergedError
		require.ErrorAs(t, err, &diverged)
		require.Equal(t, 4, diverged.Member)
		require.ErrorContains(t, err, "walrus: window flow: members [4 5]: step 1: the forecast of field density is 1e+09")
		require.Equal(t, 1, diverged.Step)
	}
	require.Equal(t, 6, made)
}

func TestEnsembleErrors(t *testing.T) {
	e := newEmulator(t, walrus.EmulatorOptions{})
	larger := smallConfig()
	larger.Blocks = 3
	wrong, err := walrus.InitWeights(larger, 1)
	require.NoError(t, err)
	t.Cleanup(wrong.Close)
	perturbed := func(frames [][]float32, err error) walrus.Perturbation {
		return func(*data.Window, *rand.Rand) ([][]float32, error) { return frames, err }
	}
	nan := plane().Frames
	nan[1][2] = float32(math.NaN())
	stop := errors.New("stop")
	for _, c := range []struct {
		want  string
		o     walrus.EnsembleOptions
		steps int
	}{
		{"walrus: ensemble: expected 1 to 1048576 members, got 0", walrus.EnsembleOptions{}, 1},
		{"expected a number of steps, got -1", walrus.EnsembleOptions{Members: 1}, -1},
		{"expected lags of at least 0 frames, got [-1]", walrus.EnsembleOptions{Members: 1, Lags: []int{-1}}, 1},
		{"ensemble: window flow: expected more frames than the largest lag of [0 3], got 3", walrus.EnsembleOptions{Members: 1, Lags: []int{0, 3}}, 1},
		{"expected quantiles between 0 and 1, got [0.5 1]", walrus.EnsembleOptions{Members: 1, Quantiles: []float64{0.5, 1}}, 1},
		{"expected to yield every frame (1) or every n-th, got -1", walrus.EnsembleOptions{Members: 1, Every: -1}, 1},
		{"weights 0: expected weights, got nil", walrus.EnsembleOptions{Members: 1, Weights: []*walrus.Weights{nil}}, 1},
		{"weights 0: expected the configuration of the emulator's weights", walrus.EnsembleOptions{Members: 1, Weights: []*walrus.Weights{wrong}}, 1},
		{"window flow: member 0: perturbation: stop", walrus.EnsembleOptions{Members: 1, Perturbation: perturbed(nil, stop)}, 1},
		{"member 0: perturbation: expected 3 frames, got 1", walrus.EnsembleOptions{Members: 1, Perturbation: perturbed(nan[:1], nil)}, 1},
		{"frame 1: field density is NaN", walrus.EnsembleOptions{Members: 1, Perturbation: perturbed(nan, nil)}, 1},
	} {
		var last error
		for _, err := range e.Ensemble(context.Background(), plane(), c.steps, c.o) {
			last = err
		}
		require.ErrorContains(t, last, c.want)
	}
	for _, err := range e.Ensemble(context.Background(), nil, 1, walrus.EnsembleOptions{Members: 1}) {
		require.ErrorContains(t, err, "expected a window, got none")
	}
	e.Close()
	for _, err := range e.Ensemble(context.Background(), plane(), 1, walrus.EnsembleOptions{Members: 1}) {
		require.ErrorIs(t, err, walrus.ErrClosed)
	}
}

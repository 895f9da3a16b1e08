package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestPushforward: loss and gradients are those of a window whose last frames of history
// are the forecasts of an emulator with the same weights and draws, with true frames as
// targets of all steps, for every number of such frames.
func TestPushforward(t *testing.T) {
	const steps = 2
	whole := waves("plane", []int{16, 16}, data.Boundaries{periodic, walled}, 5)
	seen := map[int]bool{}
	for seed := uint64(0); len(seen) <= steps; seed++ {
		tr := newTrainer(t, Options{Objective: Objective{Pushforward: steps, KeepFirst: true}, Seed: seed})
		p, err := tr.pass(still(whole), rand.New(rand.NewPCG(seed, 0)))
		require.NoError(t, err)
		ahead := len(p.own.host.ahead)
		if strings.HasPrefix(tr.opts.Backend.Name(), "xla") && ahead < steps {
			seen[ahead] = true // XLA compiles each case for most of a minute
		}
		if seen[ahead] {
			p.close()
			continue
		}
		seen[ahead] = true
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			defer p.close()
			require.NoError(t, tr.groups[0].forecastEnd(p))
			program, err := tr.groups[0].gradientProgram(p)
			require.NoError(t, err)
			got, err := tr.groups[0].run(program, p)
			require.NoError(t, err)
			require.NoError(t, tr.groups[0].add(program.trained, got.grads))

			want := newTrainer(t, Options{Objective: Objective{KeepFirst: true}})
			loss := accumulateTowards(t, want, forecastEnd(t, want, whole, p.own.host.ahead), cut(whole, whole.Frames[steps:]))
			require.InEpsilon(t, loss, got.loss, 1e-5)
			require.Less(t, apart(gradientsOf(want), gradientsOf(tr)), 1e-4)
			if ahead == 0 {
				return
			}
			for name, w := range map[string]*data.Window{
				"forecasts differ from true frames":      cut(whole, whole.Frames[steps:]),
				"targets are true frames, not forecasts": forecastEnd(t, want, whole, p.own.host.ahead),
			} {
				loss, err := newTrainer(t, Options{Objective: Objective{KeepFirst: true}}).Accumulate(still(w))
				require.NoError(t, err)
				require.Greater(t, math.Abs(loss-got.loss), 1e-4*loss, name)
			}
		})
	}
}

// cut returns w with other frames.
func cut(w *data.Window, frames [][]float32) *data.Window {
	out := *w
	out.Frames = frames
	return &out
}

// forecastEnd returns the last 3 frames of w, of which the end of the history is replaced by
// forecasts of an emulator.
func forecastEnd(t *testing.T, tr *Trainer, w *data.Window, draws []walrus.Draws) *data.Window {
	t.Helper()
	em, err := walrus.NewEmulator(tr.weights, walrus.EmulatorOptions{Backend: tr.opts.Backend, Divergence: walrus.Divergence{Factor: -1}})
	require.NoError(t, err)
	defer em.Close()
	last := len(w.Frames) - 1
	at := last - len(draws)
	history := w.Frames[at-2 : at : at]
	for _, d := range draws {
		for f, err := range em.Replay(t.Context(), cut(w, history), []walrus.Draws{d}) {
			require.NoError(t, err)
			history = append(history[1:len(history):len(history)], f.Values)
		}
	}
	return cut(w, append(history, w.Frames[last]))
}

// accumulateTowards adds the gradients of a window whose targets are the frames of another
// one, and returns the loss.
func accumulateTowards(t *testing.T, tr *Trainer, w, truth *data.Window) float64 {
	t.Helper()
	target, err := tr.pass(still(truth), rand.New(rand.NewPCG(0, 0)))
	require.NoError(t, err)
	defer target.close()
	p, err := tr.pass(still(w), rand.New(rand.NewPCG(0, 0)))
	require.NoError(t, err)
	defer p.close()
	p.own.host.truth = target.own.host.fields
	p.Inputs.Free()
	p.Inputs, err = p.own.layOut(p.own.host.draws, 0)
	require.NoError(t, err)
	program, err := tr.groups[0].gradientProgram(p)
	require.NoError(t, err)
	out, err := tr.groups[0].run(program, p)
	require.NoError(t, err)
	require.NoError(t, tr.groups[0].add(program.trained, out.grads))
	return out.loss
}

// TestPushforwardErrors: windows that are too short and impossible lengths are refused.
func TestPushforwardErrors(t *testing.T) {
	tr := newTrainer(t, Options{Objective: Objective{Pushforward: 2}})
	_, err := tr.Accumulate(still(plane()))
	require.ErrorContains(t, err, "expected at least 4 frames, history and target and 2 for the pushforward between them, got 3")
	for _, n := range []int{-1, 65} {
		_, err := New(tr.weights, Options{Backend: tr.opts.Backend, Objective: Objective{Pushforward: n}})
		require.ErrorContains(t, err, fmt.Sprintf("pushforward: expected 0 to 64 steps, got %d", n))
	}
}

// TestPushforwardUnit: errors are in units of the true changes if forecasts of the history
// change less, and otherwise in units of the history's changes.
func TestPushforwardUnit(t *testing.T) {
	exec := graph.MustNewExec(testbackend.New(t), func(own, truth *graph.Node) *graph.Node {
		r := Result{Stats: walrus.Stats{DeltaStd: own}}
		return r.unit(walrus.PredictDelta, walrus.Stats{DeltaStd: truth})
	})
	own, truth := []float32{0.001, 2, 1, 7}, []float32{1, 1, 1}
	got := exec.MustCall1(tensors.FromFlatDataAndDimensions(own, 1, 1, 4, 1, 1, 1), tensors.FromFlatDataAndDimensions(truth, 1, 1, 3, 1, 1, 1))
	require.InDeltaSlice(t, []float32{0.001, 1, 1}, tensors.MustCopyFlatData[float32](got), 1e-7, "the fourth channel is a constant field")
}

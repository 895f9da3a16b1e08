package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestPushforward: loss and gradients are those of a window whose last frames of history
// are the forecasts of an emulator with the same weights and draws, for every number of
// such frames.
func TestPushforward(t *testing.T) {
	const steps = 2
	whole := waves("plane", []int{16, 16}, data.Boundaries{periodic, walled}, 5)
	seen := map[int]bool{}
	for seed := uint64(0); len(seen) <= steps; seed++ {
		tr := newTrainer(t, Options{Objective: Objective{Pushforward: steps}, Seed: seed})
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

			want := newTrainer(t, Options{})
			loss, err := want.Accumulate(still(forecastEnd(t, want, whole, p.own.host.ahead)))
			require.NoError(t, err)
			require.InEpsilon(t, loss, got.loss, 1e-5)
			require.Less(t, apart(gradientsOf(want), gradientsOf(tr)), 1e-4)
			plain, err := newTrainer(t, Options{}).Accumulate(still(cut(whole, whole.Frames[steps:])))
			require.NoError(t, err)
			if ahead > 0 {
				require.Greater(t, math.Abs(plain-got.loss), 1e-4*plain, "forecasts differ from true frames")
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

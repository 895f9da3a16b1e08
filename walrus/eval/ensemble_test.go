package eval

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// pairOf returns a probabilistic forecaster of the two members persistence + offset and
// persistence − offset.
func pairOf(offset float32, frames int, lower, upper func(frame []float32) []float32) EnsembleForecast {
	return func(_ context.Context, w *data.Window, steps int) iter.Seq2[Distribution, error] {
		return func(yield func(Distribution, error) bool) {
			last := w.Frames[len(w.Frames)-1]
			for range min(steps, frames) {
				up, down := make([]float32, len(last)), make([]float32, len(last))
				for i, v := range last {
					up[i], down[i] = v+offset, v-offset
				}
				d := Distribution{Members: [][]float32{up, down}}
				if lower != nil {
					d.Lower, d.Upper = lower(last), upper(last)
				}
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

// TestEvaluateEnsemble: the scores of a pair around persistence are those of the metrics,
// window by window, and its mean has the VRMSE of persistence.
func TestEvaluateEnsemble(t *testing.T) {
	const offset = 0.25
	p := Protocol{Input: 2, Horizons: []Horizon{{2, 4}}, Level: 0.2, Ensembles: map[string]EnsembleForecast{
		"pair": pairOf(offset, 99, nil, nil),
		"wide": pairOf(offset, 99, func(f []float32) []float32 { return shifted(f, -9) }, func(f []float32) []float32 { return shifted(f, 9) }),
	}}
	frames := 0
	p.Progress = func(done, total int) { frames = done; require.Equal(t, 4*4*4, total) }
	ds := moving(t, 9)
	r, err := Evaluate(context.Background(), ds, Baselines(), p)
	require.NoError(t, err)
	require.Equal(t, 4*4*4, frames)
	h := r.Horizons[0]
	require.Equal(t, 4, h.Windows)
	require.InDelta(t, h.Scores["persistence"].Median, h.Scores["pair"].Median, 1e-6)
	got := h.Ensembles["pair"]
	require.Len(t, got.Steps, 3)
	require.Len(t, got.Fields, 1)
	require.Equal(t, got.All, got.Fields["wave"], "the other field is constant and not scored")

	// The waves are k points apart, and the members ±offset around the older.
	std := math.Sqrt(0.5 * 16 / 15)
	var crps, sq float64
	for k := 2; k <= 4; k++ {
		step := 0.0
		for x := range 16 {
			d := math.Cos(2*math.Pi*float64(x-k)/16) - math.Cos(2*math.Pi*float64(x)/16)
			step += (math.Abs(d+offset) + math.Abs(d-offset)) / 2 / 16
			sq += d * d / 16 / 3
		}
		step = (step - offset/2) / std
		require.InDelta(t, step, got.Steps[k-2].CRPS, 1e-5)
		require.InDelta(t, step-offset/2/std, got.Steps[k-2].FairCRPS, 1e-5)
		crps += step / 3
	}
	require.InDelta(t, crps, got.All.CRPS, 1e-5)
	require.InDelta(t, math.Sqrt(2*offset*offset*1.5/sq), got.All.SpreadSkill, 1e-5)
	require.InDelta(t, 2*offset*0.6/std, got.All.Width, 1e-5, "positions 1.2 and 1.8 of two members")
	require.Equal(t, 2, got.All.Members)
	require.Len(t, got.All.Ranks, 3)
	require.InDelta(t, 1, got.All.Ranks[0]+got.All.Ranks[1]+got.All.Ranks[2], 1e-9)
	require.InDelta(t, 1, h.Ensembles["wide"].All.Coverage, 1e-9)
	require.InDelta(t, 18/std, h.Ensembles["wide"].All.Width, 1e-5)

	text, err := json.Marshal(r)
	require.NoError(t, err)
	var line struct {
		Ensembles map[string]map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &line))
	require.InDelta(t, crps, line.Ensembles["2:4"]["pair"]["crps"], 1e-5)
	require.Len(t, line.Ensembles["2:4"]["pair"]["rank_histogram"], 3)
}

func shifted(f []float32, by float32) []float32 {
	out := make([]float32, len(f))
	for i, v := range f {
		out[i] = v + by
	}
	return out
}

// TestEnsembleScoreJSON: numbers that do not exist are null.
func TestEnsembleScoreJSON(t *testing.T) {
	text, err := json.Marshal(EnsembleScore{Members: 1, FairCRPS: math.NaN(), SpreadSkill: math.Inf(1), Coverage: 0.5})
	require.NoError(t, err)
	require.JSONEq(t, `{"members":1,"crps":0,"fair_crps":null,"energy_score":0,"spread_skill":null,"coverage":0.5,"width":0}`, string(text))
}

func TestEvaluateEnsembleErrors(t *testing.T) {
	short := func(f []float32) []float32 { return f[:1] }
	for want, f := range map[string]EnsembleForecast{
		`eval: ensemble "x": expected a function, got nil`:            nil,
		"x: moving: expected an iterator over distributions, got nil": func(context.Context, *data.Window, int) iter.Seq2[Distribution, error] { return nil },
		"expected a forecast of 1 frames, got 0":                      pairOf(1, 0, nil, nil),
		"step 1: interval: expected bounds of 32 values, got 1 and 1": pairOf(1, 9, short, short),
		"step 1: no": func(context.Context, *data.Window, int) iter.Seq2[Distribution, error] {
			return yieldOne(Distribution{}, errors.New("no"))
		},
		"step 1: expected at least one member, got none": func(context.Context, *data.Window, int) iter.Seq2[Distribution, error] {
			return yieldOne(Distribution{}, nil)
		},
		"step 1: member 0: expected 32 values, got 1": func(context.Context, *data.Window, int) iter.Seq2[Distribution, error] {
			return yieldOne(Distribution{Members: [][]float32{{1}}}, nil)
		},
		"step 2: expected a forecast of 1 frames, got more": func(_ context.Context, w *data.Window, _ int) iter.Seq2[Distribution, error] {
			return pairOf(1, 2, nil, nil)(context.Background(), w, 2)
		},
	} {
		_, err := Evaluate(context.Background(), moving(t, 9), nil, Protocol{Input: 2, Windows: 1, Horizons: []Horizon{{1, 1}}, Ensembles: map[string]EnsembleForecast{"x": f}})
		require.ErrorContains(t, err, want)
	}
	_, err := Evaluate(context.Background(), moving(t, 9), Baselines(), Protocol{Input: 2, Ensembles: map[string]EnsembleForecast{"linear": pairOf(1, 9, nil, nil)}})
	require.ErrorContains(t, err, "expected a name that no other forecaster has")
	_, err = Evaluate(context.Background(), moving(t, 9), Baselines(), Protocol{Input: 2, Level: 1})
	require.ErrorContains(t, err, "level: expected a probability between 0 and 1, got 1")
}

func yieldOne(d Distribution, err error) iter.Seq2[Distribution, error] {
	return func(yield func(Distribution, error) bool) { yield(d, err) }
}

package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// moving returns a data set with a wave that moves by one point per frame, and a field
// that is constant over the grid.
func moving(t *testing.T, lengths ...int) data.Dataset {
	t.Helper()
	var list []*data.Window
	for _, n := range lengths {
		w := &data.Window{Name: "moving", Grid: []int{16}, Boundaries: data.Boundaries{data.Both(data.Periodic)}, Fields: []data.Field{{Name: "wave"}, {Name: "flat"}}}
		for step := range n {
			frame := make([]float32, 32)
			for x := range 16 {
				frame[x] = float32(math.Cos(2 * math.Pi * float64(x-step) / 16))
			}
			w.Frames = append(w.Frames, frame)
		}
		list = append(list, w)
	}
	ds, err := data.NewMemory("moving", list)
	require.NoError(t, err)
	return ds
}

// TestEvaluate scores a perfect forecast and persistence, whose VRMSE after k steps is
// that of two waves k points apart: 2·sin(πk/16)·√(15/16).
func TestEvaluate(t *testing.T) {
	forecasters := Baselines()
	forecasters["perfect"] = func(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
		var out [][]float32
		last := w.Frames[len(w.Frames)-1]
		for k := 1; k <= steps; k++ {
			frame := make([]float32, len(last))
			for x := range 16 {
				frame[x] = last[(x-k+16)%16]
			}
			out = append(out, frame)
		}
		return out, nil
	}
	r, err := Evaluate(context.Background(), moving(t, 12, 9), forecasters, Protocol{Input: 2, Horizons: []Horizon{{1, 1}, {2, 4}, {11, 90}, {3, 90}}})
	require.NoError(t, err)
	require.Equal(t, []string{"flat"}, r.Constant)
	require.Equal(t, []Horizon{{11, 90}}, r.Skipped)
	require.Equal(t, 10+7, r.Horizons[0].Windows)
	require.Equal(t, 7+4, r.Horizons[1].Windows)
	away := func(k int) float64 { return 2 * math.Sin(math.Pi*float64(k)/16) * math.Sqrt(15./16) }
	one, more := r.Horizons[0].Scores["persistence"], r.Horizons[1].Scores["persistence"]
	require.InDelta(t, away(1), one.Median, 1e-6)
	require.InDelta(t, (away(2)+away(3)+away(4))/3, more.Median, 1e-6)
	require.InDelta(t, more.Median, more.Fields["wave"], 1e-12)
	require.NotContains(t, more.Fields, "flat")
	require.InDeltaSlice(t, []float64{away(2), away(3), away(4)}, r.Horizons[1].Curves["persistence"], 1e-6)
	require.InDelta(t, 0, more.Std, 1e-6)
	require.Less(t, r.Horizons[1].Scores["perfect"].Median, 1e-6)

	text, err := json.Marshal(r)
	require.NoError(t, err)
	var line map[string]any
	require.NoError(t, json.Unmarshal(text, &line))
	require.Equal(t, "moving", line["dataset"])
	require.Equal(t, []any{"flat"}, line["not_scored"])
	require.Equal(t, []any{"11:90"}, line["too_long"])
	require.Equal(t, map[string]any{"3:90": 10.}, line["cut_to"])
	require.Equal(t, 1, r.Horizons[2].Windows, "only the longest trajectory")
	require.InDelta(t, away(1), line["horizons"].(map[string]any)["1"].(map[string]any)["persistence"], 1e-6)
}

// TestEvaluateDiverged: a forecast that diverges scores +Inf from that step on, which the
// result counts and its JSON shows as null.
func TestEvaluateDiverged(t *testing.T) {
	calls := 0
	fails := func(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
		frames, err := Persistence(w.Frames, steps)
		if calls++; calls%3 == 0 && steps > 3 {
			return frames[:3], fmt.Errorf("window %s: %w", w.Name, &walrus.DivergedError{Step: 4})
		}
		return frames, err
	}
	p := Protocol{Input: 2, Horizons: []Horizon{{1, 2}, {1, 3}, {2, 5}, {5, 5}}, Windows: 3}
	r, err := Evaluate(context.Background(), moving(t, 12), map[string]Forecast{"model": fails, "persistence": Baselines()["persistence"]}, p)
	require.NoError(t, err)
	for i, to := range []int{2, 3, 5, 5} {
		h := r.Horizons[i]
		score, want := h.Scores["model"], h.Scores["persistence"]
		require.InDelta(t, want.Median, score.Median, 1e-6, "two of three windows are finite")
		if to <= 3 {
			require.Empty(t, h.Diverged)
			require.InDelta(t, want.Mean, score.Mean, 1e-6)
			continue
		}
		require.Equal(t, map[string]Divergences{"model": {Windows: 1, FirstStep: 4}}, h.Diverged)
		require.True(t, math.IsInf(score.Mean, 1) && math.IsInf(score.Std, 1), "%v", score)
	}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(text), `"diverged":{"2:5":{"model":{"windows":1,"first_step":4}},"5":{"model":{"windows":1,"first_step":4}}}`)

	always := func(context.Context, *data.Window, int) ([][]float32, error) { return nil, walrus.ErrDiverged }
	p.Ensembles = map[string]EnsembleForecast{"members": func(context.Context, *data.Window, int) iter.Seq2[Distribution, error] {
		return yieldOne(Distribution{}, walrus.ErrDiverged)
	}}
	r, err = Evaluate(context.Background(), moving(t, 12), map[string]Forecast{"model": always}, p)
	require.NoError(t, err)
	require.Equal(t, map[string]Divergences{"model": {Windows: 3, FirstStep: 1}, "members": {Windows: 3, FirstStep: 1}}, r.Horizons[0].Diverged)
	text, err = json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(text), `"1:2":{"members":null,"model":null}`)
	text, err = json.Marshal(r.Horizons[0].Scores["model"])
	require.NoError(t, err)
	require.JSONEq(t, `{"median":null,"mean":null,"std":null,"fields":{"wave":null}}`, string(text))
}

// TestEvaluateProgress: counts start at 0, rise with every Step and every forecast, and
// end at the total.
func TestEvaluateProgress(t *testing.T) {
	forecasters := map[string]Forecast{
		"slow": func(ctx context.Context, w *data.Window, steps int) ([][]float32, error) {
			for range steps {
				Step(ctx)
			}
			return Persistence(w.Frames, steps)
		},
		"fast": Baselines()["persistence"],
	}
	p := Protocol{Input: 2, Horizons: []Horizon{{1, 1}, {2, 4}, {11, 90}}, Windows: 3}
	require.Equal(t, 3*1+3*4, p.Frames(moving(t, 12, 9)))
	var seen []int
	p.Progress = func(done, total int) {
		require.Equal(t, 2*15, total)
		seen = append(seen, done)
	}
	_, err := Evaluate(context.Background(), moving(t, 12, 9), forecasters, p)
	require.NoError(t, err)
	require.True(t, slices.IsSorted(seen), "%v", seen)
	require.Equal(t, 0, seen[0])
	require.Equal(t, 30, seen[len(seen)-1])
	require.Len(t, slices.Compact(seen), 1+15+6, "every frame of slow, every forecast of fast")
	Step(context.Background()) // outside an evaluation
	require.Zero(t, Protocol{Windows: -1}.Frames(moving(t, 12)))
}

func TestEvaluateErrors(t *testing.T) {
	fails := map[string]Forecast{"model": func(context.Context, *data.Window, int) ([][]float32, error) { return nil, errors.New("no") }}
	_, err := Evaluate(context.Background(), moving(t, 9), fails, Protocol{Input: 2})
	require.ErrorContains(t, err, "eval: data set moving: steps 1: model: no")
	fails["model"] = func(context.Context, *data.Window, int) ([][]float32, error) { return [][]float32{{1}}, nil }
	_, err = Evaluate(context.Background(), moving(t, 9), fails, Protocol{Input: 2})
	require.ErrorContains(t, err, "expected 32 values, got 1")
	_, err = Evaluate(context.Background(), moving(t, 5, 4), Baselines(), Protocol{Input: 6})
	require.ErrorContains(t, err, "expected a trajectory of 6 frames of history and at least 1 to forecast, got at most 5 frames in all")
	_, err = Evaluate(context.Background(), moving(t, 9), fails, Protocol{Input: 1})
	require.ErrorContains(t, err, "expected 2 to 16777216 frames of history")
}

func TestParseHorizons(t *testing.T) {
	h, err := ParseHorizons("1, 1:20,21:60")
	require.NoError(t, err)
	require.Equal(t, PaperHorizons(), h)
	for _, bad := range []string{"", "0", "3:2", "a", "1:b"} {
		_, err := ParseHorizons(bad)
		require.ErrorContains(t, err, "expected steps such as 1 or 21:60", bad)
	}
}

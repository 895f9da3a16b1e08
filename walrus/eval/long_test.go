package eval

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

func TestCorrelation(t *testing.T) {
	pred, ref := pair(300)
	v := naively(pred, ref)
	got, err := Correlation(pred, ref)
	require.NoError(t, err)
	require.InDelta(t, v.cov*300/299/(v.sx*v.sy), got, 1e-12)
	got, err = Correlation(ref, ref)
	require.NoError(t, err)
	require.InDelta(t, 1, got, 1e-12)
	got, err = Correlation(make([]float32, 300), ref)
	require.NoError(t, err)
	require.Zero(t, got)
	_, err = Correlation(ref, make([]float32, 300))
	require.ErrorContains(t, err, "the truth does not vary")
}

func TestDrift(t *testing.T) {
	got, err := Drift([]float32{5, 5, 6, 8}, []float32{3, 3, 4, 4})
	require.NoError(t, err)
	require.InDelta(t, 2.5/math.Sqrt(12.5), got, 1e-12)
	_, err = Drift([]float32{1, 1}, []float32{0, 0})
	require.Error(t, err)
}

// TestEvaluateLong measures forecasts of a moving wave whose behaviour is known: persistence
// falls out of phase, one forecast drifts, one fills with short waves, one diverges.
func TestEvaluateLong(t *testing.T) {
	exact := func(w *data.Window, k int) []float32 {
		last, frame := w.Frames[len(w.Frames)-1], make([]float32, 32)
		for x := range 16 {
			frame[x] = last[(x-k+16)%16]
		}
		return frame
	}
	with := func(change func(k, x int) float64, most int) Forecast {
		return func(_ context.Context, w *data.Window, steps int) (out [][]float32, err error) {
			for k := 1; k <= steps; k++ {
				if k > most {
					return out, walrus.ErrDiverged
				}
				f := exact(w, k)
				for x := range 16 {
					f[x] += float32(change(k, x))
				}
				out = append(out, f)
			}
			return out, nil
		}
	}
	forecasters := map[string]Forecast{
		"persistence": Baselines()["persistence"],
		"exact":       with(func(int, int) float64 { return 0 }, 99),
		"drifts":      with(func(k, _ int) float64 { return 0.1 * float64(k) }, 99),
		// The limit is 10·0.001·½ = 0.005: the amplitude passes √0.005 = 0.071 at step 4.
		"rough":    with(func(k, x int) float64 { return 0.01 * math.Pow(2, float64(k-1)) * (1 - 2*float64(x%2)) }, 99),
		"diverges": with(func(int, int) float64 { return 0 }, 2),
	}
	r, err := Evaluate(context.Background(), moving(t, 9), forecasters, Protocol{Input: 2, Horizons: []Horizon{{2, 5}}, Long: &Long{Bands: 3}})
	require.NoError(t, err)
	long := r.Horizons[0].Long
	require.Len(t, long, len(forecasters))
	for name, l := range long {
		require.Equal(t, SpectrumEdges([]int{16}, 3), l.Edges)
		require.Len(t, l.Fields, 1)
		f := l.Fields["wave"]
		for s := range 5 {
			require.InDeltaSlice(t, []float64{0.5, 0, 0}, f.TruePower[s], 1e-7)
			require.InDelta(t, 0, f.TrueDrift[s], 1e-7)
			if name == "exact" || name == "diverges" && s < 2 {
				require.InDelta(t, 1, f.Correlation[s], 1e-6)
				require.InDeltaSlice(t, []float64{0.5, 0, 0}, f.Power[s], 1e-7)
			}
		}
	}
	never := math.Inf(1)
	for name, want := range map[string][2]float64{"persistence": {2, never}, "exact": {never, never}, "drifts": {never, never}, "rough": {never, 4}, "diverges": {3, 3}} {
		f := long[name].Fields["wave"]
		require.Equal(t, want, [2]float64{f.Decorrelation, f.Blowup}, name)
	}
	require.Equal(t, 4, long["rough"].Fields["wave"].BlowupFirst)
	require.Zero(t, long["exact"].Fields["wave"].BlowupFirst)
	for s := range 5 {
		require.InDelta(t, math.Cos(2*math.Pi*float64(s+1)/16), long["persistence"].Fields["wave"].Correlation[s], 1e-6)
		require.InDelta(t, 0.1*float64(s+1)/math.Sqrt(0.5), long["drifts"].Fields["wave"].Drift[s], 1e-6)
		require.InDelta(t, 1e-4*math.Pow(4, float64(s)), long["rough"].Fields["wave"].Power[s][2], 1e-7)
	}
	require.True(t, math.IsNaN(long["diverges"].Fields["wave"].Correlation[2]))
	require.True(t, math.IsNaN(long["diverges"].Fields["wave"].Power[4][0]))

	text, err := json.Marshal(r)
	require.NoError(t, err)
	var line struct {
		Long map[string]map[string]map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &line))
	require.Equal(t, 4., line.Long["2:5"]["rough"]["wave"]["blowup"])
	require.Nil(t, line.Long["2:5"]["exact"]["wave"]["blowup"])
	text, err = json.Marshal(long["diverges"])
	require.NoError(t, err)
	require.Contains(t, string(text), `"correlation":[`)
}

func TestLongErrors(t *testing.T) {
	for want, l := range map[string]Long{
		"expected 1 to 16777216 bands, got -1":       {Bands: -1},
		"expected a correlation above 0":             {Correlation: 2},
		"expected a factor of the blow-up above 1":   {Blowup: 0.5},
		"expected a factor of the blow-up above 1, ": {Blowup: math.Inf(1)},
	} {
		_, err := Evaluate(context.Background(), moving(t, 9), Baselines(), Protocol{Input: 2, Long: &l})
		require.ErrorContains(t, err, want)
	}
}

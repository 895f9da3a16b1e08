package eval_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	plane := &data.Window{
		Name: "tank", Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}, Grid: []int{3, 2},
		Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)},
	}
	for i := range 6 {
		frame := make([]float32, 18)
		for k := range frame {
			frame[k] = float32(i*k%7) + 1
		}
		plane.Frames = append(plane.Frames, frame)
	}
	set, err := data.NewMemory("tanks", []*data.Window{plane, plane})
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs: []any{eval.BandIntervals, eval.Baselines, eval.CRPS, eval.Calibrate, eval.CentralInterval, eval.Correlation, eval.Drift, eval.EnergyScore, eval.Evaluate, eval.EvaluateWindow, eval.FairCRPS, eval.IntervalCoverage, eval.Intervals, eval.IntervalBounds, eval.Linear, eval.Linf, eval.MAE, eval.MSE, eval.Mean, eval.MeanFields,
			eval.Median, eval.Members, eval.Model, eval.NMAE, eval.NMSE, eval.NRMSE, eval.PaperHorizons, eval.ParseHorizons, eval.PearsonR, eval.PerStep,
			eval.Persistence, eval.PowerSpectrum, eval.RMSE, eval.RankHistogram, eval.RecordFamiliarity, eval.FamiliarityOf, eval.SpectralError, eval.SpectrumEdges, eval.Split, eval.SpreadSkill, eval.Step, eval.VMSE, eval.VRMSE, eval.WithEps},
		Types: []any{new(eval.EnsembleScore), new(eval.Horizon), new(eval.Long), new(eval.LongField), new(eval.LongResult), new(eval.Protocol), new(eval.Result), new(eval.Score)},
		Values: []any{plane, set, plane.Frames, plane.Frames[0], []float32{1, 2, 3, 4, 5, 6}, []int{3, 2}, eval.Metric(eval.MSE), eval.Baselines(),
			eval.Protocol{Input: 2, Windows: 1, Horizons: []eval.Horizon{{From: 1, To: 2}}}},
		Strings: []string{"1:20", "1,1:20", "persistence"},
	})
}

package eval_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

var truth, forecast = []float32{1, 2, 3, 4}, []float32{1.1, 2.1, 2.9, 4.1}

// The metrics in units of the field.
func ExampleMetric() {
	for _, m := range []struct {
		name   string
		metric eval.Metric
	}{{"MSE", eval.MSE}, {"RMSE", eval.RMSE}, {"MAE", eval.MAE}, {"Linf", eval.Linf}} {
		v, err := m.metric(forecast, truth)
		fmt.Printf("%s %.3f %v\n", m.name, v, err)
	}
	_, err := eval.MAE(forecast, truth[:3])
	fmt.Println(err)
	_, err = eval.MAE([]float32{1, float32(math.NaN())}, []float32{1, 2})
	fmt.Println(err)
	// Output:
	// MSE 0.010 <nil>
	// RMSE 0.100 <nil>
	// MAE 0.100 <nil>
	// Linf 0.100 <nil>
	// eval: expected forecast and truth of one length, got 4 and 3
	// eval: forecast: expected finite values, got NaN at point 1
}

// The metrics relative to the truth.
func ExampleEpsMetric() {
	for _, m := range []struct {
		name   string
		metric eval.EpsMetric
	}{{"VMSE", eval.VMSE}, {"VRMSE", eval.VRMSE}, {"NMSE", eval.NMSE}, {"NRMSE", eval.NRMSE}, {"NMAE", eval.NMAE}, {"PearsonR", eval.PearsonR}} {
		v, err := m.metric(forecast, truth, eval.DefaultEps)
		fmt.Printf("%s %.4f %v\n", m.name, v, err)
	}
	_, err := eval.VRMSE(forecast, []float32{2, 2, 2, 2}, 0)
	fmt.Println(err)
	// Output:
	// VMSE 0.0060 <nil>
	// VRMSE 0.0775 <nil>
	// NMSE 0.0013 <nil>
	// NRMSE 0.0365 <nil>
	// NMAE 0.0400 <nil>
	// PearsonR 0.7478 <nil>
	// eval: the truth does not vary (or is zero) and eps is 0: the metric is undefined
}

func ExampleWithEps() {
	metric := eval.WithEps(eval.VRMSE, 1e-3)
	v, err := metric(forecast, truth)
	fmt.Printf("%.4f %v\n", v, err)
	// Output: 0.0774 <nil>
}

// Linear is a baseline that every forecast has to beat.
func ExampleLinear() {
	history := [][]float32{{0, 5}, {1, 5}}
	on, err := eval.Linear(history, 2)
	fmt.Println(on, err)
	_, err = eval.Linear(history[:1], 2)
	fmt.Println(err)
	// Output:
	// [[2 5] [3 5]] <nil>
	// eval: history: expected at least 2 frames, got 1
}

func ExamplePersistence() {
	same, err := eval.Persistence([][]float32{{0, 5}, {1, 5}}, 2)
	fmt.Println(same, err)
	// Output: [[1 5] [1 5]] <nil>
}

func ExampleMedian() {
	scores := []float64{0.3, 0.1, 9}
	fmt.Printf("%.1f %.2f\n", eval.Median(scores), eval.Mean(scores))
	// Output: 0.3 3.13
}

func ExampleMeanFields() {
	fmt.Println(eval.MeanFields([][]float64{{1, 3}, {2, 2}}))
	// Output: [2 2]
}

// The scores of a rollout of ten steps in log-spaced intervals, as in the paper's
// figures.
func ExampleSplit() {
	var table [][]float64
	for step := range 10 {
		table = append(table, []float64{float64(step), 0})
	}
	parts, all, err := eval.Split(table, eval.DefaultIntervals)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range parts {
		fmt.Println(p.From, p.To, p.Fields, p.Full)
	}
	fmt.Println(all.From, all.To, all.Full)
	// Output:
	// 0 1 [0 0] 0
	// 1 3 [1.5 0] 0.75
	// 3 5 [3.5 0] 1.75
	// 5 10 [7 0] 3.5
	// 0 10 2.25
}

func ExampleParseHorizons() {
	horizons, err := eval.ParseHorizons("1,1:20,21:60")
	fmt.Println(horizons, err)
	_, err = eval.ParseHorizons("20:1")
	fmt.Println(err)
	fmt.Println(eval.PaperHorizons())
	// Output:
	// [1 1:20 21:60] <nil>
	// eval: horizons: expected steps such as 1 or 21:60, got "20:1"
	// [1 1:20 21:60]
}

// ramp returns a data set of one trajectory in which every point grows at its own rate.
func ramp() data.Dataset {
	w := &data.Window{Name: "ramp", Grid: []int{1, 4}, Fields: []data.Field{{Name: "u"}},
		Boundaries: data.Boundaries{data.Both(data.Open), data.Both(data.Open)}}
	for t := range 12 {
		f := make([]float32, 4)
		for i := range f {
			f[i] = float32(i * (t + 1))
		}
		w.Frames = append(w.Frames, f)
	}
	ds, err := data.NewMemory("ramp", []*data.Window{w})
	if err != nil {
		log.Fatal(err)
	}
	return ds
}

// A forecaster is a function; an emulator's Forecast is one.
func ExampleEvaluate() {
	forecasters := eval.Baselines()
	forecasters["half"] = func(_ context.Context, history *data.Window, steps int) ([][]float32, error) {
		on, err := eval.Linear(history.Frames, steps)
		if err != nil {
			return nil, err
		}
		same, err := eval.Persistence(history.Frames, steps)
		for t := range on {
			for i := range on[t] {
				on[t][i] = (on[t][i] + same[t][i]) / 2
			}
		}
		return on, err
	}
	r, err := eval.Evaluate(context.Background(), ramp(), forecasters, eval.Protocol{
		Input: 2, Horizons: []eval.Horizon{{From: 1, To: 1}, {From: 1, To: 5}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range r.Horizons {
		fmt.Printf("%v: %d places, linear %.3f, half %.3f, persistence %.3f\n", h.Horizon, h.Windows,
			h.Scores["linear"].Median, h.Scores["half"].Median, h.Scores["persistence"].Median)
	}
	// Output:
	// 1: 10 places, linear 0.000, half 0.097, persistence 0.194
	// 1:5: 6 places, linear 0.000, half 0.275, persistence 0.549
}

// A result is one line of JSON.
func ExampleResult() {
	r, err := eval.Evaluate(context.Background(), ramp(), map[string]eval.Forecast{"linear": eval.Baselines()["linear"]}, eval.Protocol{
		Input: 2, Horizons: []eval.Horizon{{From: 1, To: 40}, {From: 41, To: 60}},
	})
	if err != nil {
		log.Fatal(err)
	}
	line, err := json.Marshal(r)
	fmt.Println(string(line), err)
	// Output: {"dataset":"ramp","horizons":{"1:40":{"linear":0}},"cut_to":{"1:40":10},"too_long":["41:60"]} <nil>
}

func ExampleBaselines() {
	w := &data.Window{Frames: [][]float32{{1}, {3}}}
	for _, name := range []string{"persistence", "linear"} {
		f, err := eval.Baselines()[name](context.Background(), w, 2)
		fmt.Println(name, f, err)
	}
	// Output:
	// persistence [[3] [3]] <nil>
	// linear [[5] [7]] <nil>
}

// waves returns a long wave and a short one of half its height on 32 points.
func waves(short float64) []float32 {
	f := make([]float32, 32)
	for i := range f {
		f[i] = float32(math.Sin(2*math.Pi*float64(i)/32) + short*math.Sin(2*math.Pi*float64(i)/4))
	}
	return f
}

func ExamplePowerSpectrum() {
	s, err := eval.PowerSpectrum(waves(0.5), []int{32}, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("edges %.3f\npower %.3f\n", s.Edges, s.Power)
	// Output:
	// edges [0.031 0.125 0.500]
	// power [0.500 0.125]
}

// The forecast has lost the short waves and keeps the long ones.
func ExampleSpectralError() {
	e, err := eval.SpectralError(waves(0), waves(0.5), []int{32}, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", e)
	// Output: [0.000 1.000]
}

func ExampleSpectrumEdges() {
	fmt.Printf("%.4f\n", eval.SpectrumEdges([]int{64, 32}, 5))
	// Output: [0.0156 0.0313 0.0625 0.1250 0.2500 0.5000]
}

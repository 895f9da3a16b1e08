package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/picture"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// forecast is a rollout with the truth and two baselines: the last frame repeated
// (persistence), and the last change repeated (linear extrapolation).
type forecast struct {
	run                 *data.Window
	truth, frames       [][]float32
	vrmse               []float64 // per step, mean over the fields
	persistence, linear []float64
}

// predict makes a rollout of the unseen run and scores it.
func predict(ctx context.Context, w *walrus.Weights, run *data.Window, b compute.Backend, o options, stderr io.Writer) (*forecast, error) {
	em, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Seed: o.seed})
	if err != nil {
		return nil, err
	}
	defer em.Close()
	seen, err := run.Slice(first-history, first)
	if err != nil {
		return nil, err
	}
	f := &forecast{run: run, truth: run.Frames[first : first+o.steps]}
	m := meter.New(stderr, "forecast", "frames")
	defer m.Close()
	m.SetInt(0, o.steps)
	for frame, err := range em.Rollout(ctx, seen, o.steps) {
		if err != nil {
			return nil, err
		}
		m.SetInt(frame.Step, o.steps)
		f.frames = append(f.frames, frame.Values)
	}
	last, err := eval.Persistence(seen.Frames, o.steps)
	if err != nil {
		return nil, err
	}
	line, err := eval.Linear(seen.Frames, o.steps)
	if err != nil {
		return nil, err
	}
	for _, s := range []struct {
		frames [][]float32
		into   *[]float64
	}{{f.frames, &f.vrmse}, {last, &f.persistence}, {line, &f.linear}} {
		if *s.into, err = f.score(s.frames); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// score returns the VRMSE of every step, the mean over the fields.
func (f *forecast) score(frames [][]float32) ([]float64, error) {
	table, err := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), frames, f.truth, len(f.run.Channels(false)))
	if err != nil {
		return nil, err
	}
	return eval.MeanFields(table), nil
}

// draw writes the pictures.
func (f *forecast) draw(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	panels, err := picture.CompareRollout(picture.Rollout{
		H: f.run.Grid[0], W: f.run.Grid[1], Names: f.run.Channels(false),
		Truth: f.truth, Forecast: f.frames, Title: "unseen run", Scale: 4, Smooth: true,
		Times: f.run.Times[first : first+len(f.truth)],
	})
	if err != nil {
		return err
	}
	if err := picture.PNG(filepath.Join(dir, "step1.png"), panels[0]); err != nil {
		return err
	}
	if err := picture.GIF(filepath.Join(dir, "forecast.gif"), panels, 200*time.Millisecond); err != nil {
		return err
	}
	return picture.PNG(filepath.Join(dir, "vrmse.png"), picture.Chart{
		Title: "error of the forecast", XLabel: "step", YLabel: "VRMSE", LogY: true, Width: 720, Height: 420,
		Lines: []picture.Line{{Name: "walrus", Values: f.vrmse}, {Name: "persistence", Values: f.persistence},
			{Name: "linear", Values: f.linear}},
	})
}

// report prints the table, a verdict and the JSON line.
func (f *forecast) report(w io.Writer, seed uint64, took time.Duration) error {
	fmt.Fprintln(w, "VRMSE (0 is perfect, 1 is as good as the mean of the frame)")
	fmt.Fprintln(w, "step     walrus   persistence   linear")
	for i := range f.vrmse {
		fmt.Fprintf(w, "%4d   %8.3f   %11.3f   %6.3f\n", i+1, f.vrmse[i], f.persistence[i], f.linear[i])
	}
	n := min(10, len(f.vrmse))
	mean := func(v []float64) float64 { return eval.Mean(v[:n]) }
	fmt.Fprintf(w, "mean of the first %d: %.3f   %.3f   %.3f\n", n, mean(f.vrmse), mean(f.persistence), mean(f.linear))
	better := f.vrmse[0] < min(f.persistence[0], f.linear[0]) && mean(f.vrmse) < min(mean(f.persistence), mean(f.linear))
	fmt.Fprintf(w, "beats both, at one step and in the mean: %v\n\n", better)
	return json.NewEncoder(w).Encode(struct {
		Seed        uint64    `json:"seed"`
		Seconds     float64   `json:"seconds"`
		VRMSE       []float64 `json:"vrmse"`
		Persistence []float64 `json:"persistence"`
		Linear      []float64 `json:"linear"`
	}{seed, round(took.Seconds(), 1), rounded(f.vrmse), rounded(f.persistence), rounded(f.linear)})
}

func rounded(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = round(x, 5)
	}
	return out
}

func round(x float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(x*p) / p
}

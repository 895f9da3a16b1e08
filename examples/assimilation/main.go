// Command assimilation recovers the state of a system from noisy values at 5 % of the points
// of six forecast steps, by variational assimilation (4D-Var):
//
//	GOEXPERIMENT=simd go run ./examples/assimilation -data testdata/data/rayleigh_benard
//
// The first guess has a smooth error, a sum of cosines. L-BFGS minimises ½|z|² +
// ½ Σ ((forecast − observed)/deviation)² over their amplitudes z.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/objective"
)

const (
	history             = 6               // frames of the window
	noise, model, wrong = 0.01, 0.05, 0.1 // errors of observations, forecast and guess, as parts of a field's range
)

var observed, horizon = 6, 10 // steps with observations, and steps that are scored

func main() {
	path := flag.String("data", "testdata/data/rayleigh_benard", "a data set in 2D")
	iterations := flag.Int("iterations", 15, "iterations of L-BFGS")
	out := flag.String("out", "assimilation.png", "picture of the initial state: true, found, difference")
	flag.Parse()
	if err := run(context.Background(), *path, *iterations, *out, os.Stdout); err != nil {
		log.Fatal("assimilation: ", err)
	}
}

func run(ctx context.Context, path string, iterations int, file string, out io.Writer) error {
	b, err := backend.Default() // GOMLX_BACKEND, an installed XLA plugin, or pure Go
	if err != nil {
		return err
	}
	em, err1 := nano.Load(walrus.EmulatorOptions{Backend: b})
	ds, err2 := well.Open(path, well.Options{Split: "test"})
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	defer em.Close()
	defer ds.Close()
	truth, err := ds.Read(ctx, data.Span{Start: 2, Stride: 1, Frames: history + horizon}, nil)
	if err != nil {
		return err
	}
	rng, right := rand.New(rand.NewPCG(1, 1)), *truth
	right.Frames, right.Times, right.Scalars = truth.Frames[:history], nil, nil
	channels := truth.Channels(false)
	control, err := objective.NewCosines(&right, 6, wrong)
	if err != nil {
		return err
	}
	z := make([]float64, control.Size())
	for i := range z {
		z[i] = rng.NormFloat64()
	}
	guess, err := control.Add(&right, z)
	if err != nil {
		return err
	}
	var all []objective.Observations
	for i := range observed * len(channels) {
		c, step := i%len(channels), 1+i/len(channels)
		u := truth.Frames[history+step-1][c*truth.Points() : (c+1)*truth.Points()]
		size := float64(slices.Max(u) - slices.Min(u))
		o := objective.Observations{Region: objective.Region{Channel: channels[c], Step: step, Points: rng.Perm(len(u))[:len(u)/20]}, Deviation: math.Hypot(noise, model) * size}
		for _, p := range o.Points {
			o.Values = append(o.Values, u[p]+float32(noise*size*rng.NormFloat64()))
		}
		all = append(all, o)
	}
	first := slices.Clone(all[:len(channels)]) // of step 1, compared with the last frame of the window
	for i := range first {
		first[i].Step = 0
	}
	interpolated, err1 := assimilate(ctx, em, guess, control, first, 0, iterations)
	analysis, err2 := assimilate(ctx, em, guess, control, all, observed, iterations)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for i, w := range []*data.Window{guess, interpolated, analysis} {
		forecast, err1 := em.Forecast(ctx, w, horizon)
		state, err2 := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), w.Frames, right.Frames, len(channels))
		ahead, err3 := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), forecast, truth.Frames[history:], len(channels))
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		fmt.Fprintf(out, "%-14s VRMSE of the window %.3f, of the forecast %.3f\n", []string{"guess", "interpolation", "4D-Var"}[i], eval.Mean(eval.MeanFields(state)), eval.Mean(eval.MeanFields(ahead)))
	}
	panels, err := picture.Compare(&right, analysis.Frames, picture.Options{Title: truth.Name})
	if err != nil {
		return err
	}
	return picture.PNG(file, panels[history-1])
}

// assimilate returns the window whose forecast of the given steps fits the observations.
func assimilate(ctx context.Context, em *walrus.Emulator, guess *data.Window, control *objective.Cosines, observations []objective.Observations, steps, iterations int) (*data.Window, error) {
	misfit, err := objective.Misfit(observations...)
	if err != nil {
		return nil, err
	}
	search := objective.NewSearch(func(z []float64) (float64, []float64, error) {
		w, err := control.Add(guess, z)
		if err != nil {
			return 0, nil, err
		}
		g, err := em.Gradient(ctx, w, steps, misfit, walrus.GradientOptions{})
		if err != nil {
			return 0, nil, err
		}
		slope, err := control.Pull(g.Frames)
		if err != nil {
			return 0, nil, err
		}
		floats.Add(slope, z)
		return g.Value + floats.Dot(z, z)/2, slope, nil
	})
	found, err := optimize.Minimize(optimize.Problem{Func: search.Value, Grad: search.Gradient}, make([]float64, control.Size()), &optimize.Settings{MajorIterations: iterations}, &optimize.LBFGS{})
	if search.Err() != nil || found == nil {
		return nil, errors.Join(search.Err(), err)
	}
	return control.Add(guess, found.X) // the best point, also if a line search failed
}

// Command source finds where a tracer was released into a known flow, from noisy readings of
// a few sensors some time later:
//
//	GOEXPERIMENT=simd go run ./examples/source
//
// For a guess of the source, a simulation gives the first six frames and the emulator forecasts
// the readings. The gradient of their misfit with respect to the frames comes from the emulator;
// two short simulations per coordinate say how the frames depend on it. The search starts
// from the best point of a coarse grid and continues with L-BFGS.
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

	"gonum.org/v1/gonum/optimize"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/objective"
)

const (
	points, history       = 32, 6 // per axis, and frames of the window
	sensors, noise, model = 40, 0.02, 0.05
	diffusivity           = 0.002
)

var steps = 6 // of the forecast

func main() {
	seed := flag.Uint64("seed", 1, "seed of flow, source and noise")
	tested := flag.Int("tested", 4, "points of the coarse grid along each axis")
	iterations := flag.Int("iterations", 10, "iterations of L-BFGS")
	out := flag.String("out", "source.png", "picture of the release: true, found, difference")
	flag.Parse()
	if err := run(context.Background(), *seed, *tested, *iterations, *out, os.Stdout); err != nil {
		log.Fatal("source: ", err)
	}
}

// release simulates frames after a release at p, in parts of the box.
func release(s *solve.System, flow []float32, p []float64, frames int) (*data.Window, error) {
	start := make([]float32, points*points)
	for i := range start {
		x, y := (float64(i/points)+0.5)/points-p[0], (float64(i%points)+0.5)/points-p[1]
		x, y = x-math.Round(x), y-math.Round(y) // the box is periodic
		start[i] = float32(math.Exp(-(x*x + y*y) / (2 * 0.08 * 0.08)))
	}
	run, err := s.StartFrom(nil, map[string]float64{"diffusivity": diffusivity}, solve.Initial{Frame: start, Constants: flow})
	w := &data.Window{Name: "release", Grid: s.Grid, Boundaries: s.Boundaries, Fields: s.Fields, Constants: flow}
	for ; err == nil && len(w.Frames) < frames; err = run.Advance(s.Interval) {
		frame := make([]float32, len(start))
		run.Frame(frame)
		w.Frames = append(w.Frames, frame)
	}
	return w, err
}

func run(ctx context.Context, seed uint64, tested, iterations int, file string, out io.Writer) error {
	b, err1 := backend.Default() // GOMLX_BACKEND, an installed XLA plugin, or pure Go
	system, err2 := solve.Lookup("advection_diffusion")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	em, err1 := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: seed})
	other, err2 := system.Start(nil, map[string]float64{"diffusivity": diffusivity}, rng)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	defer em.Close()
	flow := make([]float32, 2*points*points)
	other.Constants(flow)
	source := []float64{rng.Float64(), rng.Float64()}
	truth, err := release(system, flow, source, history+steps)
	if err != nil {
		return err
	}
	read := objective.Observations{Region: objective.Region{Channel: "concentration", Step: steps, Points: rng.Perm(points * points)[:sensors]}, Deviation: math.Hypot(noise, model)}
	for _, p := range read.Points {
		read.Values = append(read.Values, truth.Frames[history+steps-1][p]+float32(noise*rng.NormFloat64()))
	}
	misfit, err := objective.Misfit(read)
	if err != nil {
		return err
	}
	search := objective.NewSearch(func(p []float64) (float64, []float64, error) {
		w, err := release(system, flow, p, history)
		if err != nil {
			return 0, nil, err
		}
		g, err := em.Gradient(ctx, w, steps, misfit, walrus.GradientOptions{})
		if err != nil {
			return 0, nil, err
		}
		const h = 1e-3
		slope := make([]float64, 2)
		for i := range 4 {
			a, side := i/2, float64(1-2*(i%2))
			moved := []float64{p[0], p[1]}
			moved[a] += side * h
			w, err := release(system, flow, moved, history)
			if err != nil {
				return 0, nil, err
			}
			for t, frame := range g.Frames {
				for k, v := range frame {
					slope[a] += float64(v) * side * float64(w.Frames[t][k]) / (2 * h)
				}
			}
		}
		return g.Value, slope, nil
	})
	best, least := []float64{0.5, 0.5}, math.Inf(1)
	for i := range tested * tested {
		p := []float64{(float64(i/tested) + 0.5) / float64(tested), (float64(i%tested) + 0.5) / float64(tested)}
		if v := search.Value(p); v < least {
			best, least = p, v
		}
	}
	found, err := optimize.Minimize(optimize.Problem{Func: search.Value, Grad: search.Gradient}, best, &optimize.Settings{MajorIterations: iterations}, &optimize.LBFGS{})
	if search.Err() != nil || found == nil {
		return errors.Join(search.Err(), err)
	}
	x, y := found.X[0]-source[0], found.X[1]-source[1]
	fmt.Fprintf(out, "source %.3f, found %.3f, %.2f grid points away\n", source, found.X, points*math.Hypot(x-math.Round(x), y-math.Round(y)))
	guess, err := release(system, flow, found.X, 1)
	if err != nil {
		return err
	}
	truth.Frames = truth.Frames[:1]
	panels, err := picture.Compare(truth, guess.Frames, picture.Options{Title: "release"})
	if err != nil {
		return err
	}
	return picture.PNG(file, panels[0])
}

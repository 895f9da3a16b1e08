// Command source finds where a cloud was released into a known flow, from one later
// observation of its concentration:
//
//	GOEXPERIMENT=simd go run ./examples/source
//
// A solver makes the first frames of a cloud for any place of release, and walrus-nano
// forecasts the rest. A coarse scan and L-BFGS look for the place whose forecast is
// closest to the observed frame; its gradient passes through the forecast.
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

// history is the number of frames from the solver, steps that of the forecast, at the end
// of which the cloud is observed. places² places are tried for the start of the search.
const history, steps, places = 6, 3, 3

var values = map[string]float64{"diffusivity": 0.002}

func main() {
	seed := flag.Uint64("seed", 1, "seed of the flow and of the hidden place")
	iterations := flag.Int("iterations", 8, "iterations of L-BFGS")
	file := flag.String("out", "source.png", "picture: observed, forecast from the place found, difference")
	flag.Parse()
	if err := run(context.Background(), *seed, *iterations, *file, os.Stdout); err != nil {
		log.Fatal("source: ", err)
	}
}

// release is a flow into which clouds are released.
type release struct {
	*solve.System
	flow []float32
}

// window returns the first frames of a cloud with its centre at (x, y), in units of the box.
func (r *release) window(x, y float64, frames int) (*data.Window, error) {
	w := &data.Window{Name: r.Name, Grid: r.Grid, Boundaries: r.Boundaries, Fields: r.Fields, Constants: r.flow}
	cloud, n := make([]float32, w.Points()), float64(w.Grid[0])
	for p := range cloud {
		dx, dy := math.Remainder((float64(p/w.Grid[1])+0.5)/n-x, 1), math.Remainder((float64(p%w.Grid[1])+0.5)/n-y, 1)
		cloud[p] = float32(math.Exp(-(dx*dx + dy*dy) / (2 * 0.12 * 0.12)))
	}
	started, err := r.StartFrom(nil, values, solve.Initial{Frame: cloud, Constants: r.flow})
	for t := 0; t < frames && err == nil; t++ {
		w.Frames = append(w.Frames, make([]float32, len(cloud)))
		started.Frame(w.Frames[t])
		err = started.Advance(r.Interval)
	}
	return w, err
}

// pull returns the gradient by x and y, given the gradient by the first frames: it multiplies
// by the central differences of the frames.
func (r *release) pull(x, y float64, frames [][]float32) ([]float64, error) {
	const h = 0.005
	slope := make([]float64, 2)
	for axis, d := range [][2]float64{{h, 0}, {0, h}} {
		up, err1 := r.window(x+d[0], y+d[1], history)
		down, err2 := r.window(x-d[0], y-d[1], history)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		for t, frame := range frames {
			for p, v := range frame {
				slope[axis] += float64(v*(up.Frames[t][p]-down.Frames[t][p])) / (2 * h)
			}
		}
	}
	return slope, nil
}

func run(ctx context.Context, seed uint64, iterations int, file string, out io.Writer) error {
	b, err := backend.Default() // GOMLX_BACKEND, an installed XLA plugin, or pure Go
	if err != nil {
		return err
	}
	system, err := solve.Lookup("advection_diffusion")
	if err != nil {
		return err
	}
	rng, r := rand.New(rand.NewPCG(seed, 1)), &release{system, make([]float32, 2*system.Grid[0]*system.Grid[1])}
	drawn, err1 := system.Start(nil, values, rng)
	em, err2 := nano.Load(walrus.EmulatorOptions{Backend: b})
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	defer em.Close()
	drawn.Constants(r.flow)
	hidden := []float64{rng.Float64(), rng.Float64()}
	truth, err := r.window(hidden[0], hidden[1], history+steps)
	if err != nil {
		return err
	}
	misfit, err := objective.Misfit(objective.Observations{Region: objective.Region{Channel: "concentration", Step: steps}, Values: truth.Frames[history+steps-1]})
	if err != nil {
		return err
	}
	search := objective.NewSearch(func(at []float64) (float64, []float64, error) {
		w, err1 := r.window(at[0], at[1], history)
		g, err2 := em.Gradient(ctx, w, steps, misfit, walrus.GradientOptions{})
		if err := errors.Join(err1, err2); err != nil {
			return 0, nil, err
		}
		slope, err := r.pull(at[0], at[1], g.Frames)
		return g.Value, slope, err
	})
	start, best := make([]float64, 2), math.Inf(1)
	for i := range places * places {
		if at := []float64{float64(i/places) / places, float64(i%places) / places}; search.Value(at) < best {
			start, best = at, search.Value(at)
		}
	}
	found, err := optimize.Minimize(optimize.Problem{Func: search.Value, Grad: search.Gradient}, start, &optimize.Settings{MajorIterations: iterations}, &optimize.LBFGS{})
	if search.Err() != nil || found == nil {
		return errors.Join(search.Err(), err)
	}
	distance := func(at []float64) float64 {
		return math.Hypot(math.Remainder(at[0]-hidden[0], 1), math.Remainder(at[1]-hidden[1], 1))
	}
	fmt.Fprintf(out, "best of %d places: %.3f from the source, misfit %.2f\nafter L-BFGS: %.3f, %.2f\n", places*places, distance(start), best, distance(found.X), found.F)
	w, err1 := r.window(found.X[0], found.X[1], history)
	forecast, err2 := em.Forecast(ctx, w, steps)
	truth.Frames = truth.Frames[history:]
	panels, err3 := picture.Compare(truth, forecast, picture.Options{Title: "observed cloud"})
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	return picture.PNG(file, panels[steps-1])
}

// Command cache measures the loss of accuracy and the gain in speed of a KV cache:
// walrus-nano forecasts 60 steps of simulated runs that it has not seen, without a
// cache, with one that slides and is refreshed after some steps or never, and with one
// that grows. It also measures the accuracy of bfloat16, and of weights held in bfloat16 and int8.
//
//	go run ./experiments/cache -auto -out out/cache
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

const (
	history = 6
	steps   = 60
)

// mode is a way to forecast.
type mode struct {
	Name  string
	cache *walrus.Cache
	// precision is that of the arithmetic, weights that of the held weights.
	precision, weights walrus.Precision
	// same keeps the draws of the first step. It shows which part of a cache's error
	// comes from frozen draws.
	same bool
}

var modes = []mode{
	{Name: "no cache"},
	{Name: "no cache, same draws", same: true},
	{Name: "anew after 3", cache: &walrus.Cache{Refresh: 3}},
	{Name: "anew after 6", cache: &walrus.Cache{Refresh: 6}},
	{Name: "anew after 12", cache: &walrus.Cache{Refresh: 12}},
	{Name: "never anew", cache: &walrus.Cache{Refresh: -1}},
	{Name: "no cache, bfloat16", precision: walrus.BFloat16},
	{Name: "no cache, weights in bfloat16", weights: walrus.BFloat16},
	{Name: "no cache, weights in int8", weights: walrus.Int8},
	{Name: "growing", cache: &walrus.Cache{Frames: history + steps, Refresh: -1}},
}

// result is the result of one mode on one system.
type result struct {
	System, Mode string
	// VRMSE are medians by horizon. They do not count runs that diverge.
	VRMSE   map[string]float64
	Seconds float64 // of a step, with everything before the first step
	Lost    int     // runs that diverged
}

func main() {
	out := flag.String("out", "out/cache", "folder for the simulations and result.json")
	names := flag.String("systems", "gray_scott,euler_periodic,rayleigh_benard,acoustics,shallow_water,navier_stokes", "systems of data/solve")
	only := flag.String("modes", "", "modes to measure, separated by semicolons; none is all")
	runs := flag.Int("runs", 8, "simulated runs of each")
	auto := flag.Bool("auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	flag.Parse()
	if err := run(context.Background(), *out, strings.Split(*names, ","), *only, *runs, *auto); err != nil {
		fmt.Fprintln(os.Stderr, "cache:", err)
		os.Exit(1)
	}
}

// run measures all modes on all systems; bfloat16 exists on XLA only.
func run(ctx context.Context, out string, names []string, only string, runs int, auto bool) error {
	b, err := backend.Pick(auto)
	if err != nil {
		return err
	}
	var all []result
	for _, name := range names {
		ds, err := simulate(ctx, out, name, runs)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, m := range modes {
			if m.precision == walrus.BFloat16 && !strings.HasPrefix(b.Name(), "xla") {
				continue
			}
			if only != "" && !slices.Contains(strings.Split(only, ";"), m.Name) {
				continue
			}
			r, err := measure(ctx, b, ds, m)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", name, m.Name, err)
			}
			r.System = name
			all = append(all, r)
			fmt.Printf("| %s | %s | %.3f | %.3f | %.3f | %d | %.3f |\n", name, m.Name, r.VRMSE["1"], r.VRMSE["1:20"], r.VRMSE["21:60"], r.Lost, r.Seconds)
		}
		ds.Close()
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "result.json"), append(text, '\n'), 0o666)
}

// simulate makes runs of a system, or reads existing ones.
func simulate(ctx context.Context, out, name string, runs int) (*well.Dataset, error) {
	s, err := solve.Lookup(name)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(out, name)
	if _, err := os.Stat(dir); err != nil {
		if dir, err = solve.Simulate(ctx, solve.Options{System: s, Out: out, Test: runs, Frames: history + steps, Seed: 4711}); err != nil {
			return nil, err
		}
	}
	return well.Open(dir, well.Options{Split: "test"})
}

// measure forecasts from the first window of every run.
func measure(ctx context.Context, b compute.Backend, ds *well.Dataset, m mode) (result, error) {
	r := result{Mode: m.Name, VRMSE: map[string]float64{}}
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1, Cache: m.cache, Precision: m.precision, Weights: m.weights, Divergence: walrus.Divergence{Factor: -1}})
	if err != nil {
		return r, err
	}
	defer em.Close()
	scores := map[string][]float64{}
	for i := range ds.Trajectories() {
		w, err := ds.Read(ctx, data.Span{Trajectory: i, Stride: 1, Frames: history + steps}, nil)
		if err != nil {
			return r, err
		}
		seen, err := w.Slice(0, history)
		if err != nil {
			return r, err
		}
		if err := em.Prepare(seen); err != nil {
			return r, err
		}
		begin := time.Now()
		frames, err := m.forecast(ctx, em, seen)
		if err != nil {
			r.Lost++
			continue
		}
		r.Seconds += time.Since(begin).Seconds() / steps / float64(len(ds.Trajectories()))
		for _, h := range []eval.Horizon{{From: 1, To: 1}, {From: 1, To: 20}, {From: 21, To: steps}} {
			mean := 0.0
			for k := h.From; k <= h.To; k++ {
				v, err := vrmse(frames[k-1], w.Frames[history+k-1], w.Points())
				if err != nil {
					return r, err
				}
				mean += v / float64(h.To-h.From+1)
			}
			scores[h.String()] = append(scores[h.String()], mean)
		}
	}
	for h, list := range scores {
		r.VRMSE[h] = eval.Median(list)
	}
	return r, nil
}

// forecast returns all frames.
func (m mode) forecast(ctx context.Context, em *walrus.Emulator, seen *data.Window) ([][]float32, error) {
	if !m.same {
		return em.Forecast(ctx, seen, steps)
	}
	plan, err := em.Model().Plan(seen.Grid, seen.Boundaries)
	if err != nil {
		return nil, err
	}
	draws := slices.Repeat([]walrus.Draws{em.Model().Draw(rand.New(rand.NewPCG(1, 1)), plan)}, steps)
	var out [][]float32
	for frame, err := range em.Replay(ctx, seen, draws) {
		if err != nil {
			return nil, err
		}
		out = append(out, frame.Values)
	}
	return out, nil
}

// vrmse returns the mean over the channels.
func vrmse(pred, ref []float32, points int) (float64, error) {
	var all []float64
	for c := 0; c+points <= len(ref); c += points {
		v, err := eval.VRMSE(pred[c:c+points], ref[c:c+points], eval.DefaultEps)
		if err != nil {
			return 0, err
		}
		all = append(all, v)
	}
	return eval.Mean(all), nil
}

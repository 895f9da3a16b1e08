package solve

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// Options describes the data set that Simulate writes. Zero values of most fields mean the
// system's defaults.
type Options struct {
	System *System
	// Out is the folder in which the folder of the data set is created, named after the
	// system. It is an error if a split exists.
	Out string
	// Train, Valid and Test are the numbers of trajectories in each split.
	Train, Valid, Test int
	Grid               []int
	Frames             int
	Interval           float64
	// Fixed sets parameters to given values, instead of drawing them.
	Fixed map[string]float64
	// Seed determines all draws: the same options and seed give the same files for any
	// number of workers.
	Seed    uint64
	Workers int
	// Progress, if set, is called after every frame with the number of simulated frames and
	// their total. Calls do not overlap.
	Progress func(done, total int)

	step func() // called after every frame, possibly concurrently; may be nil
}

// splits names the splits in the order in which they get seeds.
var splits = []string{"train", "valid", "test"}

// Simulate simulates a system and writes a data set in The Well's layout: one file per
// split, and the stats.yaml of the training split. It returns the folder of the data set.
// If it fails or the context ends, it removes the incomplete split.
func Simulate(ctx context.Context, o Options) (string, error) {
	if err := o.System.check(); err != nil {
		return "", fmt.Errorf("solve: %w", err)
	}
	s := o.System
	if o.Grid == nil {
		o.Grid = s.Grid
	}
	if o.Frames == 0 {
		o.Frames = s.Frames
	}
	if o.Interval == 0 {
		o.Interval = s.Interval
	}
	counts := []int{o.Train, o.Valid, o.Test}
	if slices.Min(counts) < 0 || slices.Max(counts) == 0 || o.Frames < 1 || !(o.Interval > 0) || slices.Max(counts) > maxTrajectories || o.Frames > maxFrames {
		return "", fmt.Errorf("solve: %s: expected trajectories, frames and a time between them, got %v trajectories, %d frames and %v", s.Name, counts, o.Frames, o.Interval)
	}
	if err := s.checkGrid(o.Grid); err != nil {
		return "", fmt.Errorf("solve: %s: %w", s.Name, err)
	}
	if _, err := s.Draw(rand.New(rand.NewPCG(0, 0)), o.Fixed); err != nil {
		return "", fmt.Errorf("solve: %w", err)
	}
	dir := filepath.Join(o.Out, s.Name)
	o.step = o.counter(o.Frames * (o.Train + o.Valid + o.Test))
	for i, split := range splits {
		if counts[i] == 0 {
			continue
		}
		if err := o.split(ctx, dir, split, uint64(i), counts[i]); err != nil {
			return "", err
		}
	}
	if o.Train == 0 {
		return dir, nil
	}
	return dir, well.UpdateStatistics(ctx, dir)
}

// header returns the header of a file with n trajectories. The parameters are scalars,
// because they differ between trajectories.
func (o Options) header(n int) well.Header {
	s := o.System
	h := well.Header{Dataset: s.Name, Coordinates: s.Coordinates(o.Grid), Trajectories: n, Fields: s.Fields, Boundaries: s.Boundaries}
	for i := range o.Frames {
		h.Times = append(h.Times, float32(float64(i)*o.Interval))
	}
	for _, p := range s.Parameters {
		h.Scalars = append(h.Scalars, well.ScalarSpec{Name: p.Name, Constant: true})
	}
	return h
}

// split writes the file of one split. Trajectories are simulated in parallel and written in
// order, so that the file does not depend on scheduling.
func (o Options) split(ctx context.Context, dir, split string, number uint64, n int) (err error) {
	folder := filepath.Join(dir, "data", split)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("solve: %w", err)
	}
	w, err := well.Create(filepath.Join(folder, o.System.Name+".hdf5"), o.header(n), well.WriteOptions{})
	if err != nil {
		return fmt.Errorf("solve: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, release := o.compute(ctx, number, n)
	for i := range n {
		r := <-results[i]
		if r.err != nil {
			return fmt.Errorf("solve: split %s trajectory %d (seed %d): %w", split, i, o.Seed, r.err)
		}
		if err := r.write(w, o.System, i); err != nil {
			return err
		}
		release()
	}
	return w.Close()
}

// trajectory is the result of a simulation.
type trajectory struct {
	values    map[string]float64
	frames    [][]float32
	constants []float32
	err       error
}

// compute simulates n trajectories in parallel and returns one channel for each. The caller
// must call release after receiving each result: at most one trajectory per worker is being
// simulated or waits to be written.
func (o Options) compute(ctx context.Context, split uint64, n int) (out []chan trajectory, release func()) {
	workers := o.Workers
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, n)
	out = make([]chan trajectory, n)
	for i := range out {
		out[i] = make(chan trajectory, 1)
	}
	tokens := make(chan struct{}, workers)
	go func() {
		for i := range out {
			select {
			case tokens <- struct{}{}:
				go func() { out[i] <- o.simulate(ctx, split, uint64(i)) }()
			case <-ctx.Done():
				out[i] <- trajectory{err: ctx.Err()}
			}
		}
	}()
	return out, func() { <-tokens }
}

// simulate simulates one trajectory.
func (o Options) simulate(ctx context.Context, split, i uint64) (t trajectory) {
	s := o.System
	rng := rand.New(rand.NewPCG(o.Seed, split<<32|i))
	if t.values, t.err = s.Draw(rng, o.Fixed); t.err != nil {
		return t
	}
	run, err := s.Start(o.Grid, t.values, rng)
	if err != nil {
		return trajectory{err: err}
	}
	if o.step != nil {
		run = counted{run, o.step}
	}
	if t.frames, t.constants, err = record(ctx, s, o.Grid, run, o.Frames, o.Interval); err != nil {
		t.err = fmt.Errorf("%s: %w", s.Name, err)
	}
	return t
}

// record runs a simulation and returns n frames at the given interval, and the constant
// fields, nil if the system has none.
func record(ctx context.Context, s *System, grid []int, run Run, n int, interval float64) (frames [][]float32, constants []float32, err error) {
	w := data.Window{Fields: s.Fields, Grid: grid}
	variable, constant := len(w.Channels(false))*w.Points(), len(w.Channels(true))*w.Points()
	if constant > 0 {
		constants = make([]float32, constant)
		run.Constants(constants)
	}
	for k := range n {
		if err = ctx.Err(); err == nil && k > 0 {
			err = run.Advance(interval)
		}
		if err != nil {
			return nil, nil, err
		}
		frame := make([]float32, variable)
		run.Frame(frame)
		frames = append(frames, frame)
	}
	return frames, constants, nil
}

// write writes a trajectory.
func (t trajectory) write(w *well.Writer, s *System, i int) error {
	for k, frame := range t.frames {
		if err := w.Frame(i, k, frame); err != nil {
			return err
		}
	}
	if t.constants != nil {
		if err := w.Constants(i, t.constants); err != nil {
			return err
		}
	}
	for _, p := range s.Parameters {
		if err := w.Scalar(p.Name, i, []float32{float32(t.values[p.Name])}); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed/ladder"
	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// network returns the small network to measure: two blocks of one head with the paper's
// head width.
func network() walrus.Config {
	c := walrus.Walrus()
	c.Name, c.Hidden, c.Intermediate, c.Blocks, c.Heads, c.Groups = "two blocks of width 88", 88, 22, 2, 1, 2
	c.DropPath, c.CheckpointEvery = 0, 0
	return c
}

// measure times forward and backward pass of every system with adaptive patches and
// differential batches. Systems of equal shape are measured once; systems that the file
// holds already are skipped.
func measure(path string, systems []data.Entry, c walrus.Config, log io.Writer) error {
	b, err := backend.Default()
	if err != nil {
		return err
	}
	t := &ladder.Times{Config: c,
		Source: fmt.Sprintf("processor seconds, %s, %d cores, %s", b.Name(), runtime.NumCPU(), c.Name)}
	if old, err := ladder.ReadTimes(path); err == nil && old.Source == t.Source {
		t.Classes = old.Classes
	}
	known := map[string]float64{}
	form := ladder.Form{Adaptive: true, Differential: true}
	for _, e := range systems {
		if slices.ContainsFunc(t.Classes, func(c ladder.Time) bool { return c.System == e.Name && c.Form == form }) {
			continue
		}
		batch, err := draw(e, form)
		if err != nil {
			return err
		}
		w := batch.Windows[0]
		shape := fmt.Sprint(w.Grid, w.Boundaries, len(w.Channels(false)), len(w.Channels(true)), len(w.Frames), len(batch.Windows))
		seconds, ok := known[shape]
		if !ok {
			if seconds, err = step(b, c, batch); err != nil {
				return fmt.Errorf("%s: %w", e.Name, err)
			}
			known[shape] = seconds
			fmt.Fprintf(log, "%s %v T=%d B=%d: %.3f s\n", e.Name, e.Grid, len(w.Frames)-1, len(batch.Windows), seconds)
		}
		t.Classes = append(t.Classes, ladder.Time{System: e.Name, Form: form, Seconds: seconds})
	}
	if rates, off, err := t.Fit(); err != nil {
		fmt.Fprintln(log, err)
	} else {
		fmt.Fprintf(log, "dense %.3g, attention %.3g, convolutions %.3g operations per second; %.0f %% off\n",
			rates.Dense, rates.Attention, rates.Convolution, 100*off)
	}
	return t.Save(path)
}

// step returns the smallest time of two micro-batches after a warm-up. It counts CPU
// seconds of all cores together, which other programs on this machine disturb less than
// wall-clock time.
func step(b compute.Backend, c walrus.Config, batch *train.Batch) (float64, error) {
	w, err := walrus.InitWeights(c, 1)
	if err != nil {
		return 0, err
	}
	defer w.Finalize()
	tr, err := train.New(w, train.Options{Backend: b, Seed: 1})
	if err != nil {
		return 0, err
	}
	defer tr.Close()
	least := 0.0
	for i := range 3 {
		begin, err := processor()
		if err != nil {
			return 0, err
		}
		if _, err := tr.Accumulate(batch); err != nil {
			return 0, err
		}
		end, err := processor()
		if err != nil {
			return 0, err
		}
		if s := end - begin; i > 0 && (least == 0 || s < least) {
			least = s
		}
	}
	return least, nil
}

// processor returns the CPU seconds that this program has used.
func processor() (float64, error) {
	used, err := machine.Used()
	return used.CPU.Seconds(), err
}

// draw makes a micro-batch of noise in the shape of a data set.
func draw(e data.Entry, form ladder.Form) (*train.Batch, error) {
	fields, err := data.TransformFields(e.Fields, e.Transforms)
	if err != nil {
		return nil, err
	}
	steps, size := 3, 1
	if form.Differential {
		steps, size = e.History(), e.Batch()
	}
	rng := rand.New(rand.NewPCG(1, 1))
	noise := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = rng.Float32()
		}
		return v
	}
	batch := &train.Batch{}
	for range size {
		w := &data.Window{Name: e.Name, Fields: fields, Grid: e.Grid, Axes: e.Axes,
			Curvilinear: e.Curvilinear(), Boundaries: e.Boundaries}
		for range steps + 1 {
			w.Frames = append(w.Frames, noise(len(w.Channels(false))*w.Points()))
		}
		w.Constants = noise(len(w.Channels(true)) * w.Points())
		batch.Windows = append(batch.Windows, w)
	}
	return batch, nil
}

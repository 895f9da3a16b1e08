// Command rotation measures the effect of a rotated input on a network's forecast
// (package augment): a network that had learned the symmetry of the equations would
// forecast the rotated future. It trains the same small network on periodic
// compressible flow, unrotated and with every batch rotated at random. It compares
// forecasts of rotated windows, rotated back, with those of the original windows:
//
//	GOEXPERIMENT=simd go run ./experiments/rotation
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/train"
)

const history = 6

func main() {
	dir := flag.String("data", "testdata/data/euler_multi_quadrants_periodicBC", "2D data set of The Well")
	updates := flag.Int("updates", 400, "training updates of each network")
	flag.Parse()
	if err := run(*dir, *updates); err != nil {
		fmt.Fprintln(os.Stderr, "rotation:", err)
		os.Exit(1)
	}
}

func run(dir string, updates int) error {
	b, err := backend.Default()
	if err != nil {
		return err
	}
	fmt.Println("| network | VRMSE, one step | change of the forecast by quarter turns | by half turns | by reflections |")
	fmt.Println("|---|---|---|---|---|")
	for _, c := range []struct {
		name    string
		updates int
		turns   []augment.Rotation
	}{
		{"not trained", 0, nil},
		{"trained as it is", updates, []augment.Rotation{augment.Identity()}},
		{"trained on the 4 rotations", updates, augment.InPlane(augment.Rotations())},
		{"trained on the 8 symmetries of the square", updates, augment.InPlane(augment.Octahedral())},
	} {
		line, err := measure(dir, b, c.updates, c.turns)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %s |\n", c.name, line)
	}
	return nil
}

// measure trains a network and returns a line of the table.
func measure(dir string, b compute.Backend, updates int, turns []augment.Rotation) (string, error) {
	weights, err := fit(dir, b, updates, turns)
	if err != nil {
		return "", err
	}
	defer weights.Close()
	em, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: b, JitterOff: true})
	if err != nil {
		return "", err
	}
	defer em.Close()
	ds, err := well.Open(dir, well.Options{Split: "test"})
	if err != nil {
		return "", err
	}
	defer ds.Close()
	var score mean
	change := map[string]*mean{"quarter": {}, "half": {}, "mirror": {}}
	for trajectory := range ds.Trajectories() {
		for _, start := range []int{2, 8, 14, 20} {
			w, err := ds.Read(context.Background(), data.Span{Trajectory: trajectory, Start: start, Stride: 1, Frames: history + 1}, nil)
			if err != nil {
				return "", err
			}
			if err := compare(em, w, &score, change); err != nil {
				return "", err
			}
		}
	}
	parts := []string{fmt.Sprintf("%.3f", score.value())}
	for _, kind := range []string{"quarter", "half", "mirror"} {
		parts = append(parts, fmt.Sprintf("%.0f %%", 100*change[kind].value()))
	}
	return strings.Join(parts, " | "), nil
}

type mean struct{ sum, n float64 }

func (m *mean) add(v float64)  { m.sum, m.n = m.sum+v, m.n+1 }
func (m *mean) value() float64 { return m.sum / m.n }

// compare forecasts a window and its rotated versions.
func compare(em *walrus.Emulator, w *data.Window, score *mean, change map[string]*mean) error {
	past, err := w.Slice(0, history)
	if err != nil {
		return err
	}
	forecast, err := em.Emulate(context.Background(), past)
	if err != nil {
		return err
	}
	table, err := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), [][]float32{forecast}, w.Frames[history:], len(w.Channels(false)))
	if err != nil {
		return err
	}
	score.add(eval.Mean(table[0]))
	for _, turn := range augment.InPlane(augment.Octahedral()) {
		if turn == augment.Identity() {
			continue
		}
		turned, err := turn.Apply(past)
		if err != nil {
			return err
		}
		values, err := em.Emulate(context.Background(), turned)
		if err != nil {
			return err
		}
		future := *turned
		future.Frames, future.Times, future.Scalars = [][]float32{values}, nil, nil
		back, err := turn.Inverse().Apply(&future)
		if err != nil {
			return err
		}
		change[kindOf(turn)].add(difference(back.Frames[0], forecast, past.Frames[history-1]))
	}
	return nil
}

func kindOf(t augment.Rotation) string {
	switch {
	case !t.Proper():
		return "mirror"
	case t.Axes[0] == 0:
		return "half"
	}
	return "quarter"
}

// difference returns the size of the difference of two forecasts relative to the change
// that one of them forecasts.
func difference(a, b, last []float32) float64 {
	d, size := 0.0, 0.0
	for i := range a {
		d += math.Pow(float64(a[i]-b[i]), 2)
		size += math.Pow(float64(b[i]-last[i]), 2)
	}
	return math.Sqrt(d / size)
}

// fit trains a small network on random windows, each rotated by one of turns.
func fit(dir string, b compute.Backend, updates int, turns []augment.Rotation) (*walrus.Weights, error) {
	ds, err := well.Open(dir, well.Options{Split: "train"})
	if err != nil {
		return nil, err
	}
	defer ds.Close()
	windows, err := data.NewWindows(ds, data.Cut{Input: history, Output: 1})
	if err != nil {
		return nil, err
	}
	c := walrus.Micro()
	c.Registry = data.MustRegistry(ds.Metadata().Channels()...)
	c.Hidden, c.Blocks, c.Heads, c.Groups, c.Intermediate, c.Tokens = 64, 2, 4, 4, 32, [3]int{8, 8, 8}
	w, err := walrus.InitWeights(c, 1)
	if err != nil {
		return nil, err
	}
	tr, err := train.New(w, train.Options{Backend: b, Seed: 1})
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for update := range updates {
		sample, err := ds.Read(context.Background(), windows.Span(rng.IntN(windows.Len()), 1), nil)
		if err == nil {
			sample, err = augment.Random(rng, turns).Apply(sample)
		}
		if err != nil {
			return nil, err
		}
		rate := 2e-3 * min(1, float64(update+1)/50) * (1 + math.Cos(math.Pi*float64(update)/float64(updates))) / 2
		if _, err := tr.Step(&train.Batch{Windows: []*data.Window{sample}}, rate); err != nil {
			return nil, err
		}
	}
	return w, nil
}

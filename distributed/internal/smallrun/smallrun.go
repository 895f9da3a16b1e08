// Package smallrun provides a run of a few updates for tests with many devices or
// processes: two systems in memory with different boundaries and lengths.
package smallrun

import (
	"math"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Weights returns the weights of a fresh network.
func Weights() (*walrus.Weights, error) {
	c := walrus.Micro()
	c.Hidden, c.Blocks, c.Heads, c.Groups, c.Intermediate = 24, 1, 2, 2, 5
	c.Kernel, c.Tokens, c.DropPath = [2]int{4, 4}, [3]int{4, 4, 2}, 0
	c.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z")
	return walrus.InitWeights(c, 1)
}

// Options returns the options of a run of eight updates in dir, without backend and
// machine.
func Options(dir string) (train.RunOptions, error) {
	periodic, walled := data.Both(data.Periodic), data.Both(data.Wall)
	planes, err := waves("plane", []int{16, 16}, data.Boundaries{periodic, walled}, 6, 7)
	if err != nil {
		return train.RunOptions{}, err
	}
	closed, err := waves("box", []int{16, 8}, data.Boundaries{walled, walled}, 4)
	return train.RunOptions{
		Dir: dir, Epochs: 2, Updates: 4, Accumulate: 2, SaveEvery: 2,
		Trainer:  train.Options{Seed: 5, EMA: 0.9},
		Schedule: train.Schedule{Base: 1e-3, Warmup: 1, Cooldown: -1},
		Systems: []train.System{
			{Name: "plane", Train: planes, Valid: planes, Batch: 2, Cut: data.Cut{Input: 2, MaxStride: 2}},
			{Name: "box", Train: closed, Valid: closed, Batch: 1, Cut: data.Cut{Input: 2}},
		},
		Validation: train.Validation{Windows: 1},
	}, err
}

// Batch returns a micro-batch of one 2D window.
func Batch(group, micro int) *train.Batch {
	bcs := data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}
	return &train.Batch{Windows: []*data.Window{window("plane", []int{16, 16}, bcs, 3, 2*group+micro)}}
}

// waves returns a data set of moving waves with one trajectory for each number of
// frames.
func waves(name string, grid []int, bcs data.Boundaries, frames ...int) (*data.Memory, error) {
	var list []*data.Window
	for number, n := range frames {
		list = append(list, window(name, grid, bcs, n, number))
	}
	return data.NewMemory(name, list)
}

// window returns one trajectory.
func window(name string, grid []int, bcs data.Boundaries, frames, number int) *data.Window {
	w := &data.Window{Name: name, Grid: grid, Boundaries: bcs, Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	points := w.Points()
	for t := range frames {
		frame := make([]float32, len(w.Channels(false))*points)
		for i := range frame {
			c, p := i/points, i%points
			frame[i] = float32(math.Sin(0.3*float64(p) + float64(c+number) + 0.2*float64(t)*float64(c+1)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

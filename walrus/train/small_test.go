package train

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// smallConfig returns the preset micro with few tokens and few fields.
func smallConfig() walrus.Config {
	c := walrus.Micro()
	c.Tokens = [3]int{4, 4, 2}
	c.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z", "mask")
	return c
}

func newTrainer(t *testing.T, o Options) *Trainer {
	t.Helper()
	w, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	o.Backend = testbackend.New(t)
	tr, err := New(w, o)
	require.NoError(t, err)
	return tr
}

// waves returns a window of moving waves.
func waves(name string, grid []int, bcs data.Boundaries, frames int) *data.Window {
	w := &data.Window{Name: name, Grid: grid, Boundaries: bcs,
		Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	points := w.Points()
	for t := range frames {
		frame := make([]float32, len(w.Channels(false))*points)
		for i := range frame {
			c, p := i/points, i%points
			frame[i] = float32(math.Sin(0.3*float64(p) + float64(c) + 0.2*float64(t)*float64(c+1)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

var (
	periodic = data.Both(data.Periodic)
	walled   = data.Both(data.Wall)
)

func plane() *data.Window {
	return waves("plane", []int{16, 16}, data.Boundaries{periodic, walled}, 3)
}

func space() *data.Window {
	return waves("space", []int{8, 8, 8}, data.Boundaries{walled, walled, periodic}, 2)
}

// still returns a batch without random shifts.
func still(windows ...*data.Window) *Batch {
	return &Batch{Windows: windows, Draws: &walrus.Draws{}}
}

// snapshot copies all weights.
func snapshot(t *testing.T, w *walrus.Weights) map[string][]float32 {
	t.Helper()
	out := map[string][]float32{}
	for _, p := range w.Params() {
		x, ok := w.Tensor(p.Key)
		require.True(t, ok, p.Key)
		out[p.Key] = tensors.MustCopyFlatData[float32](x)
	}
	return out
}

// gradientsOf copies the gradients accumulated so far.
func gradientsOf(tr *Trainer) map[string][]float32 {
	out := map[string][]float32{}
	for key, g := range tr.groups[0].sums {
		out[key] = tensors.MustCopyFlatData[float32](g[0])
	}
	return out
}

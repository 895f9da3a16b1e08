package distributed_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
	"github.com/stretchr/testify/require"
)

// smallConfig returns a network of two blocks with few tokens and few fields.
func smallConfig() walrus.Config {
	c := walrus.Micro()
	c.Hidden, c.Blocks, c.Heads, c.Groups, c.Intermediate = 24, 2, 2, 2, 5
	c.Kernel, c.Tokens, c.DropPath = [2]int{4, 4}, [3]int{4, 4, 2}, 0
	c.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z")
	return c
}

func weights(t *testing.T) *walrus.Weights {
	t.Helper()
	w, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

var (
	periodic = data.Both(data.Periodic)
	walled   = data.Both(data.Wall)
)

// waves returns a window of waves whose phase and amplitude depend on number.
func waves(name string, grid []int, bcs data.Boundaries, frames, number int) *data.Window {
	w := &data.Window{Name: name, Grid: grid, Boundaries: bcs, Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	points := w.Points()
	for t := range frames {
		frame := make([]float32, len(w.Channels(false))*points)
		for i := range frame {
			c, p := i/points, i%points
			frame[i] = float32(math.Sin(0.3*float64(p) + float64(c+number) + 0.2*float64(t)*float64(c+1+number%3)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// planes returns a batch of a 2D system with draws that depend on number alone.
func planes(number, samples int) *train.Batch {
	b := &train.Batch{Draws: draws(number)}
	for i := range samples {
		b.Windows = append(b.Windows, waves("plane", []int{16, 16}, data.Boundaries{periodic, walled}, 3, 10*number+i))
	}
	return b
}

// volumes returns a batch of a 3D system with draws that depend on number alone.
func volumes(number, samples int) *train.Batch {
	b := &train.Batch{Draws: &walrus.Draws{}}
	for i := range samples {
		b.Windows = append(b.Windows, waves("space", []int{8, 8, 8}, data.Boundaries{walled, walled, periodic}, 2, 10*number+i))
	}
	return b
}

func draws(number int) *walrus.Draws {
	rng := rand.New(rand.NewPCG(7, uint64(number)))
	d := &walrus.Draws{Shift: [3]int32{int32(rng.IntN(7) - 3), int32(rng.IntN(3) - 1)}}
	for range smallConfig().Blocks {
		d.Rolls = append(d.Rolls, [3]int32{int32(rng.IntN(4))})
	}
	return d
}

// schedule returns the batch of an update, a group and a micro-batch.
type schedule func(update, group, micro int) *train.Batch

// source returns the Source of a schedule for the trainer's next update.
func (s schedule) source(tr *train.Trainer) train.Source {
	update := int(tr.Updates())
	return func(_ context.Context, group, micro int) (*train.Batch, error) { return s(update, group, micro), nil }
}

// alone trains on one device with the micro-batches of all groups and returns the loss
// of every update.
func alone(t *testing.T, b compute.Backend, s schedule, groups, micro, updates int) ([]float64, map[string][]float32) {
	t.Helper()
	w := weights(t)
	tr, err := train.New(w, train.Options{Backend: b})
	require.NoError(t, err)
	defer tr.Close()
	var losses []float64
	for u := range updates {
		sum := 0.0
		for g := range groups {
			for m := range micro {
				loss, err := tr.Accumulate(s(u, g, m))
				require.NoError(t, err)
				sum += loss / float64(groups*micro)
			}
		}
		_, err := tr.Update(rate)
		require.NoError(t, err)
		losses = append(losses, sum)
	}
	return losses, values(t, w)
}

// rate is the learning rate of all tests, which is the release's. It is small enough
// for losses to be compared over 50 updates. In these batches the signs of the L1 loss
// cancel exactly for one bias of the decoder: one device finds a gradient of 0, another
// order of summation one of 6e-8. Adam turns the latter into a whole step, which at a
// rate of 1e-3 changes the loss by 1e-4. TestPresentGradients of package train compares
// the gradients themselves.
const rate = 2e-4

// together trains on a mesh.
func together(t *testing.T, b compute.Backend, mesh distributed.Mesh, s schedule, micro, updates int) ([]float64, map[string][]float32) {
	t.Helper()
	tr, err := train.New(weights(t), train.Options{Backend: b, Mesh: mesh})
	require.NoError(t, err)
	defer tr.Close()
	var losses []float64
	for range updates {
		u, err := tr.StepFrom(context.Background(), s.source(tr), micro, rate)
		require.NoError(t, err)
		losses = append(losses, u.Loss)
	}
	w, err := tr.Weights()
	require.NoError(t, err)
	return losses, values(t, w)
}

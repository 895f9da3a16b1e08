package objective_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/objective"
)

// random returns a window of random frames of two channels.
func random(rng *rand.Rand, grid ...int) *data.Window {
	w := &data.Window{Grid: grid, Fields: []data.Field{{Name: "density"}, {Name: "pressure"}}}
	for range grid {
		w.Boundaries = append(w.Boundaries, data.Both(data.Wall))
	}
	for range 3 {
		w.Frames = append(w.Frames, make([]float32, 2*w.Points()))
	}
	for _, f := range w.Frames {
		for i := range f {
			f[i] = float32(rng.NormFloat64())
		}
	}
	return w
}

// TestCosines: Pull is the transpose of Add, the change is the same in all frames, and random
// amplitudes make changes of the given deviation.
func TestCosines(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, grid := range [][]int{{9}, {12, 10}, {4, 1, 6}} {
		w := random(rng, grid...)
		const deviation = 0.1
		c, err := objective.NewCosines(w, 3, deviation)
		require.NoError(t, err)
		slopes := random(rng, grid...).Frames
		n, points, power := 400, w.Points(), [2]float64{}
		for range n {
			z := make([]float64, c.Size())
			for i := range z {
				z[i] = rng.NormFloat64()
			}
			moved, err := c.Add(w, z)
			require.NoError(t, err)
			left, right, size := 0.0, 0.0, 0.0
			for k, f := range moved.Frames {
				for i, v := range f {
					d := float64(v) - float64(w.Frames[k][i])
					require.InDelta(t, d, float64(moved.Frames[0][i])-float64(w.Frames[0][i]), 1e-5)
					left += d * float64(slopes[k][i])
					size += math.Abs(d * float64(slopes[k][i]))
					power[i/points] += d * d / float64(3*points*n)
				}
			}
			pulled, err := c.Pull(slopes)
			require.NoError(t, err)
			for i, v := range pulled {
				right += v * z[i]
			}
			require.InDelta(t, left, right, 1e-5*size)
		}
		for ch := range power {
			low, high := math.Inf(1), math.Inf(-1)
			for _, f := range w.Frames {
				for _, v := range f[ch*points : (ch+1)*points] {
					low, high = min(low, float64(v)), max(high, float64(v))
				}
			}
			require.InEpsilon(t, deviation*(high-low), math.Sqrt(power[ch]), 0.1)
		}
	}
}

func TestCosinesErrors(t *testing.T) {
	w := random(rand.New(rand.NewPCG(1, 2)), 8, 6)
	for want, f := range map[string]func() error{
		"expected 1 to 8 cosines along each axis, got 9": func() error { _, err := objective.NewCosines(w, 9, 1); return err },
		"expected a positive standard deviation, got 0":  func() error { _, err := objective.NewCosines(w, 2, 0); return err },
		"expected a window, got none":                    func() error { _, err := objective.NewCosines(nil, 2, 1); return err },
		"expected a control of NewCosines, got none":     func() error { _, err := (*objective.Cosines)(nil).Pull(nil); return err },
		"expected a window and 8 amplitudes, got 1": func() error {
			return wrong(t, w, func(c *objective.Cosines) error { _, err := c.Add(w, []float64{1}); return err })
		},
		"objective: cosines: expected frames of 96 values, got 1": func() error {
			return wrong(t, w, func(c *objective.Cosines) error { _, err := c.Pull([][]float32{{1}}); return err })
		},
	} {
		require.ErrorContains(t, f(), want)
	}
}

func wrong(t *testing.T, w *data.Window, f func(c *objective.Cosines) error) error {
	c, err := objective.NewCosines(w, 2, 1)
	require.NoError(t, err)
	return f(c)
}

package perturb_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

// sea returns a window of waves of a height, a flow with a constant second component, and a
// mask.
func sea(n, m int) *data.Window {
	w := &data.Window{Name: "sea", Grid: []int{n, m}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Fields: []data.Field{{Name: "height"}, {Name: "flow", Order: 1}, {Name: data.MaskName, Constant: true}}}
	for t := range 3 {
		frame := make([]float32, 3*n*m)
		for p := range n * m {
			x, y := 2*math.Pi*float64(p/m)/float64(n), 2*math.Pi*float64(p%m)/float64(m)
			frame[p] = float32(5 + math.Sin(x+0.1*float64(t)) + 0.3*math.Cos(3*x+2*y))
			frame[n*m+p] = float32(10 * math.Cos(2*x))
			frame[2*n*m+p] = 7
		}
		w.Frames = append(w.Frames, frame)
	}
	w.Constants = make([]float32, n*m)
	return w
}

// noise returns the noise that a perturbation adds to the channels of a window, the same for
// all frames.
func noise(t *testing.T, f walrus.Perturbation, w *data.Window, seed uint64) [][]float64 {
	t.Helper()
	frames, err := f(w, rand.New(rand.NewPCG(seed, 1)))
	require.NoError(t, err)
	require.Len(t, frames, len(w.Frames))
	points := w.Points()
	out := make([][]float64, len(frames[0])/points)
	for i, v := range frames[0] {
		d := float64(v) - float64(w.Frames[0][i])
		out[i/points] = append(out[i/points], d)
		for k, other := range frames {
			require.InDelta(t, d, float64(other[i])-float64(w.Frames[k][i]), 3e-6, "the same in all frames")
		}
	}
	return out
}

// size returns the root mean square.
func size(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x / float64(len(v))
	}
	return math.Sqrt(sum)
}

// TestAmplitude: the noise of each channel has the stated size relative to the channel's
// deviation; constant channels, solid points and other fields have none.
func TestAmplitude(t *testing.T) {
	for name, f := range map[string]func(float64, ...string) walrus.Perturbation{"white": perturb.White, "shaped": perturb.Shaped} {
		t.Run(name, func(t *testing.T) {
			w := sea(64, 48)
			was := sea(64, 48)
			got := noise(t, f(0.1), w, 1)
			require.Equal(t, was, w, "the window is left as it was")
			// White noise of 3072 points has its size up to 1.3 %; three times that.
			require.InEpsilon(t, 0.1*math.Sqrt(0.5+0.045), size(got[0]), 0.04)
			require.InEpsilon(t, 0.1*10*math.Sqrt(0.5), size(got[1]), 0.04)
			require.Zero(t, size(got[2]))
			require.Equal(t, got, noise(t, f(0.1), w, 1), "one generator, one noise")
			require.NotEqual(t, got[0], noise(t, f(0.1), w, 2)[0])
			require.Zero(t, size(noise(t, f(0), w, 1)[0]))

			only := noise(t, f(0.1, "flow"), w, 1)
			require.Zero(t, size(only[0]))
			require.Equal(t, got[1], only[1], "the noise of a field does not depend on the choice of fields")

			for p := range w.Constants {
				if p%3 == 0 {
					w.Constants[p] = 1
				}
			}
			for p, v := range noise(t, f(0.1), w, 1)[0] {
				require.Equal(t, p%3 == 0, v == 0, "point %d", p)
			}
		})
	}
}

// TestShaped: the spectrum of the noise is that of the channel, with another phase.
func TestShaped(t *testing.T) {
	for _, grid := range [][2]int{{32, 24}, {15, 8}} {
		t.Run(fmt.Sprint(grid), func(t *testing.T) {
			w := sea(grid[0], grid[1])
			got := noise(t, perturb.Shaped(0.2), w, 1)
			last := w.Frames[2][:w.Points()]
			u := make([]float32, len(last))
			for i, v := range got[0] {
				u[i] = float32(v)
			}
			want, err := eval.PowerSpectrum(last, w.Grid, 6)
			require.NoError(t, err)
			have, err := eval.PowerSpectrum(u, w.Grid, 6)
			require.NoError(t, err)
			for b, p := range want.Power {
				require.InDelta(t, 0.04*p, have.Power[b], 1e-5)
			}
			mean := 0.0
			for _, v := range got[0] {
				mean += v / float64(len(got[0]))
			}
			require.InDelta(t, 0, mean, 1e-6)
			r, err := eval.Correlation(u, last)
			require.NoError(t, err)
			require.Less(t, math.Abs(r), 0.99)
		})
	}
}

func TestErrors(t *testing.T) {
	w, rng := sea(8, 8), rand.New(rand.NewPCG(1, 1))
	for want, f := range map[string]walrus.Perturbation{
		"perturb: white: expected an amplitude of at least 0, got -1":      perturb.White(-1),
		"perturb: shaped: expected an amplitude of at least 0, got NaN":    perturb.Shaped(math.NaN()),
		`perturb: white: expected fields among [height flow], got "salt"`:  perturb.White(1, "height", "salt"),
		`perturb: shaped: expected fields among [height flow], got "mask"`: perturb.Shaped(1, "mask"),
	} {
		_, err := f(w, rng)
		require.EqualError(t, err, want)
	}
	_, err := perturb.White(1)(nil, rng)
	require.ErrorContains(t, err, "expected a window")
	_, err = perturb.White(1)(w, nil)
	require.ErrorContains(t, err, "expected a generator, got nil")
}

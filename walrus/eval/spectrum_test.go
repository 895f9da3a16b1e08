package eval

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// wave returns cos(2π(kx·x/nx + ky·y/ny)).
func wave(nx, ny, kx, ky int) []float32 {
	out := make([]float32, nx*ny)
	for i := range out {
		x, y := float64(i/ny)/float64(nx), float64(i%ny)/float64(ny)
		out[i] = float32(math.Cos(2 * math.Pi * (float64(kx)*x + float64(ky)*y)))
	}
	return out
}

// TestPowerSpectrum: a wave has its power, 1/2, in the bin of its frequency.
func TestPowerSpectrum(t *testing.T) {
	for _, c := range []struct{ kx, ky, bin int }{{1, 0, 0}, {0, 1, 0}, {3, 0, 1}, {4, 4, 2}, {0, 9, 3}, {16, 16, 3}, {12, 0, 3}} {
		s, err := PowerSpectrum(wave(32, 32, c.kx, c.ky), []int{32, 32}, 4)
		require.NoError(t, err)
		require.Len(t, s.Edges, 5)
		want := 0.5
		if c.kx == 16 {
			want = 1 // +1 and −1 alternate
		}
		for i, p := range s.Power {
			if i == c.bin {
				require.InDelta(t, want, p, 1e-6, "%+v: %v", c, s)
			} else {
				require.InDelta(t, 0, p, 1e-6, "%+v: %v", c, s)
			}
		}
	}
}

// TestParseval: the power of all bins is the variance, in one to three dimensions.
func TestParseval(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, grid := range [][]int{{17}, {12, 30}, {6, 5, 9}, {8, 1, 4}} {
		n := 1
		for _, g := range grid {
			n *= g
		}
		field, mean, variance := make([]float32, n), 0.0, 0.0
		for i := range field {
			field[i] = float32(rng.NormFloat64()) + 3
			mean += float64(field[i]) / float64(n)
		}
		for _, v := range field {
			variance += math.Pow(float64(v)-mean, 2) / float64(n)
		}
		s, err := PowerSpectrum(field, grid, 3)
		require.NoError(t, err)
		require.InDelta(t, variance, s.Power[0]+s.Power[1]+s.Power[2], 1e-9)
	}
}

func TestSpectralError(t *testing.T) {
	ref, small := wave(32, 32, 1, 0), wave(32, 32, 8, 0)
	pred := make([]float32, len(ref))
	for i := range pred {
		pred[i] = 0.75*ref[i] + 2*small[i]
		ref[i] += small[i]
	}
	got, err := SpectralError(pred, ref, []int{32, 32}, 4)
	require.NoError(t, err)
	require.InDelta(t, 0.25, got[0], 1e-6)
	require.InDelta(t, 1, got[3], 1e-6)
	_, err = SpectralError(pred, ref[1:], []int{32, 32}, 4)
	require.ErrorContains(t, err, "fields of one length, got 1024 and 1023")
	_, err = PowerSpectrum(ref, []int{32, 31}, 4)
	require.ErrorContains(t, err, "a field of grid [32 31], got 4 and 1024 values")
}

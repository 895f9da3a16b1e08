package train

import (
	"math"
	"slices"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/stretchr/testify/require"
)

// TestPresentGradients: samples that only fill up a batch change neither its loss nor its
// gradients by more than rounding, for any values of these samples.
func TestPresentGradients(t *testing.T) {
	a, b, other := plane(), plane(), plane()
	for i, w := range []*data.Window{b, other} {
		for _, frame := range w.Frames {
			for j := range frame {
				frame[j] += float32(i+1) * float32(math.Cos(0.7*float64(j)))
			}
		}
	}
	want := newTrainer(t, Options{})
	loss, err := want.Accumulate(still(a, b))
	require.NoError(t, err)
	for _, filled := range [][]*data.Window{{a, b, a}, {a, b, other}, {a, b, other, a, a}} {
		got := newTrainer(t, Options{})
		batch := still(filled...)
		batch.Present = append([]bool{true, true}, slices.Repeat([]bool{false}, len(filled)-2)...)
		same, err := got.Accumulate(batch)
		require.NoError(t, err)
		require.InEpsilon(t, loss, same, 1e-6)
		require.Less(t, apart(gradientsOf(want), gradientsOf(got)), 1e-6, "%d samples", len(filled))
	}
	all := newTrainer(t, Options{})
	_, err = all.Accumulate(still(a, b, other))
	require.NoError(t, err)
	require.Greater(t, apart(gradientsOf(want), gradientsOf(all)), 1e-2, "the third sample matters if it counts")
}

// apart returns the norm of the difference of two gradients divided by the norm of the
// first.
func apart(want, got map[string][]float32) float64 {
	difference, norm := 0.0, 0.0
	for key, v := range want {
		for i, x := range v {
			d := float64(x) - float64(got[key][i])
			difference, norm = difference+d*d, norm+float64(x)*float64(x)
		}
	}
	return math.Sqrt(difference / norm)
}

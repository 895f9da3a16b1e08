package train

import (
	"math"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// TestBFloat16: loss and gradients of a network in bfloat16 equal those in float32 up to
// roundings of 2⁻⁹, and the loss falls as in float32.
func TestBFloat16(t *testing.T) {
	b := testbackend.New(t)
	w, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	defer w.Close()
	if strings.HasPrefix(b.Name(), "Go") {
		_, err := New(w, Options{Backend: b, Objective: Objective{BFloat16: true}})
		require.ErrorContains(t, err, "bfloat16: expected XLA, got backend Go")
		return
	}
	var losses [2][]float64
	var grads [2]map[string][]float32
	for i, half := range []bool{false, true} {
		tr := newTrainer(t, Options{Objective: Objective{BFloat16: half}})
		_, err := tr.Accumulate(still(plane()))
		require.NoError(t, err)
		grads[i] = gradientsOf(tr)
		tr.Drop()
		for range 10 {
			loss, err := tr.Step(still(plane()), 1e-3)
			require.NoError(t, err)
			losses[i] = append(losses[i], loss)
		}
	}
	diff, size := 0.0, 0.0
	for key, exact := range grads[0] {
		for k, v := range exact {
			diff += math.Pow(float64(grads[1][key][k]-v), 2)
			size += math.Pow(float64(v), 2)
		}
	}
	t.Logf("first loss %.6g, in bfloat16 %.6g; gradients differ by %.2g of their norm; tenth loss %.4g and %.4g",
		losses[0][0], losses[1][0], math.Sqrt(diff/size), losses[0][9], losses[1][9])
	require.InEpsilon(t, losses[0][0], losses[1][0], 1e-3)
	require.Less(t, math.Sqrt(diff/size), 0.05)
	require.Less(t, losses[1][9], losses[1][0])

	tr := newTrainer(t, Options{Objective: Objective{BFloat16: true}})
	bad := make([]float32, len(snapshot(t, tr.weights)["encoder_dummy"]))
	bad[0] = float32(math.NaN())
	require.NoError(t, tr.weights.Set("encoder_dummy", testbackend.Tensor(bad, 1)))
	_, err = tr.Accumulate(still(plane()))
	var where *NonFiniteError
	require.ErrorAs(t, err, &where)
	require.Contains(t, where.Fields, "density", "the diagnosis computes in bfloat16, too")
}

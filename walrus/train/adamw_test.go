package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

func TestAdamWValidate(t *testing.T) {
	for _, ok := range []AdamW{{}, {WeightDecay: -1}, {ClipNorm: -1}, {Beta1: 0.5, Beta2: 0.9, Eps: 1e-3}} {
		require.NoError(t, ok.Validate())
	}
	for _, c := range []struct {
		a    AdamW
		want string
	}{
		{AdamW{Beta1: 1}, "train: AdamW beta1: expected 0 ≤ β < 1, got 1"},
		{AdamW{Beta2: -0.1}, "train: AdamW beta2: expected 0 ≤ β < 1, got -0.1"},
		{AdamW{Beta2: math.NaN()}, "train: AdamW beta2: expected 0 ≤ β < 1, got NaN"},
		{AdamW{Eps: -1e-8}, "train: AdamW eps: expected a positive number, got -1e-08"},
		{AdamW{WeightDecay: math.NaN()}, "train: AdamW weight decay: expected a finite number, got NaN"},
		{AdamW{ClipNorm: math.Inf(1)}, "train: AdamW clip norm: expected a finite number, got +Inf"},
	} {
		require.EqualError(t, c.a.Validate(), c.want)
	}
}

// naiveAdamW updates all values p with gradients g in float64, like torch's AdamW after
// clip_grad_norm_.
type naiveAdamW struct {
	a       AdamW
	p, m, v []float64
	step    int
}

func (n *naiveAdamW) update(g []float64, lr float64) (norm float64) {
	for _, x := range g {
		norm += x * x
	}
	norm = math.Sqrt(norm)
	factor := 1.0
	if n.a.ClipNorm > 0 {
		factor = math.Min(1, n.a.ClipNorm/(norm+1e-6))
	}
	n.step++
	t := float64(n.step)
	for i, x := range g {
		x *= factor
		n.p[i] *= 1 - lr*max(n.a.WeightDecay, 0)
		n.m[i] = n.a.Beta1*n.m[i] + (1-n.a.Beta1)*x
		n.v[i] = n.a.Beta2*n.v[i] + (1-n.a.Beta2)*x*x
		m := n.m[i] / (1 - math.Pow(n.a.Beta1, t))
		v := n.v[i] / (1 - math.Pow(n.a.Beta2, t))
		n.p[i] -= lr * m / (math.Sqrt(v) + n.a.Eps)
	}
	return norm
}

func TestAdamWNaive(t *testing.T) {
	for _, a := range []AdamW{
		{}, {ClipNorm: 0.5}, {ClipNorm: -1, WeightDecay: 0.1}, {WeightDecay: -1, Beta1: 0.5, Beta2: 0.9, Eps: 0.1},
	} {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			a = a.withDefaults()
			const sizeA, sizeB = 5, 6 // two tensors, [5] and [2, 3]
			rng := rand.New(rand.NewPCG(1, 2))
			want := &naiveAdamW{a: a, m: make([]float64, sizeA+sizeB), v: make([]float64, sizeA+sizeB)}
			state := make([][]float32, 3) // p, m, v
			for i := range state {
				state[i] = make([]float32, sizeA+sizeB)
			}
			for i := range state[0] {
				state[0][i] = float32(rng.NormFloat64())
				want.p = append(want.p, float64(state[0][i]))
			}
			exec, err := graph.NewExec(testbackend.New(t), func(in []*graph.Node) []*graph.Node { return a.program(2, in) })
			require.NoError(t, err)
			split := func(v []float32) []any {
				return []any{testbackend.Tensor(v[:sizeA], sizeA), testbackend.Tensor(v[sizeA:], 2, 3)}
			}
			for step := 1; step <= 5; step++ {
				g, sum := make([]float64, sizeA+sizeB), make([]float32, sizeA+sizeB)
				for i := range g {
					sum[i] = float32(4 * rng.NormFloat64())
					g[i] = float64(sum[i]) / 4 // the mean of four micro-batches
				}
				lr := 1e-2 / float64(step)
				norm := want.update(g, lr)
				rate, root := a.rates(lr, step)
				var args []any
				for _, v := range append(append([][]float32{}, state...), sum) {
					args = append(args, split(v)...)
				}
				out, err := exec.Call(append(args, float32(0.25), float32(lr), []float32{rate, rate}, []float32{root, root})...)
				require.NoError(t, err)
				for i := range state {
					state[i] = append(tensors.MustCopyFlatData[float32](out[2*i]), tensors.MustCopyFlatData[float32](out[2*i+1])...)
				}
				require.InEpsilon(t, norm, tensors.MustCopyFlatData[float32](out[6])[0], 1e-6)
				for k, w := range [][]float64{want.p, want.m, want.v} {
					for i := range w {
						require.InDelta(t, w[i], state[k][i], 1e-6*(1+math.Abs(w[i])), "step %d, %s at %d", step, [3]string{"p", "m", "v"}[k], i)
					}
				}
			}
		})
	}
}

package train

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// AdamW configures the optimiser (Loshchilov & Hutter 2019, decoupled decay).
// The zero value holds the release's settings.
type AdamW struct {
	// Beta1 and Beta2 are the decay rates of the moments; 0 means 0.9 and 0.999.
	Beta1, Beta2 float64
	// Eps is added to the root of the second moment; 0 means the release's 1e-10.
	Eps float64
	// WeightDecay shrinks every tensor, norms and biases too, by lr·decay per
	// update; 0 means the release's 1e-4, a negative value means no decay.
	WeightDecay float64
	// ClipNorm is the largest global L2 norm of the gradients; 0 means the release's
	// 10, a negative value means no clipping.
	ClipNorm float64
}

func (a AdamW) withDefaults() AdamW {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&a.Beta1, 0.9)
	set(&a.Beta2, 0.999)
	set(&a.Eps, 1e-10)
	set(&a.WeightDecay, 1e-4)
	set(&a.ClipNorm, 10)
	return a
}

// Validate checks the ranges.
func (a AdamW) Validate() error {
	a = a.withDefaults()
	for _, b := range []struct {
		name string
		v    float64
	}{{"beta1", a.Beta1}, {"beta2", a.Beta2}} {
		if !(b.v >= 0 && b.v < 1) {
			return fmt.Errorf("train: AdamW %s: expected 0 ≤ β < 1, got %v", b.name, b.v)
		}
	}
	if !(a.Eps > 0) {
		return fmt.Errorf("train: AdamW eps: expected a positive number, got %v", a.Eps)
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"eps", a.Eps}, {"weight decay", a.WeightDecay}, {"clip norm", a.ClipNorm}} {
		if math.IsNaN(f.v) || math.IsInf(f.v, 0) {
			return fmt.Errorf("train: AdamW %s: expected a finite number, got %v", f.name, f.v)
		}
	}
	return nil
}

// update computes one AdamW step for one tensor with gradient g (docs/reference.md §8):
//
//	p ← p − lr·λ·p
//	m ← β1·m + (1−β1)·g,  v ← β2·v + (1−β2)·g²
//	p ← p − lr/(1−β1ᵗ) · m / (√v/√(1−β2ᵗ) + ε)
//
// rate is lr/(1−β1ᵗ) and root is √(1−β2ᵗ), scalars that depend on the step t.
func (a AdamW) update(p, m, v, g, lr, rate, root *Node) (p1, m1, v1 *Node) {
	p = Sub(p, Mul(p, MulScalar(lr, max(a.WeightDecay, 0))))
	m1 = Add(MulScalar(m, a.Beta1), MulScalar(g, 1-a.Beta1))
	v1 = Add(MulScalar(v, a.Beta2), MulScalar(Square(g), 1-a.Beta2))
	step := Div(m1, AddScalar(Div(Sqrt(v1), root), a.Eps))
	return Sub(p, Mul(step, rate)), m1, v1
}

// rates returns lr/(1−β1ᵗ) and √(1−β2ᵗ) for step t ≥ 1.
func (a AdamW) rates(lr float64, t int) (rate, root float32) {
	a = a.withDefaults()
	return float32(lr / (1 - math.Pow(a.Beta1, float64(t)))), float32(math.Sqrt(1 - math.Pow(a.Beta2, float64(t))))
}

// globalNorm returns the L2 norm of all gradients together.
func globalNorm(grads []*Node) *Node {
	var sum *Node
	for _, g := range grads {
		s := ReduceAllSum(Square(g))
		if sum == nil {
			sum = s
		} else {
			sum = Add(sum, s)
		}
	}
	return Sqrt(sum)
}

// clip scales the gradients so that their global norm is at most ClipNorm:
// min(1, clip/(norm+1e-6)).
func (a AdamW) clip(grads []*Node, norm *Node) []*Node {
	if a.ClipNorm <= 0 {
		return grads
	}
	factor := MinScalar(Div(ConstAs(norm, a.ClipNorm), AddScalar(norm, 1e-6)), 1)
	out := make([]*Node, len(grads))
	for i, g := range grads {
		out[i] = Mul(g, factor)
	}
	return out
}

// program builds the update of n tensors. The inputs are the parameters, the first moments,
// the second moments and the summed gradients of all tensors, then the factor that makes
// the sums means, the learning rate, and the vectors rate and root with one value per
// tensor ([AdamW.rates]). The outputs are the new parameters and moments and the global
// gradient norm before clipping. If the norm is not finite, parameters and moments stay as
// they are.
func (a AdamW) program(n int, in []*Node) []*Node {
	a = a.withDefaults()
	p, m, v, g := in[:n], in[n:2*n], in[2*n:3*n], in[3*n:4*n]
	scale, lr, rates, roots := in[4*n], in[4*n+1], in[4*n+2], in[4*n+3]
	mean := make([]*Node, n)
	for i := range g {
		mean[i] = Mul(g[i], scale)
	}
	norm := globalNorm(mean)
	valid := LessThan(norm, Infinity(norm.Graph(), norm.DType(), 1)) // false for NaN, too
	clipped := a.clip(mean, norm)
	out := make([]*Node, 3*n+1)
	out[3*n] = norm
	for i := range n {
		at := func(t *Node) *Node { return Reshape(SliceAxis(t, 0, AxisElem(i))) }
		out[i], out[n+i], out[2*n+i] = a.update(p[i], m[i], v[i], clipped[i], lr, at(rates), at(roots))
	}
	for i, old := range in[:3*n] {
		out[i] = Where(BroadcastToDims(valid, old.Shape().Dimensions...), out[i], old)
	}
	return out
}

package train

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// moments is the optimiser's state of one tensor.
type moments struct {
	first, second *tensors.Tensor
	steps         int
}

// Update builds the update of n tensors. The inputs are the parameters, the first moments,
// the second moments and the summed gradients of all tensors, then the factor that makes
// the sums means, the learning rate, and the vectors rate and root with one value per
// tensor ([AdamW.Rates]). The outputs are the new parameters and moments and the global
// gradient norm before clipping.
func (a AdamW) Update(n int, in []*Node) []*Node {
	a = a.withDefaults()
	p, m, v, g := in[:n], in[n:2*n], in[2*n:3*n], in[3*n:4*n]
	scale, lr, rates, roots := in[4*n], in[4*n+1], in[4*n+2], in[4*n+3]
	mean := make([]*Node, n)
	for i := range g {
		mean[i] = Mul(g[i], scale)
	}
	norm := globalNorm(mean)
	clipped := a.clip(mean, norm)
	out := make([]*Node, 3*n+1)
	out[3*n] = norm
	for i := range n {
		at := func(t *Node) *Node { return Reshape(SliceAxis(t, 0, AxisElem(i))) }
		out[i], out[n+i], out[2*n+i] = a.update(p[i], m[i], v[i], clipped[i], lr, at(rates), at(roots))
	}
	return out
}

// newUpdateProgram compiles AdamW.Update.
func newUpdateProgram(b compute.Backend, a AdamW, n int) (*Exec, error) {
	exec, err := NewExec(b, func(in []*Node) []*Node { return a.Update(n, in) })
	if err != nil {
		return nil, fmt.Errorf("train: building the update program: %w", err)
	}
	return exec, nil
}

// newSumProgram compiles the sum of two lists of n tensors.
func newSumProgram(b compute.Backend, n int) (*Exec, error) {
	exec, err := NewExec(b, func(in []*Node) []*Node {
		out := make([]*Node, n)
		for i := range n {
			out[i] = Add(in[i], in[n+i])
		}
		return out
	})
	if err != nil {
		return nil, fmt.Errorf("train: building the accumulation program: %w", err)
	}
	return exec, nil
}

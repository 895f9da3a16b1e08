package layers

import (
	"fmt"
	"math"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

// gradCase is a function whose gradients are compared with finite differences.
type gradCase struct {
	name  string
	keys  []string // names of the inputs, all of which are differentiated
	in    []array
	graph func(in []*Node) *Node
	// zero names the inputs whose gradient vanishes by symmetry.
	zero []string
}

const (
	gradStep       = 1e-5
	gradDirections = 2
)

// checkGradients compares, in float64, the gradient of a random weighted sum of the result
// with central differences along random directions, one input at a time. All cases share
// one program.
func checkGradients(t *testing.T, cases ...gradCase) {
	t.Helper()
	exec, err := NewExec(testbackend.New(t), func(in []*Node) []*Node { return gradGraph(cases, in) })
	require.NoError(t, err)
	defer exec.Finalize()
	base := callGrad(t, exec, cases, nil)
	rounds := 0
	for _, c := range cases {
		require.Len(t, c.keys, len(c.in), c.name)
		rounds = max(rounds, len(c.in)*gradDirections)
	}
	for round := range rounds {
		steps := make([]array, len(cases))
		for i, c := range cases {
			steps[i] = direction(c, round)
		}
		up := callGrad(t, exec, cases, func(i int) (int, array) { return round % len(cases[i].in), steps[i].scaled(gradStep) })
		down := callGrad(t, exec, cases, func(i int) (int, array) { return round % len(cases[i].in), steps[i].scaled(-gradStep) })
		for i, c := range cases {
			input := round % len(c.in)
			compareSlope(t, c, input, base[i][1+input], steps[i].data, (up[i][0][0]-down[i][0][0])/(2*gradStep))
		}
	}
}

// gradGraph returns, for each case, the loss and its gradients.
func gradGraph(cases []gradCase, in []*Node) (out []*Node) {
	for _, c := range cases {
		mine := in[:len(c.in):len(c.in)]
		in = in[len(c.in):]
		y := c.graph(mine)
		weights := ConstTensor(y.Graph(), normal(seeded("weights of "+c.name), y.Shape().Dimensions...).tensor())
		loss := ReduceAllSum(Mul(y, weights))
		out = append(out, loss)
		out = append(out, Gradient(loss, mine...)...)
	}
	return out
}

// callGrad runs the program with one input of each case displaced, and returns the outputs
// of each case.
func callGrad(t *testing.T, exec *Exec, cases []gradCase, moved func(i int) (int, array)) [][][]float64 {
	t.Helper()
	var args []any
	for i, c := range cases {
		for k, a := range c.in {
			if moved != nil {
				if which, by := moved(i); which == k {
					a = sum(a, by)
				}
			}
			args = append(args, a.tensor())
		}
	}
	flat, err := exec.Call(args...)
	require.NoError(t, err)
	out := make([][][]float64, len(cases))
	for i, c := range cases {
		for range 1 + len(c.in) {
			out[i] = append(out[i], tensors.MustCopyFlatData[float64](flat[0]))
			flat[0].MustFinalizeAll()
			flat = flat[1:]
		}
	}
	return out
}

func sum(a, b array) array {
	out := newArray(a.dims...)
	for i := range out.data {
		out.data[i] = a.data[i] + b.data[i]
	}
	return out
}

// direction returns a random unit vector in the space of this round's input.
func direction(c gradCase, round int) array {
	d := normal(seeded(fmt.Sprintf("%s %d", c.name, round)), c.in[round%len(c.in)].dims...)
	return d.scaled(1 / norm(d.data))
}

func norm(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x
	}
	return math.Sqrt(s)
}

// compareSlope compares the slope along a unit direction with the gradient.
func compareSlope(t *testing.T, c gradCase, input int, grad, dir []float64, slope float64) {
	t.Helper()
	size, want := norm(grad), 0.0
	for i, g := range grad {
		want += g * dir[i]
	}
	if slices.Contains(c.zero, c.keys[input]) {
		require.Less(t, size, 1e-9, "%s: gradient of %s vanishes", c.name, c.keys[input])
	} else {
		require.Greater(t, size, 1e-4, "%s: gradient of %s does not vanish", c.name, c.keys[input])
	}
	require.InDelta(t, slope, want, 1e-6*size+1e-8, "%s: slope along %s", c.name, c.keys[input])
}

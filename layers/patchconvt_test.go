package layers

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"
)

// naiveConvT computes the transposed convolution of x [F, h, w, d, Cin] with w [Cin, Cout,
// kH, kW, kD] in loops: token i of an axis adds its patch at i·s … i·s+k−1. On a periodic
// axis there is a token at every integer i, equal to token i mod n.
func (c convCase) naiveConvT(x, w, bias array) array {
	w, s := c.collapsed(w, true)
	dims := []int{x.dims[0], 0, 0, 0, c.out}
	for a := range 3 {
		dims[1+a] = (c.n[a]-1)*s[a] + w.dims[2+a]
	}
	out := newArray(dims...)
	// token returns the token of an axis whose patch has its entry j at point p, if there
	// is one.
	token := func(a, p, j int) (int, bool) {
		at := p - j
		if at%s[a] != 0 {
			return 0, false
		}
		i := at / s[a]
		if c.periodic[a] && c.n[a] > 1 {
			return ((i % c.n[a]) + c.n[a]) % c.n[a], true
		}
		return i, i >= 0 && i < c.n[a]
	}
	each(dims, func(o []int) {
		if bias.data != nil {
			out.set(bias.at(o[4]), o...)
		}
		each(w.dims[2:], func(j []int) {
			h, okH := token(0, o[1], j[0])
			v, okW := token(1, o[2], j[1])
			d, okD := token(2, o[3], j[2])
			if !okH || !okW || !okD {
				return
			}
			for ci := range c.in {
				out.add(x.at(o[0], h, v, d, ci)*w.at(ci, o[4], j[0], j[1], j[2]), o...)
			}
		})
	})
	return out
}

// convTShapes returns token grids for the transposed convolution, with axes much shorter
// than the kernel.
func convTShapes() []convCase {
	all := [3]bool{true, true, true}
	return []convCase{
		{n: [3]int{3, 2, 1}, k: [3]int{8, 8, 8}, s: [3]int{4, 1, 2}, in: 2, out: 3, periodic: all},
		{n: [3]int{1, 4, 3}, k: [3]int{4, 4, 4}, s: [3]int{4, 2, 1}, in: 3, out: 2, periodic: [3]bool{true, false, true}},
		{n: [3]int{5, 1, 2}, k: [3]int{8, 8, 8}, s: [3]int{6, 6, 8}, in: 1, out: 2, periodic: all},
		{n: [3]int{1, 1, 1}, k: [3]int{4, 3, 2}, s: [3]int{4, 2, 1}, in: 3, out: 2, periodic: all},
		{n: [3]int{2, 3, 2}, k: [3]int{2, 3, 5}, s: [3]int{2, 1, 3}, in: 2, out: 1},
		{n: [3]int{2, 3, 2}, k: [3]int{3, 1, 7}, s: [3]int{5, 2, 1}, in: 2, out: 2, periodic: all},
	}
}

func TestPatchConvTranspose(t *testing.T) {
	var jobs []job
	for i, c := range append(convTShapes(), kernelSweep(func(int) int { return 2 })...) {
		x, w := c.input(2), c.kernel(c.in, c.out)
		in, bias := []array{x, w}, array{}
		if i%2 == 0 {
			bias = normal(seeded("bias "+c.String()), c.out)
			in = append(in, bias)
		}
		jobs = append(jobs, job{name: c.String(), in: in, want: []array{c.naiveConvT(x, w, bias)},
			graph: func(in []*Node) []*Node {
				in = append(in, nil)
				return []*Node{PatchConvTranspose(in[0], in[1], in[2], c.s, c.periodic)}
			}})
	}
	runSweep(t, jobs...)
}

func TestPatchConvTransposeGradients(t *testing.T) {
	var cases []gradCase
	for _, c := range []convCase{
		{n: [3]int{3, 4, 1}, k: [3]int{2, 3, 4}, s: [3]int{2, 1, 3}, in: 2, out: 2},
		{n: [3]int{3, 1, 2}, k: [3]int{4, 2, 8}, s: [3]int{4, 1, 3}, in: 2, out: 1, periodic: [3]bool{true, true, true}},
		{n: [3]int{2, 2, 3}, k: [3]int{1, 6, 3}, s: [3]int{2, 4, 1}, in: 1, out: 2, periodic: [3]bool{false, true, false}},
	} {
		cases = append(cases, gradCase{name: c.String(), keys: []string{"x", "w", "bias"},
			in:    []array{c.input(2), c.kernel(c.in, c.out), normal(seeded("bias"), c.out)},
			graph: func(in []*Node) *Node { return PatchConvTranspose(in[0], in[1], in[2], c.s, c.periodic) }})
	}
	checkGradients(t, cases...)
}

func dot(a, b array) float64 {
	total := 0.0
	for i, v := range a.data {
		total += v * b.data[i]
	}
	return total
}

// TestPatchConvAdjoint checks ⟨conv x, y⟩ = ⟨x, convT y⟩ with the same kernel. On a missing
// axis, conv sums the kernel and convT averages it.
func TestPatchConvAdjoint(t *testing.T) {
	var jobs []job
	for i, c := range append(convTShapes(), kernelSweep(func(int) int { return 2 })...) {
		if i >= 6 && i%6 != 0 { // the comparisons with loops cover both everywhere
			continue
		}
		y, w := c.input(2), c.kernel(c.in, c.out)
		full := c.naiveConvT(y, w, array{}).dims // the length that strides divide without remainder
		x := normal(seeded("adjoint "+c.String()), full...)
		factor := 1.0
		for a := range 3 {
			if c.n[a] == 1 {
				factor *= float64(c.k[a])
			}
		}
		for a := range 3 { // conv and convT must have the same missing axes
			require.Equal(t, c.n[a] == 1, full[1+a] == 1, c)
		}
		jobs = append(jobs, job{name: c.String(), in: []array{x, y, w},
			graph: func(in []*Node) []*Node {
				return []*Node{PatchConv(in[0], in[2], c.s), PatchConvTranspose(in[1], in[2], nil, c.s, [3]bool{})}
			},
			check: func(t *testing.T, got []array) {
				require.Equal(t, y.dims, got[0].dims)
				require.Equal(t, x.dims, got[1].dims)
				size := norm(got[0].data) * norm(y.data)
				require.InDelta(t, dot(got[0], y), factor*dot(x, got[1]), 1e-6*size)
			}})
	}
	runSweep(t, jobs...)
}

// TestPatchConvTransposePeriod checks that the result on a periodic axis repeats after n·s
// points, and that rolling the tokens by one rolls it by s.
func TestPatchConvTransposePeriod(t *testing.T) {
	var jobs []job
	for _, s := range []int{1, 2, 3, 5, 6, 7, 8} {
		c := convCase{n: [3]int{1, 4, 1}, k: [3]int{2, 8, 1}, s: [3]int{1, s, 1}, in: 2, out: 2, periodic: [3]bool{false, true, false}}
		x, w := c.input(1), c.kernel(2, 2)
		jobs = append(jobs, job{name: c.String(), in: []array{x, x.rolled(2, 1), w},
			graph: func(in []*Node) []*Node {
				return []*Node{PatchConvTranspose(in[0], in[2], nil, c.s, c.periodic),
					PatchConvTranspose(in[1], in[2], nil, c.s, c.periodic)}
			},
			check: func(t *testing.T, got []array) {
				length, period := 3*s+8, 4*s
				require.Equal(t, []int{1, 1, length, 1, 2}, got[0].dims)
				each(got[0].dims, func(i []int) {
					p, ch := i[2], i[4]
					require.InDelta(t, got[0].at(0, 0, p%period, 0, ch), got[0].at(i...), 1e-5)
					require.InDelta(t, got[0].at(0, 0, p%period, 0, ch), got[1].at(0, 0, (p+s)%period, 0, ch), 1e-5)
				})
			}})
	}
	runJobs(t, jobs...)
}

func TestPatchConvTransposeRefuses(t *testing.T) {
	for _, c := range []struct {
		x, w, bias, s []int
		texts         []string
	}{
		{[]int{1, 4, 4, 4, 3}, []int{5, 2, 2, 2, 2}, []int{2}, []int{1, 1, 1}, []string{"PatchConvTranspose x", "[-1 -1 -1 -1 5]", "got [1 4 4 4 3]"}},
		{[]int{1, 4, 4, 4, 3}, []int{3, 2, 2, 2}, []int{2}, []int{1, 1, 1}, []string{"expected [Cin, Cout, kH, kW, kD]", "got [3 2 2 2]"}},
		{[]int{1, 4, 4, 4, 3}, []int{3, 2, 2, 2, 2}, []int{2}, []int{1, 1, -1}, []string{"stride -1 on axis 2"}},
		{[]int{1, 4, 4, 4, 3}, []int{3, 2, 2, 2, 2}, []int{3}, []int{1, 1, 1}, []string{"bias", "expected shape [2]", "got [3]"}},
	} {
		requireRefused(t, func(in []*Node) *Node {
			return PatchConvTranspose(in[0], in[1], in[2], [3]int(c.s), [3]bool{})
		}, [][]int{c.x, c.w, c.bias}, c.texts...)
	}
}

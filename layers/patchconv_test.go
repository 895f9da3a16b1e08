package layers

import (
	"fmt"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"
)

// convCase is a strided convolution: lengths, kernels and strides of the axes, and input
// and output channels. in and out have the same meaning in the transposed case.
type convCase struct {
	n, k, s  [3]int
	in, out  int
	periodic [3]bool
}

func (c convCase) String() string {
	return fmt.Sprintf("n%v k%v s%v %d to %d periodic %v", c.n, c.k, c.s, c.in, c.out, c.periodic)
}

// collapsed returns the kernel w [A, B, kH, kW, kD] summed or averaged over the axes on
// which the input has one point, and the strides, which are 1 there.
func (c convCase) collapsed(w array, mean bool) (array, [3]int) {
	dims, s := append([]int(nil), w.dims...), c.s
	for a := range 3 {
		if c.n[a] == 1 {
			dims[2+a], s[a] = 1, 1
		}
	}
	out := newArray(dims...)
	each(w.dims, func(i []int) {
		v := w.at(i...)
		to := append([]int(nil), i...)
		for a := range 3 {
			if c.n[a] == 1 {
				to[2+a] = 0
				if mean {
					v /= float64(w.dims[2+a])
				}
			}
		}
		out.add(v, to...)
	})
	return out, s
}

// naiveConv computes the strided convolution of x [F, H, W, D, Cin] with w [Cout, Cin, kH,
// kW, kD] in loops.
func (c convCase) naiveConv(x, w array) array {
	w, s := c.collapsed(w, false)
	dims := []int{x.dims[0], 0, 0, 0, c.out}
	for a := range 3 {
		dims[1+a] = (c.n[a]-w.dims[2+a])/s[a] + 1
	}
	out := newArray(dims...)
	each(dims, func(o []int) {
		each(w.dims[1:], func(i []int) {
			ci, h, v, d := i[0], i[1], i[2], i[3]
			out.add(w.at(o[4], ci, h, v, d)*x.at(o[0], o[1]*s[0]+h, o[2]*s[1]+v, o[3]*s[2]+d, ci), o...)
		})
	})
	return out
}

func (c convCase) input(frames int) array {
	return normal(seeded("x "+c.String()), frames, c.n[0], c.n[1], c.n[2], c.in)
}

func (c convCase) kernel(first, second int) array {
	return normal(seeded("w "+c.String()), first, second, c.k[0], c.k[1], c.k[2])
}

// kernelSweep returns cases with every kernel from 1 to 8 and every stride from 1 to two
// more than the kernel on one axis, while the other axes vary with it or are missing. min
// returns the smallest length of an axis for a kernel.
func kernelSweep(min func(k int) int) (cases []convCase) {
	for k := 1; k <= 8; k++ {
		for s := 1; s <= k+2; s++ {
			axis, i := (k+s)%3, len(cases)
			c := convCase{n: [3]int{1, 1, 1}, k: [3]int{2, 3, 1}, s: [3]int{1, 2, 3}, in: 1 + i%2, out: 1 + i%3}
			c.n[axis], c.k[axis], c.s[axis] = min(k)+i%5, k, s
			if other := (axis + 1) % 3; i%2 == 0 {
				c.n[other] = min(c.k[other]) + 1 + i%3
			}
			if other := (axis + 2) % 3; i%3 == 0 {
				c.n[other], c.k[other], c.s[other] = min(4)+i%2, 4, 1+i%5
			}
			c.periodic = [3]bool{i%2 == 0, i%3 == 0, i%4 < 2}
			cases = append(cases, c)
		}
	}
	return cases
}

// convShapes returns small versions of the model's shapes, and corner cases.
func convShapes() []convCase {
	return []convCase{
		{n: [3]int{12, 9, 1}, k: [3]int{8, 8, 8}, s: [3]int{4, 1, 2}, in: 2, out: 3},
		{n: [3]int{1, 10, 8}, k: [3]int{4, 4, 4}, s: [3]int{4, 2, 4}, in: 3, out: 2},
		{n: [3]int{20, 1, 8}, k: [3]int{8, 8, 8}, s: [3]int{6, 6, 8}, in: 1, out: 2},
		{n: [3]int{1, 1, 1}, k: [3]int{4, 3, 2}, s: [3]int{4, 2, 1}, in: 3, out: 2},
		{n: [3]int{5, 6, 7}, k: [3]int{2, 3, 5}, s: [3]int{2, 1, 3}, in: 2, out: 1},
		{n: [3]int{7, 3, 4}, k: [3]int{3, 1, 2}, s: [3]int{5, 2, 3}, in: 2, out: 2},
		// 8·8·8·8 features are unfolded at once, one more channel is not; and the kernel
		// need not cover the first axis.
		{n: [3]int{9, 8, 9}, k: [3]int{8, 8, 8}, s: [3]int{1, 8, 1}, in: 8, out: 2},
		{n: [3]int{9, 8, 9}, k: [3]int{8, 8, 8}, s: [3]int{1, 8, 1}, in: 9, out: 2},
		{n: [3]int{12, 8, 9}, k: [3]int{8, 8, 8}, s: [3]int{4, 1, 1}, in: 9, out: 2},
		{n: [3]int{1, 17, 17}, k: [3]int{1, 16, 17}, s: [3]int{1, 1, 1}, in: 17, out: 1},
	}
}

func TestExtent(t *testing.T) {
	for _, c := range []struct {
		extent
		views, out int
	}{
		{extent{n: 1, k: 1, s: 1}, 1, 1}, {extent{n: 8, k: 8, s: 4}, 2, 1}, {extent{n: 15, k: 8, s: 4}, 2, 2},
		{extent{n: 16, k: 8, s: 6}, 2, 2}, {extent{n: 9, k: 8, s: 1}, 8, 2}, {extent{n: 9, k: 2, s: 5}, 1, 2},
	} {
		require.Equal(t, c.views, c.extent.views(), "views of %+v", c.extent)
		require.Equal(t, c.out, c.extent.out(), "results of %+v", c.extent)
	}
}

func TestPatchConv(t *testing.T) {
	var jobs []job
	for _, c := range append(convShapes(), kernelSweep(func(k int) int { return max(k, 2) })...) {
		x, w := c.input(2), c.kernel(c.out, c.in)
		jobs = append(jobs, job{name: c.String(), in: []array{x, w}, want: []array{c.naiveConv(x, w)},
			graph: func(in []*Node) []*Node { return []*Node{PatchConv(in[0], in[1], c.s)} }})
	}
	runSweep(t, jobs...)
}

// TestPatchConvUnfolds checks that the sweep has cases on both sides of the limit.
func TestPatchConvUnfolds(t *testing.T) {
	var below, above int
	for _, c := range convShapes() {
		features := c.in
		for a := range 3 {
			if c.n[a] > 1 {
				features *= extent{n: c.n[a], k: c.k[a], s: c.s[a]}.views() * c.s[a]
			}
		}
		if features <= unfoldLimit {
			below++
		} else {
			above++
		}
	}
	require.Greater(t, below, 1)
	require.Greater(t, above, 1)
}

func TestPatchConvGradients(t *testing.T) {
	var cases []gradCase
	for _, c := range []convCase{
		{n: [3]int{5, 6, 1}, k: [3]int{2, 3, 4}, s: [3]int{2, 1, 3}, in: 2, out: 2},
		{n: [3]int{9, 1, 8}, k: [3]int{4, 2, 8}, s: [3]int{4, 1, 3}, in: 2, out: 1},
		{n: [3]int{6, 4, 5}, k: [3]int{1, 2, 3}, s: [3]int{2, 4, 2}, in: 1, out: 2},
		{n: [3]int{9, 8, 8}, k: [3]int{8, 8, 8}, s: [3]int{1, 8, 4}, in: 9, out: 1},
	} {
		cases = append(cases, gradCase{name: c.String(), keys: []string{"x", "w"},
			in:    []array{c.input(2), c.kernel(c.out, c.in)},
			graph: func(in []*Node) *Node { return PatchConv(in[0], in[1], c.s) }})
	}
	checkGradients(t, cases...)
}

func TestPatchConvRefuses(t *testing.T) {
	for _, c := range []struct {
		x, w, s []int
		texts   []string
	}{
		{[]int{1, 4, 4, 4, 3}, []int{2, 5, 2, 2, 2}, []int{1, 1, 1}, []string{"PatchConv x", "[-1 -1 -1 -1 5]", "got [1 4 4 4 3]"}},
		{[]int{4, 4, 4, 3}, []int{2, 3, 2, 2, 2}, []int{1, 1, 1}, []string{"PatchConv x", "got [4 4 4 3]"}},
		{[]int{1, 4, 4, 4, 3}, []int{2, 3, 2, 2}, []int{1, 1, 1}, []string{"expected [Cout, Cin, kH, kW, kD]", "got [2 3 2 2]"}},
		{[]int{1, 4, 4, 4, 3}, []int{2, 3, 2, 2, 2}, []int{1, 0, 1}, []string{"stride 0 on axis 1"}},
		{[]int{1, 4, 4, 4, 3}, []int{2, 3, 2, 2, 5}, []int{1, 1, 1}, []string{"axis 2 has 4 points", "kernel of 5"}},
	} {
		requireRefused(t, func(in []*Node) *Node { return PatchConv(in[0], in[1], [3]int(c.s)) },
			[][]int{c.x, c.w}, c.texts...)
	}
}

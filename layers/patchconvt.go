package layers

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// PatchConvTranspose is the transposed convolution of [PatchConv]: one matrix product from
// tokens to patches, followed by an overlap-add.
//
// x is [F, h, w, d, Cin], w [Cin, Cout, kH, kW, kD] as in the reference, the result [F, H,
// W, D, Cout] with H = (h−1)·sH + kH; bias [Cout] may be nil. On an axis of length 1 the
// kernel is averaged and the stride is 1 (docs/reference.md §6).
//
// On a periodic axis, x is extended periodically before the product, so that the patches of
// the last tokens continue at the low end and vice versa; the result covers the same points
// [0, (h−1)·s+k) as on other axes. (The release gives the same result if the stride divides
// k−s. At stride 6 with kernel 8 the release loses four points, which this function keeps.)
func PatchConvTranspose(x, w, bias *Node, stride [3]int, periodic [3]bool) *Node {
	assertDims("PatchConvTranspose x", x, -1, -1, -1, -1, w.Shape().Dim(0))
	must(w.Rank() == 5, "PatchConvTranspose w: expected [Cin, Cout, kH, kW, kD], got %v", w.Shape().Dimensions)
	var ext [3]extent
	var wrap [3]int
	for a := range 3 {
		n, k := x.Shape().Dim(1+a), w.Shape().Dim(2+a)
		if n == 1 {
			w = ReduceAndKeep(w, ReduceMean, 2+a)
			ext[a] = extent{n: 1, k: 1, s: 1}
			continue
		}
		must(stride[a] >= 1, "PatchConvTranspose: stride %d on axis %d", stride[a], a)
		ext[a] = extent{n: n, k: k, s: stride[a]}
		if periodic[a] {
			wrap[a] = ext[a].views() - 1
			x = wrapAxis(x, 1+a, wrap[a])
		}
	}
	y := overlapAdd(x, w, ext)
	for a, e := range ext {
		low := wrap[a] * e.s
		y = SliceAxis(y, 1+a, AxisRange(low, low+(e.n-1)*e.s+e.k))
	}
	if bias == nil {
		return y
	}
	assertDims("PatchConvTranspose bias", bias, w.Shape().Dim(1))
	return Add(y, ExpandLeftToRank(bias, y.Rank()))
}

// wrapAxis extends an axis periodically by count points at both ends.
func wrapAxis(x *Node, axis, count int) *Node {
	if count == 0 {
		return x
	}
	n := x.Shape().Dim(axis)
	parts := []*Node{x}
	for left := count; left > 0; left -= n {
		m := min(left, n)
		parts = append([]*Node{SliceAxis(x, axis, AxisRange(n-m))}, parts...)
		parts = append(parts, SliceAxis(x, axis, AxisRange(0, m)))
	}
	return Concatenate(parts, axis)
}

// overlapAdd returns the transposed convolution of all tokens of x, including the tail of
// the last zero-padded patch. It adds overlaps one axis at a time: along the last axes it
// unfolds tokens before the product, along the first axes it adds patches after it. (XLA
// takes minutes to compile one nest of sums over all three axes.)
func overlapAdd(x, w *Node, ext [3]extent) *Node {
	in, out := w.Shape().Dim(0), w.Shape().Dim(1)
	sh, sw, sd := ext[0].s, ext[1].s, ext[2].s
	k := TransposeAllDims(kernelBlocks(w, ext), 2, 0, 3, 1) // views, in, strides, out
	features := sh * sw * sd * out
	first := firstOnTokens(ext, in, features)
	folded := viewsOf(ext[:first])
	k = Reshape(k, folded, viewsOf(ext[first:])*in, features)
	y := DotGeneral(unfoldReversed(x, ext, first), []int{4}, nil, k, []int{1}, nil)
	y = foldViews(y, ext, first)
	d := y.Shape().Dimensions
	y = Reshape(y, d[0], d[1], d[2], d[3], sh, sw, sd, out)
	y = TransposeAllDims(y, 0, 1, 4, 2, 5, 3, 6, 7)
	return Reshape(y, d[0], d[1]*sh, d[2]*sw, d[3]*sd, out)
}

// firstOnTokens returns the first axis along which tokens are unfolded before the product:
// 3 (none) if patches are narrower than the tokens, 0 (all) if the unfolded tokens are
// narrow.
func firstOnTokens(ext [3]extent, in, features int) int {
	views := viewsOf(ext[:])
	switch {
	case in >= features && views*features <= unfoldLimit || views == 1:
		return 3
	case views*in <= unfoldLimit:
		return 0
	}
	return narrowest(ext, in, features)
}

// foldViews adds overlapping patches y [F, h, w, d, views, features] along the axes before
// first. Its hand-written adjoint concatenates the patches to which each point contributed.
// XLA would make several copies of all patches for the derivatives of the sums.
func foldViews(y *Node, ext [3]extent, first int) *Node {
	d := y.Shape().Clone().Dimensions
	folded := y.Shape().Clone()
	folded.Dimensions = []int{d[0], d[1], d[2], d[3], d[5]}
	split := d[:4:4]
	for a, e := range ext[:first] {
		folded.Dimensions[1+a] += e.views() - 1
		split = append(split, e.views())
	}
	return form.Linear(y, folded, func(y *Node) *Node {
		y = Reshape(y, append(split, d[5])...)
		for a := first - 1; a >= 0; a-- {
			patches, axis := y, 4+a
			y = shiftSum(ext[a].views(), 1+a, func(j int) *Node {
				return Squeeze(SliceAxis(patches, axis, AxisElem(j)), axis)
			})
		}
		return y
	}, func(v *Node) *Node {
		for a := first - 1; a >= 0; a-- {
			parts := make([]*Node, ext[a].views())
			for j := range parts {
				parts[j] = SliceAxis(v, 1+a, AxisRange(j, j+d[1+a]))
			}
			v = Concatenate(parts, 4)
		}
		return Reshape(v, d...)
	})
}

// unfoldReversed concatenates, for each position, the tokens whose patches overlap there,
// along axis from and the axes after it: [F, h+vH−1, w+vW−1, d+vD−1, views·C], with views
// in the order of the kernel.
func unfoldReversed(x *Node, ext [3]extent, from int) *Node {
	for a := 2; a >= from; a-- {
		v := ext[a].views()
		parts := make([]*Node, v)
		for j := range parts {
			parts[j] = form.Padded(x, 1+a, j, v-1-j)
		}
		x = Concatenate(parts, 4)
	}
	return x
}

// shiftSum returns the sum of views terms, term j shifted by j along an axis.
func shiftSum(views, axis int, term func(j int) *Node) *Node {
	var sum *Node
	for j := range views {
		t := form.Padded(term(j), axis, j, views-1-j)
		if sum == nil {
			sum = t
		} else {
			sum = Add(sum, t)
		}
	}
	return sum
}

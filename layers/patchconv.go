package layers

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// unfoldLimit is the largest number of features to which a patch is unfolded before its
// product with the kernel without comparing the alternatives, which matter for 3D kernels.
const unfoldLimit = 1024

// PatchConv is a strided convolution without padding, computed as a matrix product of
// patches: kernel axes are zero-padded to a multiple of the stride, the input is divided
// into blocks of the stride, and shifted views of the blocks are multiplied by the kernel.
// Its gradients are those of slices and products.
//
// x is [F, H, W, D, Cin], w [Cout, Cin, kH, kW, kD] as in the reference, and the strides
// any positive numbers. The result is [F, h, w, d, Cout] with h = (H−kH)/sH + 1. An axis of
// length 1 is a missing axis: the kernel is summed over it and its stride is 1
// (docs/reference.md §5).
func PatchConv(x, w *Node, stride [3]int) *Node {
	assertDims("PatchConv x", x, -1, -1, -1, -1, w.Shape().Dim(1))
	must(w.Rank() == 5, "PatchConv w: expected [Cout, Cin, kH, kW, kD], got %v", w.Shape().Dimensions)
	var ext [3]extent
	for a := range 3 {
		n, k := x.Shape().Dim(1+a), w.Shape().Dim(2+a)
		if n == 1 {
			w = ReduceAndKeep(w, ReduceSum, 2+a)
			ext[a] = extent{n: 1, k: 1, s: 1}
			continue
		}
		must(stride[a] >= 1, "PatchConv: stride %d on axis %d", stride[a], a)
		must(n >= k, "PatchConv: axis %d has %d points, fewer than its kernel of %d", a, n, k)
		ext[a] = extent{n: n, k: k, s: stride[a]}
	}
	return unfoldDot(blocks(x, ext), blockKernel(w, ext), ext)
}

// extent describes one axis of a strided convolution: input length n, kernel k, stride s.
type extent struct{ n, k, s int }

// views returns the number of stride blocks that a kernel covers.
func (e extent) views() int { return (e.k + e.s - 1) / e.s }

// out returns the length of the result along the axis.
func (e extent) out() int { return (e.n-e.k)/e.s + 1 }

// viewsOf returns the number of views over several axes.
func viewsOf(axes []extent) int {
	n := 1
	for _, e := range axes {
		n *= e.views()
	}
	return n
}

// blocks divides x into blocks of the stride: [F, bH, bW, bD, sH·sW·sD·C].
func blocks(x *Node, ext [3]extent) *Node {
	f, c := x.Shape().Dim(0), x.Shape().Dim(-1)
	for a, e := range ext {
		x = fitAxis(x, 1+a, (e.out()-1+e.views())*e.s)
	}
	d := x.Shape().Dimensions
	h, w, z := ext[0].s, ext[1].s, ext[2].s
	x = Reshape(x, f, d[1]/h, h, d[2]/w, w, d[3]/z, z, c)
	x = TransposeAllDims(x, 0, 1, 3, 5, 2, 4, 6, 7)
	return Reshape(x, f, d[1]/h, d[2]/w, d[3]/z, h*w*z*c)
}

// fitAxis crops or zero-pads the end of an axis to the given length.
func fitAxis(x *Node, axis, length int) *Node {
	n := x.Shape().Dim(axis)
	if n > length {
		return SliceAxis(x, axis, AxisRange(0, length))
	}
	return form.Padded(x, axis, 0, length-n)
}

// blockKernel reorders w to the order of the unfolded features, [views H, views W, views D,
// sH·sW·sD·Cin, Cout].
func blockKernel(w *Node, ext [3]extent) *Node {
	out, in := w.Shape().Dim(0), w.Shape().Dim(1)
	w = TransposeAllDims(kernelBlocks(w, ext), 2, 3, 1, 0)
	return Reshape(w, ext[0].views(), ext[1].views(), ext[2].views(), ext[0].s*ext[1].s*ext[2].s*in, out)
}

// kernelBlocks zero-pads the kernel axes of w [A, B, kH, kW, kD] to multiples of the
// strides and reorders them to the order of blocks: [A, B, vH·vW·vD, sH·sW·sD].
func kernelBlocks(w *Node, ext [3]extent) *Node {
	a, b := w.Shape().Dim(0), w.Shape().Dim(1)
	views := viewsOf(ext[:])
	if form.OnGo(w.Graph()) {
		dims := []int{a, b}
		for i, e := range ext {
			w = fitAxis(w, 2+i, e.views()*e.s)
			dims = append(dims, e.views(), e.s)
		}
		w = TransposeAllDims(Reshape(w, dims...), 0, 1, 2, 4, 6, 3, 5, 7)
		return Reshape(w, a, b, views, -1)
	}
	return Reshape(gatherBlocks(w, ext), a, b, views, -1)
}

// gatherBlocks is kernelBlocks by a table of positions. (XLA on CPUs takes minutes to
// compile the derivative of the other form, a transposition of eight short axes.)
func gatherBlocks(w *Node, ext [3]extent) *Node {
	a, b, k := w.Shape().Dim(0), w.Shape().Dim(1), ext[0].k*ext[1].k*ext[2].k
	from, back := blockOrder(ext)
	flat := Reshape(w, a, b, k)
	moved := flat.Shape().Clone()
	moved.Dimensions[2] = len(from)
	return form.Linear(flat, moved, func(x *Node) *Node {
		return SelectColumns(form.Padded(x, 2, 0, 1), Const(x.Graph(), from), 2)
	}, func(v *Node) *Node { return SelectColumns(v, Const(v.Graph(), back), 2) })
}

// blockOrder returns two tables. from holds, for each position of a kernel in blocks, the
// position in the kernel, or the kernel's length for positions of the zero padding. back
// holds the inverse.
func blockOrder(ext [3]extent) (from, back []int32) {
	n := ext[0].k * ext[1].k * ext[2].k
	back = make([]int32, n)
	each3([3]int{ext[0].views(), ext[1].views(), ext[2].views()}, func(v [3]int) {
		each3([3]int{ext[0].s, ext[1].s, ext[2].s}, func(s [3]int) {
			at, inside := 0, true
			for i, e := range ext {
				p := v[i]*e.s + s[i]
				at, inside = at*e.k+p, inside && p < e.k
			}
			if !inside {
				at = n
			} else {
				back[at] = int32(len(from))
			}
			from = append(from, int32(at))
		})
	})
	return from, back
}

// each3 calls f for all positions of a box in row-major order.
func each3(dims [3]int, f func(i [3]int)) {
	for a := range dims[0] {
		for b := range dims[1] {
			for c := range dims[2] {
				f([3]int{a, b, c})
			}
		}
	}
}

// PatchWidths returns the numbers of features per position of the operand and of the result
// of [PatchConv]'s product, or of [PatchConvTranspose]'s if transposed is set. They
// determine the memory that these layers need. Axes of length 1 have kernel and stride 1.
// Both numbers are 0 unless every stride is 1 to 2^16 and no kernel is smaller.
func PatchWidths(kernel, stride [3]int, in, out int, transposed bool) (operand, result int) {
	var ext [3]extent
	for a := range ext {
		if stride[a] < 1 || stride[a] > 1<<16 || kernel[a] < stride[a] {
			return 0, 0
		}
		ext[a] = extent{k: kernel[a], s: stride[a]}
	}
	block := stride[0] * stride[1] * stride[2]
	if transposed {
		first := firstOnTokens(ext, in, block*out)
		return viewsOf(ext[first:]) * in, viewsOf(ext[:first]) * block * out
	}
	first := firstUnfolded(ext, block*in, out)
	return viewsOf(ext[first:]) * block * in, viewsOf(ext[:first]) * out
}

// unfoldDot returns the product of all shifted views of the blocks x with their slices of
// the kernel [vH, vW, vD, features, out]. The views of the last axes are concatenated
// before the product. If there are few outputs, the views of the first axes are added after
// it.
func unfoldDot(x, kernel *Node, ext [3]extent) *Node {
	features, out := kernel.Shape().Dim(3), kernel.Shape().Dim(4)
	first := firstUnfolded(ext, features, out)
	for a := 2; a >= first; a-- {
		x = unfoldAxis(x, 1+a, ext[a])
	}
	views, in := viewsOf(ext[:first]), viewsOf(ext[first:])*features
	kernel = Reshape(kernel, views, in, out)
	if form.OnGo(x.Graph()) {
		return foldOutputs(DotGeneral(x, []int{4}, nil, kernel, []int{1}, nil), ext, first)
	}
	y := denseDot(x, Reshape(TransposeAllDims(kernel, 0, 2, 1), views*out, in))
	d := y.Shape().Dimensions
	return foldOutputs(Reshape(y, d[0], d[1], d[2], d[3], views, out), ext, first)
}

// firstUnfolded returns the first axis whose views are concatenated before the product.
func firstUnfolded(ext [3]extent, features, out int) int {
	if viewsOf(ext[:])*features <= unfoldLimit {
		return 0
	}
	return narrowest(ext, features, out)
}

// narrowest returns the first axis that is unfolded before the product; the axes before it
// are folded after the product. in and out are the widths per view of operand and result.
// The choice minimises the sum of both widths.
func narrowest(ext [3]extent, in, out int) int {
	best, least := 0, viewsOf(ext[:])*in+out
	for first := 1; first <= 3; first++ {
		if width := viewsOf(ext[first:])*in + viewsOf(ext[:first])*out; width < least {
			best, least = first, width
		}
	}
	return best
}

// foldOutputs adds the views of the axes before first in y [F, h, w, d, views, out], each
// shifted back by its offset.
func foldOutputs(y *Node, ext [3]extent, first int) *Node {
	d := y.Shape().Clone().Dimensions
	out := d[5]
	for a := first - 1; a >= 0; a-- {
		e := ext[a]
		y = Reshape(y, d[0], d[1], d[2], d[3], -1, e.views(), out)
		var sum *Node
		for j := range e.views() {
			view := SliceAxis(SliceAxis(y, 5, AxisElem(j)), 1+a, AxisRange(j, j+e.out()))
			sum = form.AddTo(sum, view)
		}
		d[1+a] = e.out()
		y = Squeeze(sum, 5)
	}
	return Reshape(y, d[0], d[1], d[2], d[3], out)
}

// unfoldAxis concatenates the shifted views of an axis along the features.
func unfoldAxis(x *Node, axis int, e extent) *Node {
	if e.views() == 1 {
		return x
	}
	parts := make([]*Node, e.views())
	for j := range parts {
		parts[j] = SliceAxis(x, axis, AxisRange(j, j+e.out()))
	}
	return Concatenate(parts, 4)
}

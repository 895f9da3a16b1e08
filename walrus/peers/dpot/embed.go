package dpot

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// embed returns the tokens [B, T, n…, E] of x [B, X…, T, C]: each frame with the
// coordinates of its points and its time is cut into patches, and the position embedding
// is added.
func (m *Model) embed(w ModelWeights, x *Node) *Node {
	c, axes := m.config, m.config.Axes()
	order := []int{0, axes + 1}
	for a := range axes {
		order = append(order, 1+a)
	}
	x = withCoordinates(TransposeAllDims(x, append(order, axes+2)...))
	d := x.Shape().Clone().Dimensions
	z := layers.PatchConv(in3(x, axes), kernel3(w.EmbedIn.Weight), stride3(c.Patch, axes))
	z = Add(z, ExpandLeftToRank(w.EmbedIn.Bias, z.Rank()))
	z = w.EmbedOut.dense(c.Activation.apply(z))
	grid := make([]int, axes)
	for a := range grid {
		grid[a] = d[2+a] / c.Patch
	}
	z = Reshape(z, append(append(d[:2:2], grid...), c.Hidden)...)
	return Add(z, ExpandAxes(m.position(w, grid), 0))
}

// position returns the position embedding [1, n…, E] for a token grid.
func (m *Model) position(w ModelWeights, grid []int) *Node {
	order := []int{0}
	for a := range grid {
		order = append(order, 2+a)
	}
	return Resize(TransposeAllDims(w.Position, append(order, 1)...), grid)
}

// withCoordinates appends channels to x [B, T, X…, C]: for each spatial axis, and then for
// time, the position from 0 to 1.
func withCoordinates(x *Node) *Node {
	d := x.Shape().Clone().Dimensions
	last := len(d) - 1
	parts := []*Node{x}
	d[last] = 1
	for i := range last - 1 {
		axis := 2 + i
		if axis == last {
			axis = 1 // time comes last
		}
		along := make([]int, len(d))
		for a := range along {
			along[a] = 1
		}
		along[axis] = d[axis]
		positions := make([]float64, d[axis])
		for k := range positions {
			if k > 0 {
				positions[k] = float64(k) / float64(d[axis]-1)
			}
		}
		parts = append(parts, BroadcastToDims(Reshape(ConstAs(x, positions), along...), d...))
	}
	return Concatenate(parts, -1)
}

// decode returns the frames [B, X…, T, C] of tokens [B, n…, E].
func (m *Model) decode(w ModelWeights, tokens *Node) *Node {
	c, axes := m.config, m.config.Axes()
	d := tokens.Shape().Clone().Dimensions
	y := unpatch(in3(ExpandAxes(tokens, 0), axes), kernel3(w.OutPatch.Weight), w.OutPatch.Bias, stride3(c.Patch, axes))
	y = w.OutHidden.dense(c.Activation.apply(y))
	y = w.Out.dense(c.Activation.apply(y))
	dims := []int{d[0]}
	for a := range axes {
		dims = append(dims, d[1+a]*c.Patch)
	}
	return Reshape(y, append(dims, c.OutSteps, c.OutChannels)...) // a step's channels lie together
}

// unpatch is the transposed convolution whose kernel is as long as its stride. An axis of
// one token becomes a full patch: layers.PatchConvTranspose takes it for a missing axis, so
// a second token is added and its patch removed.
func unpatch(x, w, bias *Node, stride [3]int) *Node {
	short := [3]bool{}
	for a := range stride {
		if x.Shape().Dim(1+a) == 1 && stride[a] > 1 {
			short[a] = true
			x = Concatenate([]*Node{x, ZerosLike(x)}, 1+a)
		}
	}
	y := layers.PatchConvTranspose(x, w, bias, stride, [3]bool{})
	for a := range stride {
		if short[a] {
			y = SliceAxis(y, 1+a, AxisRange(0, stride[a]))
		}
	}
	return y
}

// in3 merges the first two axes of x [A, B, n…, C] and adds a third spatial axis of one
// point in 2D: [A·B, H, W, D, C].
func in3(x *Node, axes int) *Node {
	d := append([]int{-1}, x.Shape().Dimensions[2:2+axes]...)
	if axes == 2 {
		d = append(d, 1)
	}
	return Reshape(x, append(d, x.Shape().Dim(-1))...)
}

// kernel3 adds the third axis to a kernel [a, b, k…].
func kernel3(w *Node) *Node {
	if w.Rank() == 4 {
		return ExpandAxes(w, -1)
	}
	return w
}

func stride3(patch, axes int) [3]int {
	if axes == 2 {
		return [3]int{patch, patch, 1}
	}
	return [3]int{patch, patch, patch}
}

package poseidon

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// Merging joins 2 × 2 tokens to one of twice the width, at the end of a stage of the
// encoder. An axis of odd length gets a token of zeros first.
type Merging struct {
	// Channels is the width D of its input.
	Channels    int
	Conditioned bool
}

// MergingWeights holds the parameters of a Merging.
type MergingWeights struct {
	Reduction *Node // [2D, 4D]
	Norm      NormWeights
}

func (m Merging) norm() Norm { return Norm{2 * m.Channels, m.Conditioned} }

// Weights gets every parameter from v.
func (m Merging) Weights(v layers.Vars) MergingWeights {
	d := m.Channels
	return MergingWeights{v.In("reduction").Var("weight", initial, 2*d, 4*d), m.norm().Weights(v.In("norm"))}
}

// Apply returns the tokens [B, ⌈h/2⌉, ⌈w/2⌉, 2D] for x [B, h, w, D]. The channels of the
// four tokens are in the order upper left, lower left, upper right, lower right.
func (m Merging) Apply(x *Node, w MergingWeights, t *Node) *Node {
	assertDims("Merging x", x, -1, -1, -1, m.Channels)
	d := x.Shape().Clone().Dimensions
	height, width := (d[1]+1)/2, (d[2]+1)/2
	x = padEnd(padEnd(x, 1, 2*height), 2, 2*width)
	x = TransposeAllDims(Reshape(x, d[0], height, 2, width, 2, d[3]), 0, 1, 3, 4, 2, 5)
	x = layers.Dense(Reshape(x, d[0], height, width, 4*d[3]), w.Reduction, nil)
	return m.norm().Apply(x, w.Norm, t)
}

// Unmerging splits a token into 2 × 2 tokens of half the width, at the end of a stage of the
// decoder.
type Unmerging struct {
	// Channels is the width D of its input.
	Channels    int
	Conditioned bool
}

// UnmergingWeights holds the parameters of an Unmerging.
type UnmergingWeights struct {
	Expand *Node // [2D, D]
	Mix    *Node // [D/2, D/2]
	Norm   NormWeights
}

func (u Unmerging) norm() Norm { return Norm{u.Channels / 2, u.Conditioned} }

// Weights gets every parameter from v.
func (u Unmerging) Weights(v layers.Vars) UnmergingWeights {
	d := u.Channels
	return UnmergingWeights{v.In("upsample").Var("weight", initial, 2*d, d),
		v.In("mixup").Var("weight", initial, d/2, d/2), u.norm().Weights(v.In("norm"))}
}

// Apply returns the tokens [B, grid, D/2] for x [B, h, w, D]. The grid is at most 2h × 2w;
// further rows and columns are cut off.
func (u Unmerging) Apply(x *Node, w UnmergingWeights, grid [2]int, t *Node) *Node {
	assertDims("Unmerging x", x, -1, -1, -1, u.Channels)
	must(u.Channels%2 == 0, "Unmerging: expected an even width, got %d", u.Channels)
	d := x.Shape().Clone().Dimensions
	x = Reshape(layers.Dense(x, w.Expand, nil), d[0], d[1], d[2], 2, 2, d[3]/2)
	x = Reshape(TransposeAllDims(x, 0, 1, 3, 2, 4, 5), d[0], 2*d[1], 2*d[2], d[3]/2)
	x = u.norm().Apply(cropEnd(cropEnd(x, 1, grid[0]), 2, grid[1]), w.Norm, t)
	return layers.Dense(x, w.Mix, nil)
}

package layers

import (
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/gowalrus/gowalrus/internal/enum"
	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// RoPEMode selects the frequencies of an AxialRoPE.
type RoPEMode int

const (
	// RoPEFixed uses the released frequencies, which are saved but not trained.
	RoPEFixed RoPEMode = iota
	// RoPEShared trains one set of frequencies for all axes of a block
	// (finetuning_mods.learnable_rope).
	RoPEShared
	// RoPEPerAxis trains one set per block and axis, as the authors' finetuning does
	// (finetuning_mods.learnable_rope with rope_per_axis).
	RoPEPerAxis
)

var ropeNames = []string{"fixed", "shared", "per_axis"}

// String returns "fixed", "shared" or "per_axis".
func (r RoPEMode) String() string { return enum.Name(ropeNames, r) }

// MarshalText returns [RoPEMode.String], or an error for an unknown value.
func (r RoPEMode) MarshalText() ([]byte, error) { return enum.Text("RoPE mode", ropeNames, r) }

// UnmarshalText reads the text that MarshalText writes.
func (r *RoPEMode) UnmarshalText(b []byte) error { return enum.Parse("RoPE mode", ropeNames, b, r) }

// RoPEFrequencies returns M, the number of frequencies per axis for heads of width k:
// (k/4)/2 with integer divisions. The three axes together rotate 6·M of the k dimensions
// (66 of 88 in the release).
func RoPEFrequencies(k int) int { return k / 4 / 2 }

// RoPEBase returns the released frequencies π·linspace(1, 128, M), nil unless M is 1 to
// 2^24.
func RoPEBase(k int) []float32 {
	out := linspace(1, 128, RoPEFrequencies(k))
	for i := range out {
		out[i] *= float32(math.Pi)
	}
	return out
}

// RoPEPositions returns linspace(-1, 1, n), the positions of the n tokens of an axis. A
// single token has position -1. It returns nil unless n is 1 to 2^24.
func RoPEPositions(n int) []float32 { return linspace(-1, 1, n) }

// linspace rounds like the reference: in float32, from both ends towards the middle. Angles
// reach 128π, where one float32 step of the position affects the result visibly.
func linspace(lo, hi float32, n int) []float32 {
	if n < 1 || n > 1<<24 {
		return nil
	}
	out := make([]float32, n)
	if n == 1 {
		out[0] = lo
		return out
	}
	step := (hi - lo) / float32(n-1)
	for i := range out {
		if i < n/2 {
			out[i] = fma(step, float32(i), lo)
		} else {
			out[i] = fma(-step, float32(n-1-i), hi)
		}
	}
	return out
}

// fma returns a·b+c with a single rounding.
func fma(a, b, c float32) float32 {
	return float32(math.FMA(float64(a), float64(b), float64(c)))
}

// AxialRoPE holds the frequencies of the rotary position embedding of one attention layer:
// one node of shape [M] for each axis H, W, D. The nodes may be the same.
type AxialRoPE struct {
	Freqs [3]*Node
}

// RoPEWeights gets from v the frequencies of heads of width k: "freqs", shared by the axes,
// or "freqs.0", "freqs.1" and "freqs.2".
func RoPEWeights(v Vars, mode RoPEMode, k int) AxialRoPE {
	m := RoPEFrequencies(k)
	must(m >= 1, "AxialRoPE: heads of width %d have nothing to rotate: expected at least 8", k)
	init := Init{Values: RoPEBase(k), Buffer: mode == RoPEFixed}
	if mode != RoPEPerAxis {
		f := v.Var("freqs", init, m)
		return AxialRoPE{Freqs: [3]*Node{f, f, f}}
	}
	v = v.In("freqs")
	return AxialRoPE{Freqs: [3]*Node{v.Var("0", init, m), v.Var("1", init, m), v.Var("2", init, m)}}
}

// Angles returns the rotation angles of every token, [S, 3M]: for the token at (h, w, d),
// the positions along the three axes times their frequencies, concatenated.
//
// roll, if not nil, is int32 [3] with 0 ≤ roll[i] < n_i, or [B, 3] for B samples, which
// gives angles [B, S, 3M]. The angles are those of the tokens after rolling the grid by
// roll, out[(i+r) mod n] = in[i]. Attention over all tokens depends on positions only
// through the angles, so rolling the angles replaces rolling the activations
// (docs/reference.md §2, step 9).
func (r AxialRoPE) Angles(grid [3]int, roll *Node) *Node {
	return r.overTokens(grid, roll, func(angles *Node) *Node { return angles })
}

// overTokens applies f to every element of [AxialRoPE.Angles]: to the angles of each axis,
// before they are repeated for all tokens.
func (r AxialRoPE) overTokens(grid [3]int, roll *Node, f func(angles *Node) *Node) *Node {
	if roll != nil && roll.Rank() == 2 {
		all := make([]*Node, roll.Shape().Dim(0))
		for i := range all {
			all[i] = r.overTokens(grid, form.Entry(roll, i), f)
		}
		return form.Stacked(all...)
	}
	var parts []*Node
	for axis, n := range grid {
		freqs := r.Freqs[axis]
		m := freqs.Shape().Dim(0)
		p := ConvertDType(Const(freqs.Graph(), RoPEPositions(n)), freqs.DType())
		if roll != nil {
			p = Gather(p, ExpandAxes(rolledIndex(SliceAxis(roll, 0, AxisElem(axis)), n), -1))
		}
		dims := []int{1, 1, 1, 1}
		dims[axis] = n
		a := f(Mul(Reshape(p, dims...), Reshape(freqs, 1, 1, 1, m)))
		parts = append(parts, BroadcastToDims(a, grid[0], grid[1], grid[2], m))
	}
	all := Concatenate(parts, 3)
	return Reshape(all, grid[0]*grid[1]*grid[2], -1)
}

// perFrame converts angles of [AxialRoPE.Angles] to those of f frames, [f, S, 3M], or [1,
// S, 3M] if all frames have the same.
func perFrame(angles *Node, f int) *Node {
	if angles.Rank() == 2 {
		return ExpandAxes(angles, 0)
	}
	d := angles.Shape().Dimensions
	must(f%d[0] == 0, "RoPE: %d rolls do not divide %d frames", d[0], f)
	if d[0] == f {
		return angles
	}
	return Reshape(BroadcastToDims(ExpandAxes(angles, 1), d[0], f/d[0], d[1], d[2]), f, d[1], d[2])
}

// rolledIndex returns (i + shift) mod n for i in [0, n) and a shift in [0, n).
func rolledIndex(shift *Node, n int) *Node {
	g := shift.Graph()
	i := Add(Iota(g, shapes.Make(dtypes.Int32, n), 0), BroadcastToDims(Reshape(shift, 1), n))
	return Where(GreaterOrEqual(i, Scalar(g, dtypes.Int32, n)), AddScalar(i, -n), i)
}

// Rotate rotates the pairs (2j, 2j+1) of the last axis of x by angle j:
//
//	(a, b) → (a·cos θ − b·sin θ, b·cos θ + a·sin θ)
//
// x is [..., S, K], angles [S, 3M]. The last K−6M dimensions do not change.
func Rotate(x, angles *Node) *Node {
	pairs := angles.Shape().Dim(1)
	s, k := x.Shape().Dim(-2), x.Shape().Dim(-1)
	assertDims("RoPE angles", angles, s, -1)
	must(2*pairs <= k, "RoPE: %d pairs do not fit heads of width %d", pairs, k)
	dims := x.Shape().Clone().Dimensions
	head := Reshape(SliceAxis(x, -1, AxisRange(0, 2*pairs)), append(dims[:len(dims)-1:len(dims)-1], pairs, 2)...)
	a := Squeeze(SliceAxis(head, -1, AxisElem(0)), -1)
	b := Squeeze(SliceAxis(head, -1, AxisElem(1)), -1)
	a, b = rotatePair(a, b, ExpandLeftToRank(angles, a.Rank()))
	turned := Concatenate([]*Node{ExpandAxes(a, -1), ExpandAxes(b, -1)}, -1)
	turned = Reshape(turned, append(dims[:len(dims)-1:len(dims)-1], 2*pairs)...)
	if 2*pairs == k {
		return turned
	}
	return Concatenate([]*Node{turned, SliceAxis(x, -1, AxisRange(2*pairs))}, -1)
}

func rotatePair(a, b, angles *Node) (*Node, *Node) {
	c, s := Cos(angles), Sin(angles)
	return Sub(Mul(a, c), Mul(b, s)), Add(Mul(b, c), Mul(a, s))
}

// rotateHalves is Rotate for heads whose dimensions are in the order of [halves]: the first
// members of all pairs, then the second members, then the other dimensions. angles is [..,
// P] and must broadcast against the leading axes of x. Contiguous slices are several times
// faster than slices of every second element.
func rotateHalves(x, angles *Node) *Node {
	return turnHalves(x, Cos(angles), Sin(angles))
}

// turnHalves is rotateHalves with the cosines and sines of the angles.
func turnHalves(x, cos, sin *Node) *Node {
	p, k := cos.Shape().Dim(-1), x.Shape().Dim(-1)
	widths := []int{p, p}
	if 2*p < k {
		widths = append(widths, k-2*p)
	}
	parts := form.Parts(x, widths...)
	a, b := parts[0], parts[1]
	parts[0], parts[1] = Sub(Mul(a, cos), Mul(b, sin)), Add(Mul(b, cos), Mul(a, sin))
	return Concatenate(parts, -1)
}

// turnPairs is [Rotate] for x of even width and angles [.., P] that broadcast against the
// leading axes of x. It multiplies every dimension by a cosine and adds the other member of
// its pair times a sine.
func turnPairs(x, angles *Node) *Node {
	p, k := angles.Shape().Dim(-1), x.Shape().Dim(-1)
	lead := angles.Shape().Clone().Dimensions[:angles.Rank()-1]
	// both interleaves first and second, and appends rest for dimensions that are not
	// rotated.
	both := func(first, second *Node, rest float64) *Node {
		both := Reshape(Concatenate([]*Node{ExpandAxes(first, -1), ExpandAxes(second, -1)}, -1), append(slices.Clone(lead), 2*p)...)
		if 2*p == k {
			return both
		}
		shape := angles.Shape().Clone()
		shape.Dimensions[len(lead)] = k - 2*p
		return Concatenate([]*Node{both, AddScalar(Zeros(x.Graph(), shape), rest)}, -1)
	}
	cos, sin := Cos(angles), Sin(angles)
	return Add(Mul(x, both(cos, cos, 1)), Mul(exchanged(x), both(Neg(sin), sin, 0)))
}

// exchanged exchanges the members of each pair (2j, 2j+1) of the last axis.
func exchanged(x *Node) *Node {
	pairs := func(x *Node) *Node {
		d := x.Shape().Clone().Dimensions
		last := len(d) - 1
		y := Reverse(Reshape(x, append(slices.Clone(d[:last]), d[last]/2, 2)...), last+1)
		return Reshape(y, d...)
	}
	return form.Linear(x, x.Shape(), pairs, pairs)
}

// halves reorders an axis of length heads·K such that each head has the first members of
// the rotated pairs first, then the second members. The products q·k do not change if q and
// k are reordered alike.
func halves(w *Node, axis, heads, pairs int) *Node {
	dims := w.Shape().Clone().Dimensions
	k := dims[axis] / heads
	outer, inner := 1, 1
	for i, d := range dims {
		if i < axis {
			outer *= d
		} else if i > axis {
			inner *= d
		}
	}
	x := Reshape(w, outer, heads, k, inner)
	turned := SliceAxis(x, 2, AxisRange(0, 2*pairs))
	turned = Reshape(turned, outer, heads, pairs, 2, inner)
	turned = Reshape(TransposeAllDims(turned, 0, 1, 3, 2, 4), outer, heads, 2*pairs, inner)
	if 2*pairs < k {
		turned = Concatenate([]*Node{turned, SliceAxis(x, 2, AxisRange(2*pairs))}, 2)
	}
	return Reshape(turned, dims...)
}

// AxialRoPEBuilder builds an AxialRoPE with its frequencies in a scope.
type AxialRoPEBuilder struct {
	scope *model.Scope
	x     *Node
	grid  [3]int
	mode  RoPEMode
	roll  *Node
}

// NewAxialRoPE returns a builder of the rotation of x [..., S, K] over a token grid.
func NewAxialRoPE(scope *model.Scope, x *Node, grid [3]int) *AxialRoPEBuilder {
	return &AxialRoPEBuilder{scope: scope, x: x, grid: grid}
}

// Mode selects fixed or trained frequencies.
func (b *AxialRoPEBuilder) Mode(m RoPEMode) *AxialRoPEBuilder { b.mode = m; return b }

// Roll uses the angles of a rolled grid; see [AxialRoPE.Angles].
func (b *AxialRoPEBuilder) Roll(roll *Node) *AxialRoPEBuilder { b.roll = roll; return b }

// Done returns the rotated x.
func (b *AxialRoPEBuilder) Done() *Node {
	r := RoPEWeights(ScopeVars(b.scope, b.x.Graph()), b.mode, b.x.Shape().Dim(-1))
	return Rotate(b.x, r.Angles(b.grid, b.roll))
}

// turnsPairs reports whether heads of the given width are rotated without reordering. On
// CPUs contiguous slices are faster, so heads are first reordered by [halves], in the
// weights. On GPUs that would cost a copy of the weights.
func turnsPairs(g *Graph, width int) bool { return form.OnGPU(g) && width%2 == 0 }

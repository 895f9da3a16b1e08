package poseidon

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// WindowAttention is the attention of SwinV2 (arXiv 2111.09883) among the tokens of a
// window:
//
//	s = cos(q, k)·exp(min(logit scale, ln 100)) + 16·σ(T[offset of q and k]) + mask
//	y = Wo·(softmax(s)·v) + bo
//
// with a logit scale for each head. A small network computes the table T from the
// logarithms of the offsets.
type WindowAttention struct {
	// Channels is D, Heads is N, Window the edge length of a window in tokens.
	Channels, Heads, Window int
	// NoBias leaves out the biases of queries and values.
	NoBias bool
}

// WindowAttentionWeights holds the parameters of a WindowAttention.
type WindowAttentionWeights struct {
	LogitScale                     *Node // [N, 1, 1]
	TableIn, TableInBias, TableOut *Node // [512, 2], [512], [N, 512]
	Query, QueryBias, Key          *Node // [D, D], [D] or nil, [D, D]
	Value, ValueBias, Out, OutBias *Node // [D, D], [D] or nil, [D, D], [D]
}

const (
	// tableWidth is the number of hidden units of the network of the position bias.
	tableWidth = 512
	// tableScale is the largest position bias.
	tableScale = 16
	// maxLogitScale is the largest factor of the cosines.
	maxLogitScale = 100
	// smallestSquare is the square of the least norm by which queries and keys are divided.
	smallestSquare = 1e-24
)

// Weights gets every parameter from v, the Vars of the original's module "attention".
func (a WindowAttention) Weights(v layers.Vars) WindowAttentionWeights {
	w := a.selfWeights(v.In("self"))
	out := v.In("output").In("dense")
	w.Out, w.OutBias = out.Var("weight", initial, a.Channels, a.Channels), out.Var("bias", layers.Zero, a.Channels)
	return w
}

// selfWeights gets the parameters other than those of the output projection.
func (a WindowAttention) selfWeights(v layers.Vars) WindowAttentionWeights {
	d, n := a.Channels, a.Heads
	var w WindowAttentionWeights
	w.LogitScale = v.Var("logit_scale", layers.Init{Constant: math.Log(10)}, n, 1, 1)
	table := v.In("continuous_position_bias_mlp")
	w.TableIn = table.In("0").Var("weight", initial, tableWidth, 2)
	w.TableInBias = table.In("0").Var("bias", layers.Zero, tableWidth)
	w.TableOut = table.In("2").Var("weight", initial, n, tableWidth)
	w.Query = v.In("query").Var("weight", initial, d, d)
	if !a.NoBias {
		w.QueryBias = v.In("query").Var("bias", layers.Zero, d)
	}
	w.Key = v.In("key").Var("weight", initial, d, d)
	w.Value = v.In("value").Var("weight", initial, d, d)
	if !a.NoBias {
		w.ValueBias = v.In("value").Var("bias", layers.Zero, d)
	}
	return w
}

// Apply returns y for the windows x [B, windows, S, D] with S = Window² tokens. mask
// [windows, S, S] is added to the scores, or is nil; see [Windows.Mask].
func (a WindowAttention) Apply(x *Node, w WindowAttentionWeights, mask *Node) *Node {
	return layers.Dense(a.attend(x, w, mask), w.Out, w.OutBias)
}

// attend is Apply without the output projection.
func (a WindowAttention) attend(x *Node, w WindowAttentionWeights, mask *Node) *Node {
	q, k, v, bias := a.operands(x, w, mask)
	d := x.Shape().Dimensions
	y := Reshape(layers.SoftmaxAttention(q, k, v, bias), d[0]*d[1], a.Heads, d[2], -1)
	return Reshape(TransposeAllDims(y, 0, 2, 1, 3), d...)
}

// operands returns queries, keys and values [B, windows·N, S, K] and the bias [1, windows·N,
// S, S]: windows are treated like heads, so that masks need not be repeated for each sample.
func (a WindowAttention) operands(x *Node, w WindowAttentionWeights, mask *Node) (q, k, v, bias *Node) {
	n, s := a.Heads, a.Window*a.Window
	assertDims("WindowAttention x", x, -1, -1, s, a.Channels)
	must(n > 0 && a.Channels%n == 0, "WindowAttention: %d heads do not divide %d channels", n, a.Channels)
	batch, windows := x.Shape().Dim(0), x.Shape().Dim(1)
	perHead := func(x *Node) *Node {
		x = TransposeAllDims(Reshape(x, batch*windows, s, n, -1), 0, 2, 1, 3)
		return Reshape(x, batch, windows, n, s, -1)
	}
	q = unit(perHead(layers.Dense(x, w.Query, w.QueryBias)))
	k = unit(perHead(layers.Dense(x, w.Key, nil)))
	v = perHead(layers.Dense(x, w.Value, w.ValueBias))
	scale := Exp(MinScalar(w.LogitScale, math.Log(maxLogitScale)))
	q = Mul(q, Reshape(scale, 1, 1, n, 1, 1))
	bias = ExpandAxes(a.positionBias(w), 0)
	if mask != nil {
		assertDims("WindowAttention mask", mask, windows, s, s)
		bias = Add(bias, ExpandAxes(mask, 1))
	} else {
		bias = BroadcastToDims(bias, windows, n, s, s)
	}
	merged := func(x *Node) *Node { return Reshape(x, batch, windows*n, s, -1) }
	return merged(q), merged(k), merged(v), Reshape(bias, 1, windows*n, s, s)
}

// positionBias returns 16·σ(T) for every head, query and key, [N, S, S].
func (a WindowAttention) positionBias(w WindowAttentionWeights) *Node {
	s := a.Window * a.Window
	table := ConstAs(w.TableIn, coordinates(a.Window))
	hidden := MaxScalar(layers.Dense(table, w.TableIn, w.TableInBias), 0)
	values := MulScalar(Logistic(layers.Dense(hidden, w.TableOut, nil)), tableScale)
	bias := Reshape(Gather(values, Const(values.Graph(), offsets(a.Window))), s, s, a.Heads)
	return TransposeAllDims(bias, 2, 0, 1)
}

// unit divides x by its norm over the last axis. (The maximum comes before the root, whose
// derivative at zero is infinite: the keys of tokens that pad the grid are zero.)
func unit(x *Node) *Node {
	square := ReduceAndKeep(Square(x), ReduceSum, -1)
	return Div(x, Sqrt(MaxScalar(square, smallestSquare)))
}

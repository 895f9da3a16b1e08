package mpp

import (
	"math"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
)

// EncoderWeights holds the parameters of the encoder as graph nodes.
type EncoderWeights struct {
	// Fields [E/4, States] and FieldsBias [E/4] mix the fields of each point ("space_bag").
	Fields, FieldsBias *Node
	// Conv holds the kernels [E/4, E/4, 4, 4], [E/4, E/4, 2, 2] and [E, E/4, 2, 2], and
	// Norm the weights of the norm after each.
	Conv, Norm [3]*Node
}

// DecoderWeights holds the parameters of the decoder as graph nodes.
type DecoderWeights struct {
	// Conv holds the kernels [E, E/4, 2, 2] and [E/4, E/4, 2, 2] of transposed
	// convolutions, and Norm the weights of the norm after each.
	Conv, Norm [2]*Node
	// Out [E/4, States, 4, 4] and OutBias [States] are those of the last one, with a
	// column for each field.
	Out, OutBias *Node
}

// kernels are the kernels and strides of the encoder's convolutions. The decoder has them in
// reverse.
var kernels = [3]int{4, 2, 2}

// positions are the indices of the encoder's convolutions among the modules of the original;
// norms follow them directly, and activations the first two norms.
var positions = [3]int{0, 3, 6}

func (m *Model) encoderWeights(v layers.Vars) EncoderWeights {
	c, in := m.config, m.config.Hidden/4
	var w EncoderWeights
	bag := v.In("space_bag")
	w.Fields = bag.Var("weight", layers.FanIn(c.States), in, c.States)
	w.FieldsBias = bag.Var("bias", layers.FanIn(c.States), in)
	for i, k := range kernels {
		out := in
		if i == 2 {
			out = c.Hidden
		}
		proj := v.In("embed").In("in_proj")
		w.Conv[i] = proj.In(strconv.Itoa(positions[i])).Var("weight", layers.FanIn(in*k*k), out, in, k, k)
		w.Norm[i] = rmsWeight(proj.In(strconv.Itoa(positions[i]+1)), out)
	}
	return w
}

// decoderWeights gets the decoder's parameters. As in torch, the initial bound of a
// transposed convolution counts its output channels as fan-in.
func (m *Model) decoderWeights(v layers.Vars) DecoderWeights {
	c, inner := m.config, m.config.Hidden/4
	v = v.In("debed")
	var w DecoderWeights
	fan := layers.FanIn(c.States * kernels[0] * kernels[0])
	w.Out = v.Var("out_kernel", fan, inner, c.States, kernels[0], kernels[0])
	w.OutBias = v.Var("out_bias", fan, c.States)
	for i, in := range []int{c.Hidden, inner} {
		proj, k := v.In("out_proj"), kernels[2-i]
		w.Conv[i] = proj.In(strconv.Itoa(positions[i])).Var("weight", layers.FanIn(inner*k*k), in, inner, k, k)
		w.Norm[i] = rmsWeight(proj.In(strconv.Itoa(positions[i]+1)), inner)
	}
	return w
}

// mix returns the matrix [E/4, C] and the bias [E/4] that mix the fields of a point: the
// columns of the fields labels [C] and the bias, both times √(States/C), so that a sum over
// few fields is as large as a sum over all.
func (w EncoderWeights) mix(labels *Node) (matrix, bias *Node) {
	scale := math.Sqrt(float64(w.Fields.Shape().Dim(1)) / float64(labels.Shape().Dim(0)))
	return MulScalar(layers.SelectColumns(w.Fields, labels, 1), scale), MulScalar(w.FieldsBias, scale)
}

// Encode returns the tokens [F, h, w, E] of normalised frames x [F, H, W, C]. labels [C]
// (int32) holds the columns of the fields.
func (w EncoderWeights) Encode(x, labels *Node) *Node { return w.encode(x, labels, nil) }

// encode is Encode, which also calls tap, unless it is nil, with intermediate results.
func (w EncoderWeights) encode(x, labels *Node, tap tap) *Node {
	assertDims("encoder x", x, -1, -1, -1, labels.Shape().Dim(0))
	if tap != nil {
		matrix, bias := w.mix(labels)
		tap.see("space_bag", layers.Dense(x, matrix, bias))
	}
	kernel, bias := w.first(labels)
	for i, k := range kernels {
		if i > 0 {
			x, kernel = layers.GELU(x), w.Conv[i]
		}
		x = ExpandAxes(x, 3) // PatchConv has three spatial axes
		x = layers.PatchConv(x, ExpandAxes(kernel, -1), [3]int{k, k, 1})
		x = Squeeze(x, 3)
		if i == 0 {
			x = Add(x, ExpandLeftToRank(bias, 4))
		}
		tap.see(strconv.Itoa(positions[i]), x)
		x = tap.see(strconv.Itoa(positions[i]+1), RMSInstanceNorm(x, w.Norm[i]))
	}
	return x
}

// first returns the kernel [E/4, C, 4, 4] and the bias [E/4] of the mixing of fields and the
// first convolution together. Both are linear, and there are far fewer fields than channels.
func (w EncoderWeights) first(labels *Node) (kernel, bias *Node) {
	matrix, offset := w.mix(labels)
	kernel = DotGeneral(w.Conv[0], []int{1}, nil, matrix, []int{0}, nil) // [E/4, 4, 4, C]
	sums := ReduceSum(w.Conv[0], 2, 3)                                   // [E/4, E/4]
	return TransposeAllDims(kernel, 0, 3, 1, 2), DotGeneral(sums, []int{1}, nil, offset, []int{0}, nil)
}

// Decode returns the fields [F, H, W, C] of tokens x [F, h, w, E], normalised. labels [C]
// (int32) holds the columns of the fields.
func (w DecoderWeights) Decode(x, labels *Node) *Node { return w.decode(x, labels, nil) }

// decode is Decode, which also calls tap, unless it is nil, with intermediate results.
func (w DecoderWeights) decode(x, labels *Node, tap tap) *Node {
	for i, kernel := range w.Conv {
		x = tap.see(strconv.Itoa(positions[i]), unpatch(x, kernel, nil))
		x = tap.see(strconv.Itoa(positions[i]+1), RMSInstanceNorm(x, w.Norm[i]))
		x = layers.GELU(x)
	}
	return unpatch(x, layers.SelectColumns(w.Out, labels, 1), layers.SelectColumns(w.OutBias, labels, 0))
}

// unpatch is a transposed convolution whose stride is the edge length k of its kernel: each
// position of x [F, h, w, Cin] becomes a patch of k × k points of the result [F, h·k, w·k,
// Cout]. kernel is [Cin, Cout, k, k], bias [Cout] may be nil. (PatchConvTranspose treats an
// axis of one position as a missing axis. Here it is a patch like any other.)
func unpatch(x, kernel, bias *Node) *Node {
	d, k, out := x.Shape().Dimensions, kernel.Shape().Dim(2), kernel.Shape().Dim(1)
	assertDims("unpatch kernel", kernel, d[3], out, k, k)
	weight := Reshape(TransposeAllDims(kernel, 2, 3, 1, 0), k*k*out, d[3])
	y := Reshape(layers.Dense(x, weight, nil), d[0], d[1], d[2], k, k, out)
	y = Reshape(TransposeAllDims(y, 0, 1, 3, 2, 4, 5), d[0], d[1]*k, d[2]*k, out)
	if bias == nil {
		return y
	}
	return Add(y, ExpandLeftToRank(bias, 4))
}

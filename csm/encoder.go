package csm

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// HMLP is the encoder and the decoder for one number of dimensions. Each has two strided
// convolutions with normalisation and SiLU between them (hMLP, paper §3.1 and A.4; the
// release uses SiLU, the paper names GELU). The kernels are fixed; the strides come from
// the grid's plan.
type HMLP struct {
	// States is the number of weight columns of the field registry, Inner the number of
	// channels between the convolutions, Hidden the number of channels of a token.
	States, Inner, Hidden int
	// Kernel holds the sizes of the two kernels. The zero value means 8, 4.
	Kernel [2]int
	Norm   layers.NormConfig
}

func (h HMLP) kernel() (int, int) {
	if h.Kernel == [2]int{} {
		return releasedKernel[0], releasedKernel[1]
	}
	return h.Kernel[0], h.Kernel[1]
}

// EncoderWeights holds the parameters of the encoder as graph nodes.
type EncoderWeights struct {
	Proj1, Norm1 *Node // [Inner, States, k1, k1, k1], [Inner]
	Proj2, Norm2 *Node // [Hidden, Inner, k2, k2, k2], [Hidden]
}

// EncoderWeights gets every parameter of the encoder from v.
func (h HMLP) EncoderWeights(v layers.Vars) EncoderWeights {
	k1, k2 := h.kernel()
	return EncoderWeights{
		Proj1: v.In("proj1").Var("weight", layers.FanIn(h.States*k1*k1*k1), h.Inner, h.States, k1, k1, k1),
		Norm1: v.In("norm1").Var("weight", layers.One, h.Inner),
		Proj2: v.In("proj2").Var("weight", layers.FanIn(h.Inner*k2*k2*k2), h.Hidden, h.Inner, k2, k2, k2),
		Norm2: v.In("norm2").Var("weight", layers.One, h.Hidden),
	}
}

// encoderTrace holds the tokens and the intermediate results, all channels last.
type encoderTrace struct {
	Conv1, Norm1, Conv2, Tokens *Node
}

// Encode encodes padded fields x [F, H', W', D', C+3], whose last three channels are the
// boundary channels, to tokens [F, h, w, d, Hidden]. ids [C+3] (int32) holds the registry
// indices of the channels. fieldScale (scalar or [1], or nil) multiplies the fields but not
// the boundary channels; it is the release's encoder_dummy.
func (h HMLP) Encode(x *Node, w EncoderWeights, ids, fieldScale *Node, plan *Plan) *Node {
	return h.traceEncode(x, w, ids, fieldScale, plan).Tokens
}

// traceEncode is Encode with the intermediate results.
func (h HMLP) traceEncode(x *Node, w EncoderWeights, ids, fieldScale *Node, plan *Plan) encoderTrace {
	padded := plan.PaddedGrid()
	x.AssertDims(-1, padded[0], padded[1], padded[2], ids.Shape().Dim(0))
	w1 := layers.SelectInput(w.Proj1, ids)
	if fieldScale != nil {
		w1 = scaleFields(w1, fieldScale)
	}
	s1, s2 := plan.strides()
	var t encoderTrace
	t.Conv1 = layers.PatchConv(x, w1, s1)
	t.Norm1 = layers.RMSGroupNorm(t.Conv1, w.Norm1, h.Norm)
	t.Conv2 = layers.PatchConv(layers.SiLU(t.Norm1), w.Proj2, s2)
	t.Tokens = layers.SiLU(layers.RMSGroupNorm(t.Conv2, w.Norm2, h.Norm))
	return t
}

// scaleFields multiplies the kernel columns of the fields by scale. This equals multiplying
// the fields but needs no gradient through the padding.
func scaleFields(w1, scale *Node) *Node {
	n := w1.Shape().Dim(1) - 3
	if scale.Shape().Size() != 1 {
		panic(fmt.Errorf("csm: field scale: expected one value, got shape %s", scale.Shape()))
	}
	// A single broadcast: XLA needs minutes to compile the gradient of several.
	scale = Reshape(scale, 1, 1, 1, 1, 1)
	return Concatenate([]*Node{
		Mul(SliceAxis(w1, 1, AxisRange(0, n)), scale),
		SliceAxis(w1, 1, AxisRange(n)),
	}, 1)
}

// strides returns the strides of the first and the second convolution.
func (p *Plan) strides() (s1, s2 [3]int) {
	for i, a := range p.Axes {
		s1[i], s2[i] = a.Stride[0], a.Stride[1]
	}
	return s1, s2
}

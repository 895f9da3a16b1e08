package poseidon

import (
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
)

// ConvNeXt is a block (arXiv 2201.03545) on the way from a stage of the encoder to the stage
// of the decoder with the same grid:
//
//	y = x + scale·(W2·GELU(W1·Norm(depthwise 7 × 7 convolution of x) + b1) + b2)
type ConvNeXt struct {
	// Channels is D.
	Channels    int
	Conditioned bool
}

// ConvNeXtWeights holds the parameters of a ConvNeXt block.
type ConvNeXtWeights struct {
	Scale        *Node // [D]
	Kernel, Bias *Node // [D, 1, 7, 7], [D]
	Norm         NormWeights
	In, InBias   *Node // [4D, D], [4D]
	Out, OutBias *Node // [D, 4D], [D]
}

const (
	convNeXtKernel = 7
	convNeXtScale  = 1e-6 // initially
	convNeXtRatio  = 4
)

func (b ConvNeXt) norm() Norm { return Norm(b) }

// Weights gets every parameter from v.
func (b ConvNeXt) Weights(v layers.Vars) ConvNeXtWeights {
	d, inner := b.Channels, convNeXtRatio*b.Channels
	var w ConvNeXtWeights
	w.Scale = v.Var("weight", layers.Init{Constant: convNeXtScale}, d)
	w.Kernel = v.In("dwconv").Var("weight", initial, d, 1, convNeXtKernel, convNeXtKernel)
	w.Bias = v.In("dwconv").Var("bias", layers.Zero, d)
	w.Norm = b.norm().Weights(v.In("norm"))
	w.In, w.InBias = v.In("pwconv1").Var("weight", initial, inner, d), v.In("pwconv1").Var("bias", layers.Zero, inner)
	w.Out, w.OutBias = v.In("pwconv2").Var("weight", initial, d, inner), v.In("pwconv2").Var("bias", layers.Zero, d)
	return w
}

// Apply returns y for tokens x [B, h, w, D] and the lead times t [B].
func (b ConvNeXt) Apply(x *Node, w ConvNeXtWeights, t *Node) *Node {
	z := Depthwise(x, w.Kernel, w.Bias)
	z = layers.Dense(b.norm().Apply(z, w.Norm, t), w.In, w.InBias)
	z = layers.Dense(layers.GELU(z), w.Out, w.OutBias)
	return Add(x, Mul(z, ExpandLeftToRank(w.Scale, x.Rank())))
}

// Depthwise convolves each channel of x [B, h, w, D] with its own kernel, for kernels [D, 1,
// k, k] of odd edge length k and a bias [D]. Beyond the edges x is zero.
func Depthwise(x, kernel, bias *Node) *Node {
	d := x.Shape().Dim(-1)
	k := kernel.Shape().Dim(-1)
	assertDims("Depthwise kernel", kernel, d, 1, k, k)
	must(k%2 == 1, "Depthwise: expected a kernel of odd edge length, got %d", k)
	height, width := x.Shape().Dim(1), x.Shape().Dim(2)
	x = pad(pad(x, 1, k/2, k/2), 2, k/2, k/2)
	factors := TransposeAllDims(Reshape(kernel, d, k, k), 1, 2, 0)
	y := ExpandLeftToRank(bias, x.Rank())
	for c := range k {
		columns := SliceAxis(x, 2, AxisRange(c, c+width))
		for r := range k {
			view := SliceAxis(columns, 1, AxisRange(r, r+height))
			y = Add(y, Mul(view, Reshape(Slice(factors, AxisElem(r), AxisElem(c)), 1, 1, 1, d)))
		}
	}
	return y
}

// ResNet is the other kind of block between encoder and decoder: two 3 × 3 convolutions, each
// followed by a batch norm with fixed statistics,
//
//	y = x + norm₂(conv₂(LeakyReLU(norm₁(conv₁(x)))))
type ResNet struct {
	// Channels is D.
	Channels int
}

// ResNetWeights holds the parameters of a ResNet block.
type ResNetWeights struct {
	Kernel, Bias [2]*Node // [D, D, 3, 3], [D]
	Norm         [2]BatchNormWeights
}

// BatchNormWeights holds the parameters and the fixed statistics of a batch norm, each [D].
type BatchNormWeights struct{ Scale, Shift, Mean, Variance *Node }

const (
	resNetKernel = 3
	leak         = 0.01
)

// Weights gets every parameter from v.
func (b ResNet) Weights(v layers.Vars) ResNetWeights {
	d := b.Channels
	var w ResNetWeights
	for i := range 2 {
		conv, norm := v.In("conv"+strconv.Itoa(i+1)), v.In("bn"+strconv.Itoa(i+1))
		w.Kernel[i] = conv.Var("weight", initial, d, d, resNetKernel, resNetKernel)
		w.Bias[i] = conv.Var("bias", layers.Zero, d)
		w.Norm[i] = BatchNormWeights{Scale: norm.Var("weight", layers.One, d), Shift: norm.Var("bias", layers.Zero, d),
			Mean: norm.Var("running_mean", layers.Init{Buffer: true}, d), Variance: norm.Var("running_var", layers.Init{Constant: 1, Buffer: true}, d)}
	}
	return w
}

// Apply returns y for tokens x [B, h, w, D].
func (b ResNet) Apply(x *Node, w ResNetWeights) *Node {
	z := x
	for i := range 2 {
		if i == 1 {
			z = Max(z, MulScalar(z, leak))
		}
		z = w.Norm[i].apply(Add(convolve(z, w.Kernel[i]), ExpandLeftToRank(w.Bias[i], z.Rank())))
	}
	return Add(x, z)
}

func (w BatchNormWeights) apply(x *Node) *Node {
	factor := Div(w.Scale, Sqrt(AddScalar(w.Variance, NormEps)))
	shift := Sub(w.Shift, Mul(w.Mean, factor))
	return Add(Mul(x, ExpandLeftToRank(factor, x.Rank())), ExpandLeftToRank(shift, x.Rank()))
}

// convolve convolves x [B, h, w, D] with kernels [E, D, k, k] of odd edge length k. Beyond
// the edges x is zero.
func convolve(x, kernel *Node) *Node {
	e, d, k := kernel.Shape().Dim(0), kernel.Shape().Dim(1), kernel.Shape().Dim(3)
	height, width := x.Shape().Dim(1), x.Shape().Dim(2)
	x = pad(pad(x, 1, k/2, k/2), 2, k/2, k/2)
	x = Reshape(x, x.Shape().Dim(0), height+k-1, width+k-1, 1, d)
	y := layers.PatchConv(x, Reshape(kernel, e, d, k, k, 1), [3]int{1, 1, 1})
	return Reshape(y, -1, height, width, e)
}

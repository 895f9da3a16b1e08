package distributed

import (
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/unfold"
	"github.com/gowalrus/gowalrus/walrus"
)

// FLOPs counts the floating-point operations of a forward pass by kind. A
// multiplication with its addition counts as two. Only products are counted.
type FLOPs struct {
	// Dense are the linear layers of the blocks. Space and Time are the products of
	// queries, keys and values.
	Dense, Space, Time float64
	// Encoder and Decoder are the convolutions.
	Encoder, Decoder float64
}

// Blocks returns the operations of the blocks.
func (f FLOPs) Blocks() float64 { return f.Dense + f.Space + f.Time }

// Total returns the operations of all kinds.
func (f FLOPs) Total() float64 { return f.Blocks() + f.Encoder + f.Decoder }

// Backward counts the operations of the backward pass by kind. They are twice those of
// the forward pass, plus the linear layers of recomputed blocks. Attention over space
// recomputes the product of queries and keys for the softmax; attention over time
// computes weights and their gradients in both orders.
func (f FLOPs) Backward(c walrus.Config) FLOPs {
	r := recomputed(c)
	return FLOPs{
		Dense: (2 + r) * f.Dense, Space: 2.5 * f.Space, Time: 3.5 * f.Time,
		Encoder: 2 * f.Encoder, Decoder: 2 * f.Decoder,
	}
}

// Step counts the operations of a training step.
func (f FLOPs) Step(c walrus.Config) float64 { return f.Total() + f.Backward(c).Total() }

// recomputed returns the fraction of the blocks that the backward pass recomputes: block 0
// and every further one of which CheckpointEvery divides the number.
func recomputed(c walrus.Config) float64 {
	if c.CheckpointEvery < 1 || c.Blocks < 1 {
		return 0
	}
	return float64((c.Blocks-1)/c.CheckpointEvery+1) / float64(c.Blocks)
}

// CountFLOPs counts the operations of a forward pass in training, where every step of a
// causal network is scored. With width C, MLP width M, S tokens in each of F = T·B
// frames and T steps, a block needs
//
//	2·F·S·(8·C² + 3/2·C·M)   linear layers: time 3C²+C², space C·(M+3C)+C²+C·M/2
//	4·F·S·S·C                attention over space
//	4·F·S·T·C                attention over time
//
// The convolutions apply one kernel per output (encoder) or per input (decoder, which
// extends periodic axes first). Without a plan it returns zeros.
func CountFLOPs(c walrus.Config, plan *csm.Plan, b BatchShape) FLOPs {
	if plan == nil {
		return FLOPs{}
	}
	frames, decoded := float64(b.Frames()), float64(b.Frames())
	blocks := float64(c.Blocks)
	if !c.Causal { // the last block computes only the last step, but keys and values of all
		decoded /= float64(b.Steps)
		blocks += 1/float64(b.Steps) - 1
	}
	s, w, m := float64(plan.Tokens()), float64(c.Hidden), float64(c.MLPWidth())
	var f FLOPs
	f.Dense = 2 * frames * s * (2*w*w*float64(c.Blocks) + blocks*(6*w*w+1.5*w*m))
	f.Space = 4 * frames * s * s * w * blocks
	f.Time = 4 * frames * s * float64(b.Steps) * w * blocks
	g := convolutions(plan)
	inner, channels := float64(c.Intermediate), float64(b.Channels())
	f.Encoder = 2 * frames * inner * (g.middle*g.kernel1*(channels+3) + s*g.kernel2*w)
	f.Decoder = 2 * decoded * inner * (g.wrappedTokens*g.kernel2*w + g.wrappedMiddle*g.kernel1*channels)
	return f
}

// geometry holds products over the axes that the cost of convolutions depends on.
type geometry struct {
	// middle is the number of points between the two convolutions.
	middle float64
	// wrappedTokens and wrappedMiddle count the inputs of the decoder's two products,
	// periodic extensions included.
	wrappedTokens, wrappedMiddle float64
	// kernel1 and kernel2 are the numbers of points of the kernels.
	kernel1, kernel2 float64
}

func convolutions(plan *csm.Plan) geometry {
	g := geometry{1, 1, 1, 1, 1}
	for _, a := range plan.Axes {
		if a.Length == 1 {
			continue
		}
		tokens, middle := a.Tokens, a.Conv1
		if a.PeriodicTokens {
			tokens += 2 * unfold.Overhang(a.Kernel[1], a.Stride[1])
			middle += 2 * unfold.Overhang(a.Kernel[0], a.Stride[0])
		}
		g.middle *= float64(a.Conv1)
		g.wrappedTokens *= float64(tokens)
		g.wrappedMiddle *= float64(middle)
		g.kernel1 *= float64(a.Kernel[0])
		g.kernel2 *= float64(a.Kernel[1])
	}
	return g
}

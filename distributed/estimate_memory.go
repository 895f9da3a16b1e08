package distributed

import (
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/unfold"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// The model of activations assumes that the gradient program peaks at one of three
// moments: while the encoder unfolds its input; while the decoder works and all blocks
// keep the tensors for their backward passes; or in the backward pass of a block, while
// the blocks before it still keep theirs. The coefficients describe XLA for CPUs. They
// were found by compiling programs of widths 64 to 1024 in 2D and 3D
// (benchmarks/memory). The model counts numbers of four bytes each; C is the width, M
// that of the MLP.
const (
	// A block keeps keptWidth·C + keptMLP·M numbers per token, or recomputedWidth·C if
	// it is recomputed as a whole.
	keptWidth, keptMLP = 20, 1.5
	recomputedWidth    = 6
	// A block keeps this many more multiples of C in 3D.
	keptInSpace, recomputedInSpace = 8, 6
	// The backward pass of a block adds the scores that exist at one time
	// (layers.ScoresAtOnce), their gradient, and workWidth·C. If the block is
	// recomputed as a whole, againWidth·C + againMLP·M replaces workWidth·C.
	workWidth            = 4
	againWidth, againMLP = 30, 2.5
	// The encoder keeps its unfolded input and middleCopies copies of the values
	// between its convolutions.
	middleCopies = 3
	// Unfolding needs unfolding times the size of the unfolded values and of their
	// product (layers.PatchWidths); the decoder's unfolding and folding needs folding
	// times that size.
	unfolding, folding = 2.5, 2.3
	// foldingFrozen is folding for a decoder that is not trained, whose kernels need no
	// gradients (training of adapters; fitted to one volume).
	foldingFrozen = 1.6
	// The loss needs this many copies of the output.
	outputCopies = 8
)

// activations counts the numbers that the gradient program holds at its peak, in
// addition to weights, gradients and inputs. frozen says that encoder and decoder are not
// trained: there is no backward pass of the encoder then.
func activations(c walrus.Config, plan *csm.Plan, b BatchShape, frozen bool) int64 {
	s := stagesOf(c, plan, b, frozen)
	frames := float64(b.Frames())
	tokens, w, m := frames*float64(plan.Tokens()), float64(c.Hidden), float64(c.MLPWidth())
	scores := float64(layers.ScoresAtOnce(max(b.Size, 1), b.Steps, c.Heads, plan.Tokens()))
	kept := s.encoder
	for i := range c.Blocks {
		kept += keptBy(c, i, plan.Dims == 3) * tokens
	}
	peak := max(s.unfolding, kept+s.decoder)
	for i := c.Blocks - 1; i >= 0; i-- {
		work := 2*scores + workWidth*w*tokens
		if c.Checkpointed(i) {
			work = 2*scores + (againWidth*w+againMLP*m)*tokens
		}
		peak = max(peak, kept+work+blockWeights(c))
		kept -= keptBy(c, i, plan.Dims == 3) * tokens
	}
	return int64(peak)
}

// keptBy returns the numbers that a block keeps per token.
func keptBy(c walrus.Config, block int, space bool) float64 {
	width, mlp, more := float64(keptWidth), float64(keptMLP), float64(keptInSpace)
	if c.Checkpointed(block) {
		width, mlp, more = recomputedWidth, 0, recomputedInSpace
	}
	if space {
		width += more
	}
	return width*float64(c.Hidden) + mlp*float64(c.MLPWidth())
}

// blockWeights counts the weights of a block. A program copies them into another order.
func blockWeights(c walrus.Config) float64 {
	w, m := float64(c.Hidden), float64(c.MLPWidth())
	return 8*w*w + 1.5*w*m
}

// stages holds the numbers that encoder and decoder need.
type stages struct {
	// encoder is kept; unfolding and decoder are needed at the peak of each stage.
	encoder, unfolding, decoder float64
}

func stagesOf(c walrus.Config, plan *csm.Plan, b BatchShape, frozen bool) stages {
	frames, inner := float64(b.Frames()), float64(c.Intermediate)
	first, second := unfold.Of(plan, 0), unfold.Of(plan, 1)
	var s stages
	operand, result := first.Widths(b.Channels()+3, c.Intermediate, false)
	middle, _ := second.Widths(c.Intermediate, c.Hidden, false)
	input := frames * first.Places * operand
	s.encoder = input + middleCopies*frames*first.Places*inner + frames*second.Places*middle
	s.unfolding = unfolding * frames * first.Places * (operand + result)
	output := frames * float64(b.Channels())
	for _, n := range plan.PaddedGrid() {
		output *= float64(n)
	}
	operand, result = first.Widths(c.Intermediate, b.Channels(), true)
	patches := frames * first.Wrapped * result
	if operand > inner {
		patches += frames * first.Reached * operand
	}
	if frozen {
		s.encoder = 0
		s.decoder = max(foldingFrozen*patches, patches+outputCopies*output)
		return s
	}
	s.decoder = max(folding*patches, patches+outputCopies*output)
	return s
}

package distributed

import (
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/walrus"
)

// The model of activations knows three times at which the gradient program may need
// the most: while the encoder unfolds its input, while the decoder works, when all
// blocks keep what their backward passes need, and in the backward pass of a block,
// when it keeps those before it. Its coefficients are those of XLA for CPUs, found by
// compiling programs of widths 64 to 1024 in plane and space (benchmarks/memory).
// Numbers are counted, four bytes each; C is the width, M that of the MLP, scores are
// the S numbers per token and head of attention over space.
const (
	// A block keeps, per token, keptWidth·C + keptMLP·M, or, recomputed as a whole,
	// recomputedWidth·C.
	keptWidth, keptMLP = 27, 1.5
	recomputedWidth    = 4
	// Its backward pass adds the scores and their gradient and workWidth·C, or,
	// recomputed as a whole, the scores once and againWidth·C + againMLP·M.
	workWidth            = 4
	againWidth, againMLP = 30, 2.5
	// The encoder keeps its unfolded input and between its convolutions
	// middleCopies times what lies there.
	middleCopies = 3
	// Unfolding takes unfolding times the unfolded values, slicing times where they
	// are summed in slices (layers.PatchConv); the decoder's unfolding or folding
	// takes folding times the patches.
	unfolding, slicing, folding = 2.5, 1.5, 2.3
	// The loss takes so many copies of the output.
	outputCopies = 8
	// unfoldLimit is that of layers.PatchConv.
	unfoldLimit = 4096
)

// activations counts the numbers that the gradient program holds at its peak besides
// weights, gradients and inputs.
func activations(c walrus.Config, plan *csm.Plan, b BatchShape) int64 {
	s := stagesOf(c, plan, b)
	frames := float64(b.Frames())
	tokens, w, m := frames*float64(plan.Tokens()), float64(c.Hidden), float64(c.MLPWidth())
	scores := tokens * float64(plan.Tokens()*c.Heads)
	kept := s.encoder
	for i := range c.Blocks {
		kept += keptBy(c, i) * tokens
	}
	peak := max(s.unfolding, kept+s.decoder)
	for i := c.Blocks - 1; i >= 0; i-- {
		work := 2*scores + workWidth*w*tokens
		if c.Checkpointed(i) {
			work = scores + (againWidth*w+againMLP*m)*tokens
		}
		peak = max(peak, kept+work+blockWeights(c))
		kept -= keptBy(c, i) * tokens
	}
	return int64(peak)
}

// keptBy is what a block keeps per token.
func keptBy(c walrus.Config, block int) float64 {
	if c.Checkpointed(block) {
		return recomputedWidth * float64(c.Hidden)
	}
	return keptWidth*float64(c.Hidden) + keptMLP*float64(c.MLPWidth())
}

// blockWeights counts the weights of a block, of which a program makes a copy in
// another order.
func blockWeights(c walrus.Config) float64 {
	w, m := float64(c.Hidden), float64(c.MLPWidth())
	return 8*w*w + 1.5*w*m
}

// stages is what encoder and decoder take.
type stages struct {
	// encoder is kept, unfolding and decoder are what their work takes at its peak.
	encoder, unfolding, decoder float64
}

func stagesOf(c walrus.Config, plan *csm.Plan, b BatchShape) stages {
	frames, inner := float64(b.Frames()), float64(c.Intermediate)
	first, second := unfolded(plan, 0), unfolded(plan, 1)
	var s stages
	input := frames * first.places * first.kernel * float64(b.Channels()+3)
	s.encoder = input + middleCopies*frames*first.places*inner + frames*second.places*second.kernel*inner
	s.unfolding = unfolding * input
	if first.kernel*float64(b.Channels()+3) > unfoldLimit {
		s.unfolding = slicing * input
	}
	output := frames * float64(b.Channels())
	for _, n := range plan.PaddedGrid() {
		output *= float64(n)
	}
	patches := frames * first.wrapped * first.kernel * float64(b.Channels())
	if inner < first.stride*float64(b.Channels()) { // as layers.PatchConvTranspose chooses
		patches = frames * first.reached * first.views * inner
	}
	s.decoder = max(folding*patches, patches+outputCopies*output)
	return s
}

// patches are the products over the axes that the unfolding of a convolution, or the
// folding of its transpose, depends on.
type patches struct {
	places float64 // results of the convolution
	// wrapped are the places of the transpose's input, continued along periodic
	// axes, reached those that its patches reach over.
	wrapped, reached float64
	// kernel is the kernel, filled up to whole strides, views its strides.
	kernel, views, stride float64
}

// unfolded returns those of the first (0) or second (1) convolution.
func unfolded(plan *csm.Plan, which int) patches {
	p := patches{1, 1, 1, 1, 1, 1}
	for _, a := range plan.Axes {
		if a.Length == 1 {
			continue
		}
		n := [2]int{a.Conv1, a.Tokens}[which]
		views := overhang(a.Kernel[which], a.Stride[which]) + 1
		wrapped := n
		if a.PeriodicTokens {
			wrapped += 2 * (views - 1)
		}
		p.places *= float64(n)
		p.wrapped *= float64(wrapped)
		p.reached *= float64(wrapped + views - 1)
		p.views *= float64(views)
		p.stride *= float64(a.Stride[which])
		p.kernel *= float64(views * a.Stride[which])
	}
	return p
}

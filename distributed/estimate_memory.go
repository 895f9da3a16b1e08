package distributed

import (
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// The model of activations knows three times at which the gradient program may need
// the most: while the encoder unfolds its input, while the decoder works, when all
// blocks keep what their backward passes need, and in the backward pass of a block,
// when it keeps those before it. Its coefficients are those of XLA for CPUs, found by
// compiling programs of widths 64 to 1024 in plane and space (benchmarks/memory).
// Numbers are counted, four bytes each; C is the width, M that of the MLP.
const (
	// A block keeps, per token, keptWidth·C + keptMLP·M, or, recomputed as a whole,
	// recomputedWidth·C.
	keptWidth, keptMLP = 20, 1.5
	recomputedWidth    = 6
	// In space it keeps so much more.
	keptInSpace, recomputedInSpace = 8, 6
	// Its backward pass adds the scores that there are at a time (layers.ScoresAtOnce),
	// their gradient and workWidth·C, or, recomputed as a whole, instead of that width
	// againWidth·C + againMLP·M.
	workWidth            = 4
	againWidth, againMLP = 30, 2.5
	// The encoder keeps its unfolded input and between its convolutions
	// middleCopies times what lies there.
	middleCopies = 3
	// Unfolding takes unfolding times the unfolded values and what its product makes of
	// them (layers.PatchWidths); the decoder's unfolding and folding takes folding times
	// these.
	unfolding, folding = 2.5, 2.3
	// The loss takes so many copies of the output.
	outputCopies = 8
)

// activations counts the numbers that the gradient program holds at its peak besides
// weights, gradients and inputs.
func activations(c walrus.Config, plan *csm.Plan, b BatchShape) int64 {
	s := stagesOf(c, plan, b)
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

// keptBy is what a block keeps per token.
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
	operand, result := first.widths(b.Channels()+3, c.Intermediate, false)
	middle, _ := second.widths(c.Intermediate, c.Hidden, false)
	input := frames * first.places * operand
	s.encoder = input + middleCopies*frames*first.places*inner + frames*second.places*middle
	s.unfolding = unfolding * frames * first.places * (operand + result)
	output := frames * float64(b.Channels())
	for _, n := range plan.PaddedGrid() {
		output *= float64(n)
	}
	operand, result = first.widths(c.Intermediate, b.Channels(), true)
	patches := frames * first.wrapped * result
	if operand > inner {
		patches += frames * first.reached * operand
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
	// kernel and stride are those of each axis, 1 on axes that are not there.
	kernel, stride [3]int
}

// widths are those of the product of a convolution or its transpose.
func (p patches) widths(in, out int, transposed bool) (operand, result float64) {
	a, b := layers.PatchWidths(p.kernel, p.stride, in, out, transposed)
	return float64(a), float64(b)
}

// unfolded returns those of the first (0) or second (1) convolution.
func unfolded(plan *csm.Plan, which int) patches {
	one := [3]int{1, 1, 1}
	p := patches{1, 1, 1, one, one}
	for i, a := range plan.Axes {
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
		p.kernel[i], p.stride[i] = a.Kernel[which], a.Stride[which]
	}
	return p
}

// Package unfold counts the values that the convolutions of encoder and decoder unfold,
// which determine the memory of both.
package unfold

import (
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/layers"
)

// Patches holds products over the axes that determine the size of an unfolded
// convolution or a folded transposed one.
type Patches struct {
	Places float64 // outputs of the convolution
	// Wrapped counts the inputs of the transposed convolution with their periodic
	// extension, Reached the points that their patches cover.
	Wrapped, Reached float64
	// kernel and stride are given for each axis, 1 on absent axes.
	kernel, stride [3]int
}

// Widths returns the widths of the operand and the result of the product of a convolution
// or of a transposed one.
func (p Patches) Widths(in, out int, transposed bool) (operand, result float64) {
	a, b := layers.PatchWidths(p.kernel, p.stride, in, out, transposed)
	return float64(a), float64(b)
}

// Of returns the patches of the first (0) or second (1) convolution of a plan.
func Of(plan *csm.Plan, which int) Patches {
	one := [3]int{1, 1, 1}
	p := Patches{1, 1, 1, one, one}
	for i, a := range plan.Axes {
		if a.Length == 1 {
			continue
		}
		n := [2]int{a.Conv1, a.Tokens}[which]
		views := Overhang(a.Kernel[which], a.Stride[which]) + 1
		wrapped := n
		if a.PeriodicTokens {
			wrapped += 2 * (views - 1)
		}
		p.Places *= float64(n)
		p.Wrapped *= float64(wrapped)
		p.Reached *= float64(wrapped + views - 1)
		p.kernel[i], p.stride[i] = a.Kernel[which], a.Stride[which]
	}
	return p
}

// Overhang returns the number of neighbours on one side whose kernels cover a point.
func Overhang(kernel, stride int) int {
	if stride < 1 { // of a plan that is not NewPlan's
		return 0
	}
	return (kernel+stride-1)/stride - 1
}

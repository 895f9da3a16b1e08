package csm

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// The sizes of the released configuration (docs/reference.md §1 and §3).
var (
	releasedTokens = [3]int{32, 32, 16}
	releasedKernel = [2]int{8, 4}
)

// ReleasedTokens returns the release's target numbers of tokens per axis for grids with
// one, two and three axes longer than 1 (docs/reference.md §3; paper Table 2: base token
// shapes 32² and 16³).
func ReleasedTokens() [3]int { return releasedTokens }

// releasedStrides is the release's table from the patch, in points per token, to the
// strides s1, s2 (docs/reference.md §3).
var releasedStrides = map[int][2]int{
	1:  {1, 1},
	4:  {2, 2},
	8:  {4, 2},
	12: {6, 2},
	16: {4, 4},
	24: {6, 4},
	32: {8, 4},
}

// releasedChoice returns the release's strides for an axis of n points on a grid with dims
// axes longer than 1. ok is false if the release refuses the axis, if targets or kernels
// are not the release's, or if the options list trained strides without this pair.
func releasedChoice(n, dims int, o Options) (stride [2]int, ok bool) {
	t := o.Tokens[dims-1]
	if t != releasedTokens[dims-1] || o.Kernel != releasedKernel || n%t != 0 {
		return stride, false
	}
	stride, ok = releasedStrides[n/t]
	return stride, ok && o.trained(stride)
}

// newAxis plans an axis of more than one point: with the release's strides if there are
// any, otherwise with the cheapest.
func newAxis(n int, b data.Boundary, o Options, dims int) (Axis, error) {
	target := o.Tokens[dims-1]
	if stride, ok := releasedChoice(n, dims, o); ok {
		a := layout(n, b, o.Kernel, stride, !o.NoJitter)
		a.Released = true
		a.Reason = releasedReason(a, target)
		return a, nil
	}
	a, ok := cheapest(n, b, o, target, Axis.wrapsOnce)
	if !ok {
		return Axis{}, fmt.Errorf("has %d points, is periodic and too short for kernels %d and %d: padding would copy points twice; expected a longer axis or smaller kernels",
			n, o.Kernel[0], o.Kernel[1])
	}
	a.Reason = chosenReason(a, o, dims)
	return a, nil
}

// cheapest returns the plan of least cost among all strides that do not exceed their
// kernels and make a legal axis; see NewPlan for the cost.
func cheapest(n int, b data.Boundary, o Options, target int, legal func(Axis) bool) (best Axis, ok bool) {
	bestCost := math.Inf(1)
	for s1 := 1; s1 <= o.Kernel[0]; s1++ {
		for s2 := 1; s2 <= o.Kernel[1]; s2++ {
			a := layout(n, b, o.Kernel, [2]int{s1, s2}, !o.NoJitter)
			if !legal(a) {
				continue
			}
			c := cost(a, o, target)
			if !ok || preferred(a, c, best, bestCost) {
				best, bestCost, ok = a, c, true
			}
		}
	}
	return best, ok
}

// cost weighs the number of tokens against added points and untrained strides.
func cost(a Axis, o Options, target int) float64 {
	ratio := math.Log2(float64(ceilDiv(a.Length, a.Patch())) / float64(target))
	c := max(-ratio, 1.5*ratio)
	c += 2 * float64(a.extension()) / float64(a.Length)
	if !o.trained(a.Stride) {
		c += o.unfamiliar()
	}
	if a.Wrap && !a.PeriodicTokens {
		c++
	}
	return c
}

// unfamiliar returns the cost of strides that the weights were not trained with. Weights
// with listed strides forecast nothing useful with others. The released weights were
// trained with seven patches, and other strides are close to one of these.
func (o Options) unfamiliar() float64 {
	if len(o.Strides) > 0 {
		return 16
	}
	return 0.25
}

// preferred reports whether a, with cost c, is better than best. Costs that differ by no
// more than rounding are equal, so that the choice is the same on every machine.
func preferred(a Axis, c float64, best Axis, bestCost float64) bool {
	const tie = 1e-9
	if math.Abs(c-bestCost) > tie {
		return c < bestCost
	}
	if a.Patch() != best.Patch() {
		return a.Patch() > best.Patch()
	}
	return skew(a) < skew(best)-tie
}

// skew returns |log2((k1/s1)/(k2/s2))|, which measures how unevenly the two kernels
// overlap.
func skew(a Axis) float64 {
	first := float64(a.Kernel[0]) / float64(a.Stride[0])
	second := float64(a.Kernel[1]) / float64(a.Stride[1])
	return math.Abs(math.Log2(first / second))
}

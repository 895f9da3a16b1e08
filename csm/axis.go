package csm

import "github.com/gowalrus/gowalrus/data"

// Axis is the plan of one axis. Lengths are in points unless stated otherwise. The package
// comment has the equations between them.
type Axis struct {
	// Length is the number n of points of the input.
	Length int `json:"length"`
	// Boundary holds the conditions at the two ends. It has no effect on a single point.
	Boundary data.Boundary `json:"boundary"`
	// Kernel is k1, k2. It is 1, 1 on a single point, because the encoder sums and the
	// decoder averages its kernels over such an axis.
	Kernel [2]int `json:"kernel"`
	// Stride is s1, s2.
	Stride [2]int `json:"stride"`
	// PadLow and PadHigh are the numbers of points added at each end.
	PadLow  int `json:"pad_low"`
	PadHigh int `json:"pad_high"`
	// Wrap says that padding copies points from the other end of a periodic axis (each
	// point at most once per side) instead of adding zeros with boundary flags.
	Wrap bool `json:"wrap"`
	// PeriodicTokens says that the tokens are periodic along the axis, so that latent rolls
	// and the decoder's periodic padding apply. It is false on a single point.
	PeriodicTokens bool `json:"periodic_tokens"`
	// Padded is PadLow + Length + PadHigh.
	Padded int `json:"padded"`
	// Conv1 is the length after the first convolution.
	Conv1 int `json:"conv1"`
	// Tokens is the number T of tokens, the length after both convolutions.
	Tokens int `json:"tokens"`
	// Decoded is the length after both transposed convolutions. It always equals Padded.
	// (The release returns a periodic axis of stride 6 four points short, docs/reference.md
	// §6.)
	Decoded int `json:"decoded"`
	// ShiftBound b bounds the jitter: shifts are drawn from [−(b−1), b−1]. 0 means that no
	// shift is drawn on this axis, 1 that the only shift is 0. If Wrap is set, the shift
	// rolls the n points before padding, otherwise the padded points.
	ShiftBound int `json:"shift_bound"`
	// Released says that the release makes the same choice.
	Released bool `json:"released"`
	// Reason is a sentence that explains the choice of the strides.
	Reason string `json:"reason"`
}

// Patch returns s1·s2, the distance between neighbouring tokens in points.
func (a Axis) Patch() int { return a.Stride[0] * a.Stride[1] }

// singleton returns the plan of an axis of one point, which is neither padded nor strided.
func singleton(b data.Boundary) Axis {
	return Axis{
		Length: 1, Boundary: b,
		Kernel: [2]int{1, 1}, Stride: [2]int{1, 1},
		Padded: 1, Conv1: 1, Tokens: 1, Decoded: 1,
		Released: true, Reason: "A single point needs no compression.",
	}
}

// effective returns the kernel p_eff and the stride s_eff of the composition of the two
// convolutions (paper Algorithm 1, lines 2 and 3). If no stride exceeds its kernel, p_eff ≥
// s_eff.
func effective(kernel, stride [2]int) (pEff, sEff int) {
	return kernel[0] + stride[0]*(kernel[1]-1), stride[0] * stride[1]
}

// layout computes tokens, padding and shifts for given strides on an axis of more than one
// point. If p_eff − s_eff and s_eff are even, as for all strides of the release, the
// padding is that of docs/reference.md §4; otherwise the high end gets the odd point.
func layout(n int, b data.Boundary, kernel, stride [2]int, jitter bool) Axis {
	a := Axis{Length: n, Boundary: b, Kernel: kernel, Stride: stride}
	pEff, sEff := effective(kernel, stride)
	overlap := pEff - sEff
	switch {
	case b.IsPeriodic() && n%sEff == 0:
		a.Wrap, a.PeriodicTokens = true, true
		a.Tokens = n / sEff
		a.PadLow = overlap / 2
	case b.IsPeriodic():
		// The patches do not divide the axis. Copying the whole overlap at the low end and
		// at least as much at the high end makes as many tokens see each point as in an
		// infinite periodic row.
		a.Wrap = true
		a.Tokens = ceilDiv(n+overlap, sEff)
		a.PadLow = overlap
	case jitter && sEff > 1:
		// One more token, so that a shift by half a patch loses no point.
		a.Tokens = ceilDiv(n, sEff) + 1
		a.PadLow = pEff / 2
	default:
		a.Tokens = ceilDiv(n, sEff)
		a.PadLow = overlap / 2
	}
	a.Padded = pEff + (a.Tokens-1)*sEff
	a.PadHigh = a.Padded - n - a.PadLow
	a.Conv1 = (a.Tokens-1)*stride[1] + kernel[1]
	a.Decoded = (a.Conv1-1)*stride[0] + kernel[0]
	if jitter {
		a.ShiftBound = shiftBound(a)
	}
	return a
}

// shiftBound returns the bound of docs/reference.md §4, step 3: the width of the padding,
// or half of a periodic axis. Patches of one point are not shifted.
func shiftBound(a Axis) int {
	switch {
	case a.Patch() <= 1:
		return 0
	case a.Wrap:
		return a.Length / 2
	}
	return min(a.PadLow, a.PadHigh)
}

// extension returns the number of points that the axis lacks to a whole number of patches.
func (a Axis) extension() int { return ceilDiv(a.Length, a.Patch())*a.Patch() - a.Length }

// wrapsOnce reports whether periodic padding copies each entry at most once per side: of
// the points before the encoder, and of the tokens and the upsampled tokens in the decoder.
func (a Axis) wrapsOnce() bool {
	if !a.Wrap {
		return true
	}
	if a.PadHigh > a.Length { // PadLow never exceeds PadHigh on a wrapped axis
		return false
	}
	return !a.PeriodicTokens ||
		ceilDiv(a.Kernel[1]-a.Stride[1], a.Stride[1]) <= a.Tokens &&
			ceilDiv(a.Kernel[0]-a.Stride[0], a.Stride[0]) <= a.Conv1
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

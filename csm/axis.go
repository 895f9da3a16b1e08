package csm

import "github.com/gowalrus/gowalrus/data"

// Axis is the plan of one axis. Lengths are in points unless said otherwise;
// see the package comment for the equations between them.
type Axis struct {
	// Length is the number n of points the caller has.
	Length int `json:"length"`
	// Boundary is what holds at the two ends. It has no effect on a single point.
	Boundary data.Boundary `json:"boundary"`
	// Kernel is k1, k2; 1, 1 on a single point, where the encoder sums and the
	// decoder averages its kernels over the axis.
	Kernel [2]int `json:"kernel"`
	// Stride is s1, s2.
	Stride [2]int `json:"stride"`
	// PadLow and PadHigh are the points added at each end.
	PadLow  int `json:"pad_low"`
	PadHigh int `json:"pad_high"`
	// Wrap says that padding copies the other end of a periodic axis (each point
	// at most once per side) instead of adding zeros with boundary flags.
	Wrap bool `json:"wrap"`
	// PeriodicTokens says that the token grid closes around the axis, so latent
	// rolls and the decoder's wrap apply. False on a single point.
	PeriodicTokens bool `json:"periodic_tokens"`
	// Padded is PadLow + Length + PadHigh.
	Padded int `json:"padded"`
	// Conv1 is the length after the first convolution.
	Conv1 int `json:"conv1"`
	// Tokens is the length T after both.
	Tokens int `json:"tokens"`
	// Decoded is the length after both transposed convolutions: Padded, always.
	// (The release returns a periodic axis of stride 6 four points short, SPEC §6.)
	Decoded int `json:"decoded"`
	// ShiftBound b limits jitter: shifts are drawn from [−(b−1), b−1]. 0 means
	// that no shift is drawn on this axis, 1 that the only shift is 0. Where Wrap
	// is set the shift rolls the n points before padding, else the padded ones.
	ShiftBound int `json:"shift_bound"`
	// Released says that the release makes the same choice.
	Released bool `json:"released"`
	// Reason is one sentence on why these strides were chosen.
	Reason string `json:"reason"`
}

// Patch returns s1·s2, the distance between neighbouring tokens in points.
func (a Axis) Patch() int { return a.Stride[0] * a.Stride[1] }

// singleton is the plan of an axis of one point, which the release leaves alone.
func singleton(b data.Boundary) Axis {
	return Axis{
		Length: 1, Boundary: b,
		Kernel: [2]int{1, 1}, Stride: [2]int{1, 1},
		Padded: 1, Conv1: 1, Tokens: 1, Decoded: 1,
		Released: true, Reason: "A single point needs no compression.",
	}
}

// effective returns the kernel p_eff and the stride s_eff of the two
// convolutions taken as one (paper Algorithm 1, lines 2 and 3). For strides not
// above their kernels p_eff ≥ s_eff.
func effective(kernel, stride [2]int) (pEff, sEff int) {
	return kernel[0] + stride[0]*(kernel[1]-1), stride[0] * stride[1]
}

// layout works out tokens, padding and shifts for given strides on an axis of
// more than one point. For even p_eff − s_eff and s_eff, which covers all
// strides of the release, padding is that of SPEC §4; otherwise the odd point
// goes to the high end.
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
		// Tokens do not close around the axis. With the whole overlap copied at
		// the low end and at least that at the high end, each point is seen by as
		// many tokens as if the row of tokens had no ends.
		a.Wrap = true
		a.Tokens = ceilDiv(n+overlap, sEff)
		a.PadLow = overlap
	case jitter && sEff > 1:
		// One token more, so that a shift by half a patch loses nothing.
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

// shiftBound is SPEC §4.3: the width of the padding, or half of a periodic
// axis. Patches of one point are not shifted.
func shiftBound(a Axis) int {
	switch {
	case a.Patch() <= 1:
		return 0
	case a.Wrap:
		return a.Length / 2
	}
	return min(a.PadLow, a.PadHigh)
}

// extension is the number of points missing from a whole number of patches.
func (a Axis) extension() int { return ceilDiv(a.Length, a.Patch())*a.Patch() - a.Length }

// wrapsOnce reports whether wrapping, of points before the encoder and of
// tokens and their upsampled row in the decoder, copies each entry at most
// once per side.
func (a Axis) wrapsOnce() bool {
	if !a.Wrap {
		return true
	}
	if a.PadHigh > a.Length { // PadLow is never the larger on a wrapped axis
		return false
	}
	return !a.PeriodicTokens ||
		ceilDiv(a.Kernel[1]-a.Stride[1], a.Stride[1]) <= a.Tokens &&
			ceilDiv(a.Kernel[0]-a.Stride[0], a.Stride[0]) <= a.Conv1
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

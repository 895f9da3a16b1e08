// Package csm implements convolutional stride modulation (paper §3.1 and §C.2): encoder and
// decoder keep the sizes of their two convolution kernels and change only the strides, so
// that grids of different resolution have about the same number of tokens per axis.
//
// A [Plan] determines strides, padding and tokens before any number is computed:
//
//	plan, err := csm.NewPlan([]int{256, 100}, data.Boundaries{
//		data.Both(data.Periodic),
//		{Low: data.Wall, High: data.Open},
//	}, csm.Options{})
//	if err != nil {
//		return err
//	}
//	fmt.Println(plan.Describe()) // strides, padding and tokens, with reasons
//	shape := plan.TokenGrid()    // [32 26 1]
//
// # Letters and units
//
// For one axis: n points, kernels k1 and k2, strides s1 and s2, T tokens. Lengths are in
// grid points, or in tokens where stated. The two convolutions together act as one
// convolution with
//
//	p_eff = k1 + s1·(k2−1)    s_eff = s1·s2, the patch
//
// # Invariants
//
// On every axis that has more than one point,
//
//	PadLow + n + PadHigh = Padded = p_eff + (T−1)·s_eff = Decoded
//	Conv1 = (Padded−k1)/s1 + 1    T = (Conv1−k2)/s2 + 1    without remainder
//
// so that no convolution drops points at an end, and cropping the decoded axis by PadLow
// and PadHigh returns its n points.
//
// # The release and other grids
//
// The release accepts an axis only if its length is a multiple of the target number of
// tokens and the quotient is one of seven patches (docs/reference.md §3). For such axes, a
// Plan equals the release's. For all other axes of at least 8 points, the planner chooses
// the strides of least cost; see [NewPlan].
package csm

// Package csm is convolutional stride modulation (paper §3.1 and §C.2): the
// encoder and the decoder keep the size of their two convolution kernels and
// change only the strides, so that grids of different resolution end up with
// about the same number of tokens per axis.
//
// A [Plan] settles everything about that before any number is computed:
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
// For one axis: n points, kernels k1 and k2, strides s1 and s2, T tokens. All
// lengths are counted in grid points, or in tokens where that is said. The two
// convolutions together act as one of kernel and stride
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
// so that no convolution drops points at an end, and cutting PadLow and PadHigh
// off the decoded axis gives back its n points.
//
// # The release and beyond
//
// The released code accepts an axis only if the target number of tokens
// divides it and the quotient is one of seven patches. Where it does, a Plan is
// the release's, number for number. Elsewhere (any other axis of 8 points or
// more) the planner weighs the strides against each other; see [NewPlan].
package csm

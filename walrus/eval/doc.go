// Package eval measures how good a forecast is: VRMSE and the other metrics
// the paper reports, over the points of one field; averages over fields and
// over log-spaced intervals of a rollout; and the two baselines every
// forecast has to beat, persistence and linear extrapolation.
//
//	curve, err := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), forecast, truth, channels)
//	if err != nil { ... }
//	perStep := eval.MeanFields(curve)          // one number per step
//	base, err := eval.Persistence(history, len(truth))
//
// A field is a []float32 with one value per point of the grid, in physical
// units; the order of the points does not matter as long as it is the same in
// forecast and truth. A frame is the concatenation of C such fields. All sums
// run in float64.
//
// The reference does the same in float32 (SPEC §10), so its last two or three
// digits differ. Two of its habits are decided otherwise here: eps is used by
// every metric that takes it (the reference's VRMSE ignores the caller's and
// takes 1e-7, which is [DefaultEps]), and a NaN or an infinity in the input is
// an error, never a NaN in a table. To get the reference's VRMSE, pass
// DefaultEps.
package eval

// Package eval measures the error of forecasts. It computes VRMSE and the other metrics
// of the paper over the points of one field; averages over fields and over log-spaced
// intervals of a rollout; and the two baselines of every forecast, persistence and
// linear extrapolation.
//
//	curve, err := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), forecast, truth, channels)
//	if err != nil { ... }
//	perStep := eval.MeanFields(curve)          // one number per step
//	base, err := eval.Persistence(history, len(truth))
//
// Scores of ensembles are [CRPS], [EnergyScore], [SpreadSkill],
// [RankHistogram] and the coverage of intervals. [Evaluate] computes them for the
// forecasters in [Protocol.Ensembles].
//
// A field is a []float32 with one value per point of the grid, in physical units. The
// order of the points must be the same in forecast and truth and does not matter
// otherwise. A frame is the concatenation of C such fields. All sums are computed in
// float64.
//
// The reference computes the same in float32 (docs/reference.md §10), so its last two
// or three digits differ. Two behaviours differ on purpose. Every metric with a
// parameter eps uses it (the reference's VRMSE ignores the caller's value and uses
// 1e-7, which is [DefaultEps]). And a NaN or an infinity in the input is an error,
// never a NaN in a table. To get the reference's VRMSE, pass DefaultEps.
package eval

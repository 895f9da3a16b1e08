// Package experiment holds the common parts of the programs that repeat the paper's
// findings on a small scale: flags, simulated data, small networks, forecasts that may
// diverge, and the comparison of two methods.
//
//	var s experiment.Settings
//	experiment.Main(&s, "jitter", 2400, 16, func(ctx context.Context, b compute.Backend) error {
//		sets, err := experiment.SimulateAll(ctx, names, solve.Options{Out: s.Out, Train: s.Runs, Test: 16})
//		…
//		em, err := experiment.Training{Recipe: r, Dir: dir}.Fit(ctx, b)
//		…
//		return experiment.WriteJSON(s.Out, result)
//	})
//
// If an earlier call has simulated or trained in a folder, its results are used again.
package experiment

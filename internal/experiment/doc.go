// Package experiment is what the programs that repeat the paper's findings in small
// share: their flags, simulated data, small networks, forecasts that may diverge, and
// how two ways are compared.
//
//	s := experiment.Flags(1500, 16)
//	…
//	set, err := experiment.Simulate(ctx, solve.Options{System: system, Out: dir, Train: 16, Test: 16, Seed: 1})
//	em, err := experiment.Training{Recipe: r, Dir: dir}.Fit(ctx, backend)
//
// What an earlier call has simulated or trained in a folder is taken from there.
package experiment

// Package solve simulates the families of physics that the paper's data sets come
// from, so that there is data to learn from where nothing can be downloaded. Each
// [System] has random initial conditions and parameters; [Simulate] writes a data
// set in the layout of The Well.
//
//	s, err := solve.Lookup("gray_scott")
//	dir, err := solve.Simulate(ctx, solve.Options{System: s, Out: "datasets", Train: 8, Valid: 2, Test: 2, Seed: 1})
//
// A [Stream] is a data.Dataset that simulates its trajectories while a training reads them,
// with the workers of a [Pool]:
//
//	pool, err := solve.NewPool(solve.PoolOptions{})
//	defer pool.Close()
//	ds, err := solve.NewStream(pool, solve.StreamOptions{System: s, Case: solve.Case{Grid: []int{48, 32}}, Seed: 1})
//
// Solvers compute in float64 on cell centres, deterministic for a seed: spectral
// with exponential time differencing where everything is smooth and periodic
// (etd.go), finite volumes with approximate Riemann solvers for shocks
// (conservation.go), staggered grids for sound and convection. [System.Vary] draws
// grids, boundaries, initial states and parameters from a far wider range than the
// defaults. Each is checked
// against an analytic solution, an order of convergence or a conserved sum; see
// the tests. Lengths and times are those of the equations, without units.
package solve

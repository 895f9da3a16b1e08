// Package solve simulates physical systems like those of the paper's data sets, so that
// training needs no download. Each [System] has random initial conditions and parameters;
// [Simulate] writes a data set in The Well's layout.
//
//	s, err := solve.Lookup("gray_scott")
//	dir, err := solve.Simulate(ctx, solve.Options{System: s, Out: "datasets", Train: 8, Valid: 2, Test: 2, Seed: 1})
//
// A [Stream] is a data.Dataset whose trajectories the workers of a [Pool] simulate while a
// training reads them:
//
//	pool, err := solve.NewPool(solve.PoolOptions{})
//	defer pool.Close()
//	ds, err := solve.NewStream(pool, solve.StreamOptions{System: s, Case: solve.Case{Grid: []int{48, 32}}, Seed: 1})
//
// Solvers compute in float64 on cell centres and are deterministic for a seed. Smooth
// periodic systems use Fourier modes with exponential time differencing (etd.go), systems
// with shocks use finite volumes with approximate Riemann solvers (conservation.go), sound
// and convection use staggered grids. [System.Vary] draws grids, boundaries, initial states
// and parameters from wider ranges than the defaults. The tests check each solver against
// an analytic solution, an order of convergence or a conserved sum. Lengths and times are
// in the units of the equations.
package solve

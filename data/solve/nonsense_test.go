package solve_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	var systems []any
	for _, name := range []string{"diffusion", "acoustics", "euler_open", "navier_stokes"} {
		s, err := solve.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		systems = append(systems, s)
	}
	pool, err := solve.NewPool(solve.PoolOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	sweep.Run(t, sweep.Package{
		Funcs: []any{solve.Lookup, solve.NewPool, solve.NewStream, solve.Simulate, solve.Systems},
		Types: []any{new(solve.System)},
		Made:  []any{(*solve.Pool)(nil), (*solve.Stream)(nil)},
		Values: append(systems, pool, []int{8, 8}, data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)},
			map[string]float64{"diffusivity": 0.1}, map[string]float64{"contrast": 2, "viscosity": 0.1}, make([]float32, 64), []float64{1, 1}),
		Strings: []string{"diffusion", "diffusivity", "x"},
		Calls:   60,
	})
}

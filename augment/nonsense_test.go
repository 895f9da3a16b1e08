package augment_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	plane := &data.Window{
		Name:       "tank",
		Fields:     []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}, {Name: "stress", Order: 2}, {Name: data.MaskName, Constant: true}},
		Grid:       []int{3, 2},
		Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)},
		Frames:     [][]float32{make([]float32, 42), make([]float32, 42), make([]float32, 42)},
		Constants:  make([]float32, 6),
		Times:      []float32{0, 1, 2},
	}
	space, err := augment.Embed(plane)
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs:  []any{augment.Embed, augment.Identity, augment.InPlane, augment.Octahedral, augment.Random, augment.Rotations, augment.Stride, augment.Unembed},
		Types:  []any{new(augment.Rotation)},
		Values: []any{plane, space, augment.Octahedral()[17], augment.Rotations()},
	})
}

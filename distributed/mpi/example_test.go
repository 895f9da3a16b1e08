package mpi_test

import (
	"fmt"
	"os"

	"github.com/gowalrus/gowalrus/distributed/mpi"
)

// A program for mpirun -n 4: each rank brings a gradient, all get the sum.
func Example() {
	engine, err := mpi.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	gradient := []float32{1, float32(engine.Rank())}
	wait := engine.Sum(gradient)
	// Work on something else; the sum advances meanwhile.
	if err := wait(); err != nil {
		engine.Abort(err)
	}
	fmt.Println(engine.Rank(), gradient)
	if err := engine.Close(); err != nil {
		engine.Abort(err)
	}
}

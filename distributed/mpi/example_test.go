package mpi_test

import (
	"fmt"
	"os"

	"github.com/gowalrus/gowalrus/distributed/mpi"
)

// A program for mpirun -n 4: each rank has a gradient, all receive the sum.
func Example() {
	engine, err := mpi.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	gradient := []float32{1, float32(engine.Rank())}
	wait := engine.Sum(gradient)
	// Other work can happen here while the sum advances.
	if err := wait(); err != nil {
		engine.Abort(err)
	}
	fmt.Println(engine.Rank(), gradient)
	if err := engine.Close(); err != nil {
		engine.Abort(err)
	}
}

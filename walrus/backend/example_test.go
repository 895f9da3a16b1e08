package backend_test

import (
	"fmt"
	"log"
	"os"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// The pure Go backend is available in every build.
func ExampleGo() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	out, err := graph.CallOnce(b, graph.ReduceAllSum, []float32{1, 2, 3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Value())
	// Output: 6
}

// withEnv sets GOMLX_BACKEND, as a shell would, and returns a function that restores
// it.
func withEnv(value string) (undo func()) {
	before, was := os.LookupEnv(backend.Env)
	_ = os.Setenv(backend.Env, value)
	return func() {
		if _ = os.Unsetenv(backend.Env); was {
			_ = os.Setenv(backend.Env, before)
		}
	}
}

// GOMLX_BACKEND decides. Without it an installed XLA plugin is used, else the Go
// backend.
func ExampleDefault() {
	defer withEnv("go")()
	b, err := backend.Default()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.Name())
	// Output: Go Backend
}

// Open returns the choice and the reason.
func ExampleOpen() {
	defer withEnv("go")()
	_, choice, err := backend.Open()
	fmt.Println(choice.Config, "–", choice.Why, err)
	_ = os.Setenv(backend.Env, "abacus")
	_, choice, err = backend.Open()
	fmt.Println(choice.Why, err != nil)
	// Output:
	// go:parallelism=-1 – GOMLX_BACKEND=go, in a form that does not deadlock <nil>
	// GOMLX_BACKEND is set true
}

// A flag of a program: -auto lets the machine choose.
func ExamplePick() {
	defer withEnv("go")()
	for _, auto := range []bool{false, true} {
		b, err := backend.Pick(auto)
		fmt.Println(auto, b.Name(), err)
	}
	// Output:
	// false Go Backend <nil>
	// true Go Backend <nil>
}

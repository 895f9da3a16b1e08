// Command layer replaces one layer of a Walrus block: LinearAttention (linear.go) takes
// the place of attention over space, so that the cost grows linearly with the number of
// tokens, not quadratically. It prints the time of a block with either:
//
//	GOEXPERIMENT=simd go run ./examples/layer
//
// linear_test.go shows the tests that a layer needs: a naive loop over many shapes,
// gradients by finite differences, its properties, and the inputs that it refuses. The
// example customloop trains a network that is built in this way.
package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// Channels, heads and frames of a block's input.
const channels, heads, frames = 64, 4, 4

func main() {
	side := flag.Int("side", 48, "tokens along each axis of the largest grid")
	flag.Parse()
	if err := run(*side, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "layer:", err)
		os.Exit(1)
	}
}

// run times blocks on grids of 16, 32, … tokens per axis.
func run(side int, out io.Writer) error {
	if side < 16 {
		return fmt.Errorf("-side: expected at least 16, got %d", side)
	}
	b, err := backend.Go()
	if err != nil {
		return err
	}
	for n := 16; n <= side; n += 16 {
		quadratic, err := measure(b, n*n, released(channels, heads, [3]int{n, n, 1}))
		if err != nil {
			return err
		}
		ours, err := measure(b, n*n, linear(channels, heads))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%4d tokens: released %v, linear %v\n", n*n, quadratic.Round(time.Millisecond), ours.Round(time.Millisecond))
	}
	return nil
}

// measure returns the smallest time of three forward passes.
func measure(b compute.Backend, tokens int, space spaceMixing) (time.Duration, error) {
	store := model.NewStore()
	defer store.Finalize()
	program, err := model.NewExec(b, store, func(scope *model.Scope, x *Node) *Node {
		return block(layers.ScopeVars(scope, x.Graph()), x, heads, space)
	})
	if err != nil {
		return 0, err
	}
	defer program.Finalize()
	x := tensors.FromScalarAndDimensions(float32(0.5), frames, 1, tokens, channels)
	if _, err := program.Call(x); err != nil { // the first call compiles
		return 0, err
	}
	least := time.Duration(math.MaxInt64)
	for range 3 {
		start := time.Now()
		if _, err := program.Call(x); err != nil {
			return 0, err
		}
		least = min(least, time.Since(start))
	}
	return least, nil
}

// Command layer replaces one layer of a Walrus block: LinearAttention (linear.go) takes
// the place of attention over space, so that the cost grows linearly with the number of
// tokens, not quadratically. It prints the time of a block with either:
//
//	GOEXPERIMENT=simd go run ./examples/layer
//
// linear_test.go shows the tests that a layer needs: a naive loop over many shapes,
// gradients by finite differences, its properties, and the inputs that it refuses.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

const channels, heads, frames = 64, 4, 4 // of a block's input

// spaceMixing maps the tokens [F, S, C] of frames to tokens of the same shape.
type spaceMixing func(vars layers.Vars, x *Node) *Node

// block is [layers.Block] with a replaceable space mixing: the library's time mixing,
// then space. x is [T, B, S, C].
func block(vars layers.Vars, x *Node, space spaceMixing) *Node {
	d := x.Shape().Clone().Dimensions
	time := layers.TimeAttention{Channels: d[3], Heads: heads}
	x = time.Apply(x, time.Weights(vars.In("time_mixing")), nil)
	return Reshape(space(vars.In("space_mixing"), Reshape(x, d[0]*d[1], d[2], d[3])), d...)
}

func main() {
	if err := run(48, os.Stdout); err != nil {
		log.Fatal("layer: ", err)
	}
}

// run times blocks with either space mixing on grids of 16, 32, … side tokens per axis.
func run(side int, out io.Writer) error {
	for n := 16; n <= side; n += 16 {
		released := layers.ParallelAttention{Channels: channels, Heads: heads}
		quadratic, err := measure(n*n, func(vars layers.Vars, x *Node) *Node {
			return released.Apply(x, released.Weights(vars), [3]int{n, n, 1}, nil, nil)
		})
		if err != nil {
			return err
		}
		l := LinearAttention{Channels: channels, Heads: heads}
		linear, err := measure(n*n, func(vars layers.Vars, x *Node) *Node { return l.Apply(x, l.Weights(vars)) })
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%4d tokens: released %v, linear %v\n", n*n, quadratic, linear)
	}
	return nil
}

// measure returns the time of a forward pass after two others; the first one compiles.
func measure(tokens int, space spaceMixing) (took time.Duration, err error) {
	b, err := backend.Go()
	if err != nil {
		return 0, err
	}
	program, err := model.NewExec(b, model.NewStore(), func(scope *model.Scope, x *Node) *Node {
		return block(layers.ScopeVars(scope, x.Graph()), x, space)
	})
	for i := 0; i < 3 && err == nil; i++ {
		start := time.Now()
		_, err = program.Call(tensors.FromScalarAndDimensions(float32(0.5), frames, 1, tokens, channels))
		took = time.Since(start).Round(time.Millisecond)
	}
	return took, err
}

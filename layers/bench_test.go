package layers

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// The sizes are those of a small model: width 256, four heads, six frames of 128×128
// points, that is, 32×33 tokens if one axis is periodic and the other has walls.
// GOMLX_BACKEND selects the backend.
const (
	benchHidden = 256
	benchHeads  = 4
	benchFrames = 6
)

var benchGrid = [3]int{32, 33, 1}

// benchmark measures fn on random float32 inputs: the forward pass, and the forward and
// backward pass of the sum of squares with gradients of every input.
func benchmark(b *testing.B, dims [][]int, fn func(in []*Node) *Node) {
	exec := func(b *testing.B, run func(in []*Node) []*Node) {
		e, err := NewExec(testbackend.New(b), run)
		if err != nil {
			b.Fatal(err)
		}
		defer e.Finalize()
		args := make([]any, len(dims))
		for i, d := range dims {
			args[i] = seeded32("bench", d)
		}
		call := func() {
			out, err := e.Call(args...)
			if err != nil {
				b.Fatal(err)
			}
			for _, t := range out {
				t.MustFinalizeAll()
			}
		}
		call() // compiles
		for b.Loop() {
			call()
		}
	}
	b.Run("forward", func(b *testing.B) {
		exec(b, func(in []*Node) []*Node { return []*Node{fn(in)} })
	})
	b.Run("forward+backward", func(b *testing.B) {
		exec(b, func(in []*Node) []*Node { return Gradient(ReduceAllSum(Square(fn(in))), in...) })
	})
}

// benchParams returns the shapes of a block's parameters and a function from nodes to Vars.
func benchParams(weights func(v Vars)) (dims [][]int, vars func(in []*Node) Vars) {
	var s paramSet
	for _, p := range paramsOf(weights) {
		s.keys, dims = append(s.keys, p.key), append(dims, p.dims)
	}
	return dims, s.vars
}

func BenchmarkParallelAttention(b *testing.B) {
	p := ParallelAttention{Channels: benchHidden, Heads: benchHeads}
	dims, vars := benchParams(func(v Vars) { p.Weights(v) })
	x := []int{benchFrames, benchGrid[0] * benchGrid[1] * benchGrid[2], benchHidden}
	benchmark(b, append([][]int{x}, dims...), func(in []*Node) *Node {
		return p.Apply(in[0], p.Weights(vars(in[1:])), benchGrid, nil, nil)
	})
}

func BenchmarkTimeAttention(b *testing.B) {
	p := TimeAttention{Channels: benchHidden, Heads: benchHeads}
	dims, vars := benchParams(func(v Vars) { p.Weights(v) })
	x := []int{benchFrames, 1, benchGrid[0] * benchGrid[1] * benchGrid[2], benchHidden}
	benchmark(b, append([][]int{x}, dims...), func(in []*Node) *Node {
		return p.Apply(in[0], p.Weights(vars(in[1:])), nil)
	})
}

// BenchmarkPatchConv measures the encoder's first convolution: eight columns (five fields
// and the boundary channels), kernel 8, stride 2.
func BenchmarkPatchConv(b *testing.B) {
	dims := [][]int{{benchFrames, 138, 142, 1, 8}, {64, 8, 8, 8, 8}}
	benchmark(b, dims, func(in []*Node) *Node { return PatchConv(in[0], in[1], [3]int{2, 2, 2}) })
}

// BenchmarkPatchConvTranspose measures the decoder's last convolution with five fields and
// one periodic axis.
func BenchmarkPatchConvTranspose(b *testing.B) {
	dims := [][]int{{benchFrames, 66, 68, 1, 64}, {64, 5, 8, 8, 8}, {5}}
	benchmark(b, dims, func(in []*Node) *Node {
		return PatchConvTranspose(in[0], in[1], in[2], [3]int{2, 2, 2}, [3]bool{true, false, false})
	})
}

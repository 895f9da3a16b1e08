package jitter_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// ring returns the plan of a periodic 1D grid of 16 points in patches of four.
func ring() *csm.Plan {
	plan, err := csm.NewPlan([]int{16}, data.Boundaries{data.Both(data.Periodic)}, csm.Options{Tokens: [3]int{4, 4, 4}, Kernel: [2]int{4, 4}})
	if err != nil {
		log.Fatal(err)
	}
	return plan
}

// Apply pads and shifts a field; Invert returns the original.
func ExampleJitterer() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	j := jitter.Jitterer{Plan: ring()}
	x := make([]float32, 16)
	for i := range x {
		x[i] = float32(i)
	}
	in := tensors.FromFlatDataAndDimensions(x, 1, 1, 1, 16, 1, 1) // [T, B, C, H, W, D]
	out, err := graph.CallOnceN(b, func(in []*graph.Node) []*graph.Node {
		padded := j.Apply(in[0], in[1])
		field := graph.SliceAxis(padded, -1, graph.AxisRange(0, 1)) // without the boundary channels
		return []*graph.Node{padded, field, j.Invert(field, in[1], 1, 1)}
	}, in, []int32{3, 0, 0})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out[0].Shape().Dimensions)
	fmt.Println(tensors.MustCopyFlatData[float32](out[1]))
	fmt.Println(tensors.MustCopyFlatData[float32](out[2]))
	// Output:
	// [1 22 1 1 4]
	// [10 11 12 13 14 15 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15]
	// [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15]
}

// Shifts are drawn on the host, within bounds that the plan determines.
func ExampleJitterer_Draw() {
	j := jitter.Jitterer{Plan: ring()}
	rng := rand.New(rand.NewPCG(1, 2))
	fmt.Println(j.Bounds())
	for range 3 {
		fmt.Println(j.Draw(rng))
	}
	fmt.Println(j.CheckShift([3]int32{8, 0, 0}))
	// Output:
	// [8 0 0]
	// [4 0 0]
	// [2 0 0]
	// [4 0 0]
	// jitter: shift of axis 0: expected within ±7, got 8
}

// Each block sees the sum of the rolls drawn so far.
func ExampleAccumulateRolls() {
	j := jitter.Jitterer{Plan: ring()}
	rolls := j.DrawLatentRolls(rand.New(rand.NewPCG(3, 4)), 3)
	total, err := jitter.AccumulateRolls(j.Plan, rolls)
	fmt.Println(rolls)
	fmt.Println(total, err)
	// Output:
	// [[2 0 0] [3 0 0] [1 0 0]]
	// [[2 0 0] [1 0 0] [2 0 0]] <nil>
}

package csm_test

import (
	"fmt"
	"log"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// A plan explains its choices, and the error for a short axis states the expected length.
func ExamplePlan_Describe() {
	periodic := data.Both(data.Periodic)
	plan, err := csm.NewPlan([]int{66, 64}, data.Boundaries{data.Both(data.Wall), periodic}, csm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Describe())
	_, err = csm.NewPlan([]int{64, 5}, data.Boundaries{periodic, periodic}, csm.Options{})
	fmt.Println(err)
	// Output:
	// axis 0: 66 points, wall: patch 2 (strides 2×1), padded to 80 by zeros 7+7, 34 tokens
	//         The release needs a multiple of 32 points; a patch of 2 cuts it into 33 for a target of 32 tokens, with strides the released weights were not trained on.
	// axis 1: 64 points, periodic: patch 2 (strides 2×1), padded to 76 by wrapping 6+6, 32 tokens
	//         The release has no patch of 2 points; a patch of 2 cuts it into 32 for a target of 32 tokens, with strides the released weights were not trained on.
	// 34×32×1 = 1088 tokens per frame, padding adds 43.9 %, released plan: no
	// csm: axis 1 has 5 points: expected 1 or at least 8
}

// Fewer tokens make the network cheaper, because attention is quadratic in them.
func ExampleOptions() {
	bcs := data.Boundaries{data.Both(data.Open), data.Both(data.Open)}
	for _, tokens := range []int{32, 16, 8} {
		o := csm.Options{Tokens: [3]int{tokens, tokens, tokens}}
		plan, err := csm.NewPlan([]int{128, 128}, bcs, o)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(tokens, plan.TokenGrid(), plan.Axes[0].Stride, plan.PaddedGrid())
	}
	fmt.Println(csm.Options{Tokens: [3]int{32, 0, 16}}.Validate())
	// Output:
	// 32 [33 33 1] [2 2] [142 142 1]
	// 16 [17 17 1] [4 2] [148 148 1]
	// 8 [9 9 1] [4 4] [148 148 1]
	// csm: options: tokens of 2-dimensional grids: expected at least 1 (or all three left zero), got 0
}

func ExampleReleasedTokens() {
	fmt.Println(csm.ReleasedTokens())
	// Output: [32 32 16]
}

// The encoder converts padded fields to tokens, the decoder tokens to padded fields. Both
// select the weight columns of the given registry indices.
func ExampleHMLP() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	plan, err := csm.NewPlan([]int{32, 32}, data.Boundaries{data.Both(data.Open), data.Both(data.Open)},
		csm.Options{Tokens: [3]int{8, 8, 8}, Kernel: [2]int{4, 4}})
	if err != nil {
		log.Fatal(err)
	}
	coder := csm.HMLP{States: 10, Inner: 8, Hidden: 16, Kernel: plan.Options.Kernel}
	grid := plan.PaddedGrid()
	x := tensors.FromScalarAndDimensions(float32(1), 2, grid[0], grid[1], grid[2], 2+3) // two fields, three boundary channels
	out, err := model.CallOnceN(b, model.NewStore(), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		vars := layers.ScopeVars(scope, in[0].Graph())
		fields := graph.Const(in[0].Graph(), []int32{7, 4})
		ids := graph.Concatenate([]*graph.Node{fields, graph.Const(in[0].Graph(), []int32{2, 0, 1})}, 0)
		tokens := coder.Encode(in[0], coder.EncoderWeights(vars.In("encoder")), ids, nil, plan)
		return []*graph.Node{tokens, coder.Decode(tokens, coder.DecoderWeights(vars.In("decoder")), fields, plan)}
	}, x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("padded", x.Shape().Dimensions)
	fmt.Println("tokens", out[0].Shape().Dimensions)
	fmt.Println("fields", out[1].Shape().Dimensions)
	// Output:
	// padded [2 42 42 1 5]
	// tokens [2 9 9 1 16]
	// fields [2 42 42 1 2]
}

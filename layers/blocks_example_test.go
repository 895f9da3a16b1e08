package layers_test

import (
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/layers"
)

// call builds a graph with variables in a new store, runs it and returns the result.
func call(build func(scope *model.Scope, x *graph.Node) *graph.Node, x any) *tensors.Tensor {
	y, err := model.CallOnce(backend(), model.NewStore(), build, x)
	if err != nil {
		log.Fatal(err)
	}
	return y
}

// A block is time mixing, then space mixing. Its parameters may come from anywhere; here
// they are variables of a scope.
func ExampleBlock() {
	b := layers.Block{
		Time:  layers.TimeAttention{Channels: 16, Heads: 2},
		Space: layers.ParallelAttention{Channels: 16, Heads: 2},
	}
	y := call(func(scope *model.Scope, x *graph.Node) *graph.Node {
		w := b.Weights(layers.ScopeVars(scope.At("block"), x.Graph()))
		return b.Apply(x, w, [3]int{2, 3, 1}, nil, nil, nil)
	}, tensors.FromScalarAndDimensions(float32(0.5), 4, 1, 6, 16)) // [T, B, S, C]
	fmt.Println(y.Shape().Dimensions)
	// Output: [4 1 6 16]
}

// Weights lists the names and shapes of parameters without a graph.
func ExampleTimeAttention_Weights() {
	sizes := map[string][]int{}
	vars := layers.VarsFrom(func(key string, _ layers.Init, dims []int) *graph.Node {
		sizes[key] = dims
		return nil
	})
	layers.TimeAttention{Channels: 8, Heads: 2}.Weights(vars.In("time_mixing"))
	for _, key := range slices.Sorted(maps.Keys(sizes)) {
		fmt.Println(key, sizes[key])
	}
	// Output:
	// time_mixing.input_head.bias [24]
	// time_mixing.input_head.weight [24 8 1 1 1]
	// time_mixing.knorm.bias [4]
	// time_mixing.knorm.weight [4]
	// time_mixing.norm1.weight [8]
	// time_mixing.output_head.bias [8]
	// time_mixing.output_head.weight [8 8 1 1 1]
	// time_mixing.qnorm.bias [4]
	// time_mixing.qnorm.weight [4]
	// time_mixing.rel_pos_bias.relative_attention_bias.weight [32 2]
}

// A change of the last frame changes no earlier result.
func ExampleNewCausalTimeAttention() {
	store := model.NewStore()
	run := func(last float32) []float32 {
		x := []float32{1, 2, 3, 4, 2, 1, 4, 3, last, 0, 1, 2} // three steps of one token
		y, err := model.CallOnce(backend(), store, func(scope *model.Scope, x *graph.Node) *graph.Node {
			x = graph.Reshape(x, 3, 1, 1, 4)
			// New residual branches are almost 0, which would show nothing.
			y := layers.NewCausalTimeAttention(scope.At("time"), x, 1).Done()
			return graph.MulScalar(graph.Sub(y, x), 1e6)
		}, x)
		if err != nil {
			log.Fatal(err)
		}
		return tensors.MustCopyFlatData[float32](y)
	}
	one, other := run(5), run(-5)
	fmt.Println(slices.Equal(one[:8], other[:8]), slices.Equal(one[8:], other[8:]))
	// Output: true false
}

func ExampleNewRMSGroupNorm() {
	// Two channels in one group: as in the paper, their common root mean square divides
	// both.
	x := [][][]float32{{{3, 4}, {4, 3}}}
	y := call(func(scope *model.Scope, x *graph.Node) *graph.Node {
		return layers.NewRMSGroupNorm(scope.At("norm"), x).PaperForm(1).Done()
	}, x)
	fmt.Printf("%.3f\n", y.Value())
	// Output: [[[0.849 1.131] [1.131 0.849]]]
}

func ExampleDense() {
	// The weight has one row per output, as in the reference.
	y := graph.MustExecOnce(backend(), func(x, w, b *graph.Node) *graph.Node { return layers.Dense(x, w, b) },
		[][]float32{{1, 2}}, [][]float32{{1, 0}, {0, 1}, {1, 1}}, []float32{0, 10, 100})
	fmt.Println(y.Value())
	// Output: [[1 12 103]]
}

func ExampleSwiGLU() {
	// The first half of the inputs are values, the second half gates: the gate 0 blocks its
	// value, the gate 10 multiplies it by ten.
	y := graph.MustExecOnce(backend(), layers.SwiGLU, []float32{5, 5, 0, 10})
	fmt.Printf("%.2f\n", y.Value())
	// Output: [0.00 50.00]
}

func ExampleSiLU() {
	y := graph.MustExecOnce(backend(), layers.SiLU, []float32{-10, 0, 10})
	fmt.Printf("%.4f\n", y.Value())
	// Output: [-0.0005 0.0000 9.9995]
}

func ExampleGELU() {
	y := graph.MustExecOnce(backend(), layers.GELU, []float32{-10, 0, 1, 10})
	fmt.Printf("%.4f\n", y.Value())
	// Output: [-0.0000 0.0000 0.8413 10.0000]
}

func ExampleGroupNorm() {
	// Two channels in one group, over two points: mean 2.5, variance 1.25.
	y := graph.MustExecOnce(backend(), func(x, weight, bias *graph.Node) *graph.Node {
		return layers.GroupNorm(x, weight, bias, 1)
	}, [][][]float32{{{1, 2}, {3, 4}}}, []float32{1, 1}, []float32{0, 10})
	fmt.Printf("%.3f\n", y.Value())
	// Output: [[[-1.342 9.553] [0.447 11.342]]]
}

// Factors are drawn on the host and passed to the graph. Kept paths are scaled such that
// the mean does not change.
func ExampleDropPath() {
	keep := make([]float32, 4)
	layers.DrawKeep(rand.New(rand.NewPCG(1, 2)), 0.5, keep)
	y := graph.MustExecOnce(backend(), layers.DropPath, [][]float32{{1, 1}, {2, 2}, {3, 3}, {4, 4}}, keep)
	fmt.Println(keep, y.Value())
	// Output: [2 0 2 0] [[2 2] [0 0] [6 6] [0 0]]
}

func ExampleDrawKeep() {
	keep := make([]float32, 8)
	layers.DrawKeep(rand.New(rand.NewPCG(3, 4)), 0.2, keep)
	fmt.Println(keep)
	layers.DrawKeep(nil, 0, keep) // draws nothing
	fmt.Println(keep)
	// Output:
	// [1.25 1.25 1.25 1.25 0 1.25 1.25 1.25]
	// [1 1 1 1 1 1 1 1]
}

func ExampleDropPathRates() {
	fmt.Printf("%.3f\n", layers.DropPathRates(0.1, 5))
	// Output: [0.000 0.025 0.050 0.075 0.100]
}

// Paths are dropped only in training.
func ExampleNewDropPath() {
	for _, training := range []bool{false, true} {
		y := call(func(scope *model.Scope, x *graph.Node) *graph.Node {
			scope.Store().SetTraining(x.Graph(), training)
			return layers.NewDropPath(scope, x, 0.5).Done()
		}, slices.Repeat([]float32{1}, 64))
		values := tensors.MustCopyFlatData[float32](y)
		slices.Sort(values)
		fmt.Println(training, slices.Compact(values))
	}
	// Output:
	// false [1]
	// true [0 2]
}

// The bias depends only on the distance of two steps; later steps are masked.
func ExampleRelativeBias() {
	table := make([][]float32, layers.RelativeBuckets)
	for i := range table {
		table[i] = []float32{float32(i)} // one head
	}
	y := graph.MustExecOnce(backend(), func(table *graph.Node) *graph.Node { return layers.RelativeBias(table, 3, true) }, table)
	for _, row := range y.Value().([][][]float32)[0] {
		for _, v := range row {
			if v == layers.Masked {
				fmt.Print(" –")
			} else {
				fmt.Printf(" %.0f", v)
			}
		}
		fmt.Println()
	}
	// Output:
	// 0 – –
	//  1 0 –
	//  2 1 0
}

func ExampleNewRelativeBias() {
	out, err := model.CallOnce(backend(), model.NewStore(), func(scope *model.Scope, g *graph.Graph) *graph.Node {
		return layers.NewRelativeBias(scope, g, 4, 6).Causal(false).Done()
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Shape().Dimensions)
	// Output: [4 6 6]
}

// A kernel of four points with stride two, for three fields of a registry of ten. The last
// three channels are the boundary channels.
func ExampleNewPatchConv() {
	y := call(func(scope *model.Scope, x *graph.Node) *graph.Node {
		ids := graph.Const(x.Graph(), []int32{7, 4, 9, 2, 0, 1})
		return layers.NewPatchConv(scope, x, 8, [3]int{4, 4, 4}, [3]int{2, 2, 1}).Select(10, ids).Done()
	}, tensors.FromScalarAndDimensions(float32(1), 2, 10, 12, 1, 6))
	fmt.Println(y.Shape().Dimensions)
	// Output: [2 4 5 1 8]
}

func ExampleNewPatchConvTranspose() {
	y := call(func(scope *model.Scope, x *graph.Node) *graph.Node {
		return layers.NewPatchConvTranspose(scope, x, 3, [3]int{4, 4, 4}, [3]int{2, 2, 1}).Periodic([3]bool{true, false, false}).Done()
	}, tensors.FromScalarAndDimensions(float32(1), 2, 4, 5, 1, 8))
	fmt.Println(y.Shape().Dimensions)
	// Output: [2 10 12 1 3]
}

func ExampleSelectColumns() {
	y := graph.MustExecOnce(backend(), func(w, ids *graph.Node) *graph.Node { return layers.SelectColumns(w, ids, 1) },
		[][]float32{{0, 1, 2, 3}, {10, 11, 12, 13}}, []int32{3, 1, 1})
	fmt.Println(y.Value())
	// Output: [[3 1 1] [13 11 11]]
}

// Two fields of a registry of eight select their columns of the kernel, scaled such that
// few fields have the same weight as all.
func ExampleSelectInput() {
	w := make([]float32, 8+3)
	for i := range w {
		w[i] = 1
	}
	y := graph.MustExecOnce(backend(), func(w, ids *graph.Node) *graph.Node {
		return layers.SelectInput(graph.Reshape(w, 1, 11, 1, 1, 1), ids)
	}, w, []int32{5, 9, 2, 0, 1})
	fmt.Println(y.Shape().Dimensions, tensors.MustCopyFlatData[float32](y))
	// Output: [1 5 1 1 1] [2 2 2 1 1]
}

// ScopeVars creates parameters as variables of a scope, under the release's names.
func ExampleScopeVars() {
	store := model.NewStore()
	_, err := model.CallOnce(backend(), store, func(scope *model.Scope, g *graph.Graph) *graph.Node {
		vars := layers.ScopeVars(scope.At("model"), g).In("blocks").In("0")
		return vars.In("norm1").Var("weight", layers.One, 4)
	})
	if err != nil {
		log.Fatal(err)
	}
	v := store.GetVariable("/model/blocks/0/norm1/weight")
	fmt.Println(v.MustValue().Value(), v.Trainable)
	// Output: [1 1 1 1] true
}

// The parameters are inputs of a program; no variables are created.
func ExampleVarsFrom() {
	y := graph.MustExecOnce(backend(), func(x, weight *graph.Node) *graph.Node {
		vars := layers.VarsFrom(func(key string, _ layers.Init, dims []int) *graph.Node {
			fmt.Println("asked for", key, dims)
			return weight
		})
		return layers.Dense(x, vars.In("head").Var("weight", layers.FanIn(2), 1, 2), nil)
	}, [][]float32{{3, 4}}, [][]float32{{10, 1}})
	fmt.Println(y.Value())
	// Output:
	// asked for head.weight [1 2]
	// [[34]]
}

// The values depend only on the seed and the key.
func ExampleInit_Fill() {
	a, b := make([]float32, 3), make([]float32, 3)
	fmt.Println(layers.FanIn(4).Fill(a, 1, "blocks.0.out.weight"), layers.FanIn(4).Fill(b, 1, "blocks.0.out.weight"))
	fmt.Println(slices.Equal(a, b), slices.Max(a) <= 0.5 && slices.Min(a) >= -0.5)
	// Output:
	// <nil> <nil>
	// true true
}

func ExampleFanIn() {
	fmt.Println(layers.FanIn(16).Uniform)
	// Output: 0.25
}

func ExampleRoPEFrequencies() {
	// In the release, 66 of the 88 dimensions of a head are rotated: 11 pairs per axis.
	m := layers.RoPEFrequencies(88)
	fmt.Println(m, 6*m, layers.RoPEPositions(5))
	// Output: 11 66 [-1 -0.5 0 0.5 1]
}

func ExampleRoPEBase() {
	// π, …, 128π
	fmt.Printf("%.2f\n", layers.RoPEBase(24))
	// Output: [3.14 202.63 402.12]
}

// The pair of dimensions is rotated by the angle of the token: 0 for the first, a quarter
// turn for the second. The third dimension does not change.
func ExampleRotate() {
	x := [][]float32{{1, 2, 9}, {1, 2, 9}} // two tokens
	angles := [][]float32{{0}, {3.14159265 / 2}}
	y := graph.MustExecOnce(backend(), layers.Rotate, x, angles)
	fmt.Printf("%.0f\n", y.Value())
	// Output: [[1 2 9] [-2 1 9]]
}

// Angles rolls the angles instead of the tokens: each token gets the angle of its position
// after the roll.
func ExampleAxialRoPE_Angles() {
	freqs := []float32{1}
	out, err := graph.CallOnceN(backend(), func(f, roll *graph.Node) []*graph.Node {
		r := layers.AxialRoPE{Freqs: [3]*graph.Node{f, f, f}}
		grid := [3]int{3, 1, 1}
		return []*graph.Node{r.Angles(grid, nil), r.Angles(grid, roll)}
	}, freqs, []int32{1, 0, 0})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out[0].Value(), out[1].Value())
	// Output: [[-1 -1 -1] [0 -1 -1] [1 -1 -1]] [[0 -1 -1] [1 -1 -1] [-1 -1 -1]]
}

func ExampleNewAxialRoPE() {
	y := call(func(scope *model.Scope, x *graph.Node) *graph.Node {
		return layers.NewAxialRoPE(scope, x, [3]int{2, 3, 1}).Mode(layers.RoPEPerAxis).Done()
	}, tensors.FromShape(shapes.Make(dtypes.Float32, 2, 6, 16)))
	fmt.Println(y.Shape().Dimensions)
	// Output: [2 6 16]
}

// Trained frequencies, one set per axis.
func ExampleRoPEWeights() {
	layers.RoPEWeights(layers.VarsFrom(func(key string, init layers.Init, dims []int) *graph.Node {
		fmt.Println(key, dims, "trained:", !init.Buffer)
		return nil
	}).In("rotary_emb"), layers.RoPEPerAxis, 32)
	// Output:
	// rotary_emb.freqs.0 [4] trained: true
	// rotary_emb.freqs.1 [4] trained: true
	// rotary_emb.freqs.2 [4] trained: true
}

// Frame by frame, with cached keys and values of the earlier frames, the result is the same
// as for all frames together.
func ExampleTimeAttention_ApplyNext() {
	p := layers.TimeAttention{Channels: 8, Heads: 2, NoBias: true}
	y := call(func(scope *model.Scope, x *graph.Node) *graph.Node {
		w := p.Weights(layers.ScopeVars(scope, x.Graph()))
		all := p.Apply(x, w, nil) // [T, B, S, C]
		var earlier []layers.KeyValue
		var next *graph.Node
		for t := range 3 {
			frame := graph.Squeeze(graph.SliceAxis(x, 0, graph.AxisElem(t)), 0)
			bias := graph.Zeros(x.Graph(), shapes.Make(dtypes.Float32, t+1, 2))
			y, own := p.ApplyNext(frame, w, earlier, bias)
			earlier, next = append(earlier, own), y
		}
		last := graph.Squeeze(graph.SliceAxis(all, 0, graph.AxisElem(-1)), 0)
		return graph.ReduceAllMax(graph.Abs(graph.Sub(next, last)))
	}, tensors.FromScalarAndDimensions(float32(0.5), 3, 1, 2, 8))
	fmt.Println(tensors.ToScalar[float32](y) < 1e-5)
	// Output: true
}

// The parallel attention of a block, built with variables in a scope.
func ExampleNewParallelAttention() {
	y := call(func(scope *model.Scope, x *graph.Node) *graph.Node {
		return layers.NewParallelAttention(scope.At("space"), x, 2, [3]int{2, 3, 1}).MLP(32).RoPE(layers.RoPEPerAxis).Done()
	}, tensors.FromScalarAndDimensions(float32(0.5), 4, 6, 16)) // [F, S, C]
	fmt.Println(y.Shape().Dimensions)
	// Output: [4 6 16]
}

// The positions of the tokens along an axis, which are all that the network knows of their
// coordinates.
func ExampleRoPEPositions() {
	fmt.Println(layers.RoPEPositions(5), layers.RoPEPositions(1))
	// Output: [-1 -0.5 0 0.5 1] [-1]
}

package walrus_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// A model plans grids and lists its parameters; it holds no weights.
func ExampleNewModel() {
	m, err := walrus.NewModel(tiny())
	if err != nil {
		log.Fatal(err)
	}
	plan, err := m.Plan([]int{12, 8}, tide().Boundaries)
	if err != nil {
		log.Fatal(err)
	}
	params, err := m.ParamsFor(plan)
	if err != nil {
		log.Fatal(err)
	}
	n := 0
	for _, p := range params {
		n += p.Size()
	}
	fmt.Println(plan.TokenGrid(), len(params), "tensors,", n, "numbers")

	wrong := tiny()
	wrong.Heads = 3
	_, err = walrus.NewModel(wrong)
	fmt.Println(err)
	// Output:
	// [4 5 1] 30 tensors, 54970 numbers
	// walrus: config: hidden 32 is not divisible by heads 3
}

// Build adds the network to a gomlx program. Its weights are variables of a store, ready
// for an optimiser of gomlx. examples/customloop trains this way.
func ExampleModel_Build() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	m, err := walrus.NewModel(tiny())
	if err != nil {
		log.Fatal(err)
	}
	w := tide()
	plan, err := m.Plan(w.Grid, w.Boundaries)
	if err != nil {
		log.Fatal(err)
	}
	volume := w.Volume()
	ids, err := volume.IDs(m.Config().Registry)
	if err != nil {
		log.Fatal(err)
	}
	shift, rolls, err := m.Tensors(m.Draw(rand.New(rand.NewPCG(1, 2)), plan), plan)
	if err != nil {
		log.Fatal(err)
	}
	x := tensors.FromScalarAndDimensions(float32(0.5), 3, 1, len(ids), 12, 8, 1) // [T, B, C, H, W, D]
	store := model.NewStore()
	y, err := model.CallOnce(b, store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
		vars := layers.ScopeVars(scope.At("model"), in[0].Graph())
		return m.Build(vars, walrus.Inputs{X: in[0], IDs: in[1], Shift: in[2], Rolls: in[3]}, plan)
	}, x, ids, shift, rolls)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Shape().Dimensions)
	fmt.Println(store.GetVariable("/model/blocks/0/space_mixing/fused_ff_qkv/weight").Shape().Dimensions)
	// Output:
	// [3 1 4 12 8 1]
	// [224 32]
}

// Here the weights of the library are inputs of the program.
func ExampleModel_Forward() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	m, err := walrus.NewModel(tiny())
	if err != nil {
		log.Fatal(err)
	}
	weights, err := walrus.InitWeights(m.Config(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	plan, err := m.Plan(tide().Grid, tide().Boundaries)
	if err != nil {
		log.Fatal(err)
	}
	params, err := m.ParamsFor(plan)
	if err != nil {
		log.Fatal(err)
	}
	inputs := []any{tensors.FromScalarAndDimensions(float32(0.5), 3, 1, 4, 12, 8, 1), []int32{3, 4, 5, 6}}
	at := map[string]int{}
	for _, p := range params {
		t, ok := weights.Tensor(p.Key)
		if !ok {
			log.Fatal(p.Key)
		}
		at[p.Key] = len(inputs)
		inputs = append(inputs, t)
	}
	y, err := graph.CallOnceN(b, func(in []*graph.Node) []*graph.Node {
		vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *graph.Node { return in[at[key]] })
		out := m.Forward(m.WeightsFor(vars, plan), walrus.Inputs{X: in[0], IDs: in[1], LastOnly: true}, plan)
		return []*graph.Node{out}
	}, inputs...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y[0].Shape().Dimensions)
	// Output: [1 1 4 12 8 1]
}

// Jitter and latent rolls are drawn on the host.
func ExampleModel_Draw() {
	m, err := walrus.NewModel(tiny())
	if err != nil {
		log.Fatal(err)
	}
	plan, err := m.Plan(tide().Grid, tide().Boundaries)
	if err != nil {
		log.Fatal(err)
	}
	d := m.Draw(rand.New(rand.NewPCG(3, 4)), plan)
	fmt.Println(d.Shift, d.Rolls, m.CheckDraws(d, plan))
	d.Shift[0] = 50
	fmt.Println(m.CheckDraws(d, plan))
	// Output:
	// [4 2 0] [[1 0 0]] <nil>
	// walrus: jitter: shift of axis 0: expected within ±5, got 50
}

// Fields and their changes are divided by their root mean squares over the history.
func ExampleSampleStats() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	x := tensors.FromFlatDataAndDimensions([]float32{3, 4, 4, 4}, 2, 1, 1, 2) // [T, B, C, space]
	out, err := graph.CallOnceN(b, func(x *graph.Node) []*graph.Node {
		s := walrus.SampleStats(x, walrus.Scaling{})
		return []*graph.Node{s.Std, s.DeltaStd, s.Normalize(x), s.DenormalizeDelta(graph.OnesLike(x))}
	}, x)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range out {
		fmt.Printf("%.3f ", tensors.MustCopyFlatData[float32](t))
	}
	// Output: [3.775] [0.707] [0.795 1.060 1.060 1.060] [0.707 0.707 0.707 0.707]
}

// Initial weights have the release's names.
func ExampleInitWeights() {
	w, err := walrus.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	p := w.Params()[0]
	t, ok := w.Tensor(p.Key)
	fmt.Println(p.Key, t.Shape().Dimensions, ok)
	_, err = w.Tensors([]string{p.Key, "blocks.9.nosuch"})
	fmt.Println(err)
	// Output:
	// encoder_dummy [1] true
	// walrus: weights: expected keys of this network, which has 38 tensors, got blocks.9.nosuch
}

func ExampleWeights_Set() {
	w, err := walrus.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(w.Set("blocks.0.space_mixing.norm1.weight", tensors.FromScalarAndDimensions(float32(2), 32)))
	fmt.Println(w.Set("blocks.0.space_mixing.norm1.weight", tensors.FromScalarAndDimensions(float32(2), 16)))
	// Output:
	// <nil>
	// walrus: weights: blocks.0.space_mixing.norm1.weight: expected Float32 [32], got Float32 [16]
}

// A copy can be trained while the original forecasts.
func ExampleWeights_Clone() {
	w, err := walrus.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	clone, err := w.Clone()
	if err != nil {
		log.Fatal(err)
	}
	defer clone.Close()
	w.Close()
	_, ok := w.Tensor("encoder_dummy")
	_, still := clone.Tensor("encoder_dummy")
	fmt.Println(ok, still)
	// Output: false true
}

func ExampleConfig() {
	c := walrus.Tiny()
	c.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z")
	params, err := c.Params()
	if err != nil {
		log.Fatal(err)
	}
	n := 0
	for _, p := range params {
		if !p.Init.Buffer {
			n += p.Size()
		}
	}
	fmt.Println(c.HeadWidth(), c.MLPWidth(), c.Frequencies(), c.States(), c.TokenTarget(2), len(params), n)
	// Output: 16 256 2 7 32 59 608719
}

func ExamplePresetNames() {
	fmt.Println(walrus.PresetNames())
	_, err := walrus.Preset("huge")
	fmt.Println(err)
	// Output:
	// [walrus half-walrus small tiny micro]
	// walrus: preset: expected one of walrus, half-walrus, small, tiny, micro, got "huge"
}

// The table lists the presets and their numbers of parameters for 2D and 3D together.
func ExampleWalrus() {
	for _, c := range []walrus.Config{walrus.Walrus(), walrus.HalfWalrus(), walrus.Small(), walrus.Tiny(), walrus.Micro()} {
		params, err := c.Params()
		if err != nil {
			log.Fatal(err)
		}
		n := 0
		for _, p := range params {
			if !p.Init.Buffer {
				n += p.Size()
			}
		}
		fmt.Println(c.Name, c.Blocks, c.Hidden, c.Heads, n)
	}
	// Output:
	// walrus 40 1408 16 1286199047
	// half-walrus 30 1088 16 644006727
	// small 4 256 4 16663943
	// tiny 2 64 4 2574919
	// micro 1 32 2 1178471
}

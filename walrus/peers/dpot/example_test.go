package dpot_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
)

// tiny is a network for examples.
var tiny = dpot.Config{Grid: []int{8, 8}, Patch: 4, InChannels: 1, OutChannels: 1, InSteps: 2, OutSteps: 1,
	Hidden: 8, Depth: 1, MixingBlocks: 2, Modes: 32, MLP: 8, OutWidth: 4, Classes: 1}

// example returns the backend and the path of a weight file in a temporary folder.
func example() (b compute.Backend, path string, remove func()) {
	b, err := backend.Default()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "dpot")
	if err != nil {
		log.Fatal(err)
	}
	w, err := dpot.InitWeights(tiny, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	path = filepath.Join(dir, "model.pth")
	if err := w.Save(path); err != nil {
		log.Fatal(err)
	}
	return b, path, func() { os.RemoveAll(dir) }
}

// A weight file tells its network. The published Ti has 7,534,643 parameters.
func ExampleLoad() {
	_, path, remove := example() // for example, the published model_Ti.pth
	defer remove()
	w, report, err := dpot.Load(path, walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	c := w.Config()
	fmt.Println(report.Tensors, "tensors,", c.Parameters(), "parameters, grid", c.Grid, "width", c.Hidden)
	fmt.Println(dpot.Ti().Parameters())
	// Output:
	// 31 tensors, 1717 parameters, grid [8 8] width 8
	// 7534643
}

// A forecast continues a window of frames, on the grid of the weights or another one.
func ExampleEmulator_Rollout() {
	backend, path, remove := example()
	defer remove()
	w, _, err := dpot.Load(path, walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	e, err := dpot.NewEmulator(w, backend)
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	window := make([]float32, 8*16*2) // two frames of one channel on 8 × 16 points
	for frame, err := range e.Rollout(context.Background(), window, []int{1, 8, 16, 2, 1}, 3) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(frame))
	}
	// Output:
	// 128
	// 128
	// 128
}

// The graph of a network takes its parameters from any function of their names: here they
// are inputs of the program, as for finetuning.
func ExampleModel_Forward() {
	backend, path, remove := example()
	defer remove()
	w, _, err := dpot.Load(path, walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	m, err := dpot.NewModel(w.Config())
	if err != nil {
		log.Fatal(err)
	}
	position, args := map[string]int{}, []any{}
	for i, p := range w.Params() {
		t, _ := w.Tensor(p.Key)
		position[p.Key], args = i, append(args, t)
	}
	x := tensors.FromFlatDataAndDimensions(make([]float32, 2*8*8*2), 2, 8, 8, 2, 1) // [B, X, Y, T, C]
	out, err := graph.CallOnceN(backend, func(in []*graph.Node) []*graph.Node {
		vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *graph.Node { return in[position[key]] })
		y := m.Forward(m.Weights(vars), in[len(in)-1]).Y
		loss := graph.ReduceAllSum(dpot.RelativeL2(y, graph.OnesLike(y), nil))
		return []*graph.Node{y, graph.Gradient(loss, in[position["time_agg_layer.w"]])[0]}
	}, append(args, x)...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out[0].Shape().Dimensions, out[1].Shape().Dimensions)
	// Output: [2 8 8 1 1] [2 8 8]
}

package mpp_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
)

// The published variants.
func ExamplePresets() {
	for _, c := range mpp.Presets() {
		fmt.Println(c.Name, c.Parameters())
	}
	// Output:
	// mpp-avit-ti 7285884
	// mpp-avit-s 28979436
	// mpp-avit-b 115608012
	// mpp-avit-l 407055628
}

// A weight file is written in the published form and read again.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "mpp")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "MPP_AViT_small")
	first, err := mpp.InitWeights(mpp.Config{Hidden: 16, Heads: 2, Blocks: 1, States: 12}, 1)
	if err != nil {
		log.Fatal(err)
	}
	if err := first.Save(path); err != nil {
		log.Fatal(err)
	}

	w, report, err := mpp.Load(path, walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(report.Tensors, "tensors at", report.Where)
	fmt.Println("width", w.Config().Hidden, "heads", w.Config().Heads, "states", w.Config().States)
	// Output:
	// 54 tensors at top level
	// width 16 heads 2 states 12
}

// The network runs in any program of gomlx. Here its parameters are variables of a scope.
func ExampleModel_Build() {
	m, err := mpp.NewModel(mpp.Config{Hidden: 16, Heads: 2, Blocks: 1, States: 12})
	if err != nil {
		log.Fatal(err)
	}
	backend, err := compute.NewWithConfig("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	frames := make([]float32, 4*1*2*32*64) // T = 4, B = 1, C = 2, H = 32, W = 64
	for i := range frames {
		frames[i] = float32(i % 97)
	}
	next, err := model.CallOnce(backend, model.NewStore(), func(scope *model.Scope, x *Node) *Node {
		labels := Const(x.Graph(), []int32{4, 5}) // activator and inhibitor
		return m.Build(layers.ScopeVars(scope.At("mpp"), x.Graph()), mpp.Inputs{X: x, Labels: labels})
	}, tensors.FromFlatDataAndDimensions(frames, 4, 1, 2, 32, 64))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(next.Shape().Dimensions)
	// Output:
	// [1 2 32 64]
}

// A rollout in the units of its input. Real forecasts need trained weights.
func ExampleEmulator_Rollout() {
	w, err := mpp.InitWeights(mpp.Config{Hidden: 16, Heads: 2, Blocks: 1, States: 12}, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	backend, err := compute.NewWithConfig("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	e, err := mpp.NewEmulator(w, backend)
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	frames := make([]float32, 6*1*2*32*64) // T = 6, B = 1, C = 2, H = 32, W = 64
	for i := range frames {
		frames[i] = float32(i % 97)
	}
	system := mpp.System{Labels: []int{4, 5}, Periodic: [2]bool{true, true}} // activator and inhibitor
	for frame, err := range e.Rollout(context.Background(), frames, []int{6, 1, 2, 32, 64}, system, 3) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(frame), "values")
	}
	// Output:
	// 4096 values
	// 4096 values
	// 4096 values
}

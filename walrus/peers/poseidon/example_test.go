package poseidon_test

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
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
)

// tiny is a network of two stages on 16 × 16 points, for examples.
func tiny() poseidon.Config {
	c := poseidon.T()
	c.Name, c.Grid, c.Patch, c.InChannels, c.OutChannels, c.Groups = "tiny", [2]int{16, 16}, 2, 2, 2, []int{0, 1, 2}
	c.EmbedDim, c.Depths, c.Heads, c.Skips, c.Window = 8, []int{2, 1}, []int{2, 2}, []int{1, 0}, 4
	return c
}

func backend() compute.Backend {
	b, err := compute.NewWithConfig("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	return b
}

// The published variants, and a size without published weights.
func ExamplePresets() {
	for _, c := range poseidon.Presets() {
		fmt.Println(c.Name, c.Parameters())
	}
	// Output:
	// poseidon-t 20774444
	// poseidon-s 39901076
	// poseidon-b 157729988
	// poseidon-l 628575524
}

// A folder is written in the published layout and read again, and the network forecasts.
func ExampleLoad() {
	parent, err := os.MkdirTemp("", "poseidon")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(parent)
	dir := filepath.Join(parent, "Poseidon-tiny")
	first, err := poseidon.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	if err := first.Save(dir); err != nil {
		log.Fatal(err)
	}

	w, report, err := poseidon.Load(dir, walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(report.Tensors, "tensors, grid", w.Config().Grid)
	em, err := poseidon.NewEmulator(w, backend())
	if err != nil {
		log.Fatal(err)
	}
	defer em.Close()
	frame := make([]float32, 2*16*16)
	for y, err := range em.Rollout(context.Background(), frame, []int{1, 2, 16, 16}, 3) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(y), "values")
	}
	// Output:
	// 169 tensors, grid [16 16]
	// 512 values
	// 512 values
	// 512 values
}

// The weights of a square serve other grids: the token grid follows the data.
func ExampleConfig_CheckGrid() {
	c := poseidon.T()
	fmt.Println(c.CheckGrid([]int{64, 64})) // resampled to 128 × 128 points and back
	fmt.Println(c.CheckGrid([]int{128, 384}) != nil)
	c.Grid = [2]int{128, 384}
	fmt.Println(c.CheckGrid([]int{128, 384}), c.Parameters())
	// Output:
	// <nil>
	// true
	// <nil> 20774444
}

// The network runs in any program of gomlx. Here its parameters are variables of a scope.
func ExampleModel_Build() {
	m, err := poseidon.NewModel(tiny())
	if err != nil {
		log.Fatal(err)
	}
	loss, err := model.CallOnce(backend(), model.NewStore(), func(scope *model.Scope, x, lead *Node) *Node {
		vars := layers.ScopeVars(scope.At("poseidon"), x.Graph())
		y := m.Build(vars, poseidon.Inputs{X: x, Time: lead})
		return m.Config().Loss(y, x)
	}, tensors.FromScalarAndDimensions(float32(1), 3, 2, 16, 16), []float32{0.05, 0.1, 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loss.Shape())
	// Output:
	// (Float32)
}

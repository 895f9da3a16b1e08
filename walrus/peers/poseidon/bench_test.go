package poseidon_test

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
)

// BenchmarkFrame forecasts one frame of 128 × 128 points with a network of the size of
// Poseidon-T.
func BenchmarkFrame(b *testing.B) {
	c := poseidon.T()
	w, err := poseidon.InitWeights(c, 1)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	m, err := poseidon.NewModel(c)
	if err != nil {
		b.Fatal(err)
	}
	args := []any{testbackend.Normal("x", 1, c.InChannels, c.Grid[0], c.Grid[1]), testbackend.Tensor([]float32{0.05}, 1)}
	for _, p := range w.Params() {
		x, _ := w.Tensor(p.Key)
		args = append(args, x)
	}
	exec, err := NewExec(testbackend.New(b), func(in []*Node) *Node {
		weights := in[2:]
		vars := layers.VarsFrom(func(string, layers.Init, []int) *Node {
			first := weights[0]
			weights = weights[1:]
			return first
		})
		return m.Forward(m.Weights(vars), poseidon.Inputs{X: in[0], Time: in[1]})
	})
	if err != nil {
		b.Fatal(err)
	}
	defer exec.Finalize()
	call := func() {
		out, err := exec.Call(args...)
		if err != nil {
			b.Fatal(err)
		}
		out[0].MustFinalizeAll()
	}
	call() // compiles
	for b.Loop() {
		call()
	}
}

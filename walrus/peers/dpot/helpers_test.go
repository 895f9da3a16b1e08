package dpot

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// values returns n normal values that depend only on the name.
func values(name string, n int) []float32 {
	return tensors.MustCopyFlatData[float32](testbackend.Normal(name, n))
}

// each calls fn with every index of a tensor of the given dimensions, in row-major order.
func each(dims []int, fn func(index []int)) {
	n := product(dims)
	index := make([]int, len(dims))
	for i := range n {
		rest := i
		for a := len(dims) - 1; a >= 0; a-- {
			index[a], rest = rest%dims[a], rest/dims[a]
		}
		fn(index)
	}
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// small is a network for tests. Its shapes differ in every dimension.
func small() Config {
	return Config{Name: "small", Grid: []int{8, 16}, Patch: 4, InChannels: 2, OutChannels: 2, InSteps: 3, OutSteps: 1,
		Hidden: 16, Depth: 1, MixingBlocks: 2, Modes: 32, MLP: 24, OutWidth: 6, Classes: 3}
}

func small3D() Config {
	c := small()
	c.Name, c.Grid = "small-3d", []int{8, 8, 12}
	return c
}

// initialized returns initial weights until the test ends.
func initialized(t testing.TB, c Config) *Weights {
	t.Helper()
	w, err := InitWeights(c, 7)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

// feedsOf returns the weights as inputs of a graph.
func feedsOf(w *Weights) feeds {
	in := feeds{}
	for _, p := range w.Params() {
		in["w."+p.Key], _ = w.Tensor(p.Key)
	}
	return in
}

// output runs a network once.
func output(t *testing.T, w *Weights, x []float32, shape ...int) []float32 {
	t.Helper()
	m, err := NewModel(w.Config())
	require.NoError(t, err)
	in := feedsOf(w)
	in["x"] = testbackend.Tensor(x, shape...)
	return testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		out.Add("y", m.Forward(m.Weights(varsOf(in)), in["x"]).Y)
	})["y"]
}

// Package testbackend gives tests their gomlx backend: the one that GOMLX_BACKEND
// names, else the pure Go backend. So the plain test command needs nothing but Go, and
// the same tests can run on XLA.
package testbackend

import (
	"maps"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // available in every build
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Go is the configuration of the pure Go backend that does not deadlock.
const Go = "go:ops_sequential"

var open = sync.OnceValues(func() (compute.Backend, error) {
	config := os.Getenv("GOMLX_BACKEND")
	if config == "" {
		config = Go
	}
	b, err := compute.NewWithConfig(config)
	if as := os.Getenv(asCUDA); err == nil && as != "" {
		b = AsCUDA(b, as)
	}
	return b, err
})

// asCUDA is the environment variable that makes New return a backend [AsCUDA] of the
// configuration in its value.
const asCUDA = "GOWALRUS_AS_CUDA"

// AsCUDA returns b as a backend that reports to be a CUDA device of the given
// configuration, so that graphs use the formulations for CUDA.
func AsCUDA(b compute.Backend, config string) compute.Backend { return cudaLike{b, config} }

type cudaLike struct {
	compute.Backend
	config string
}

func (cudaLike) IsCUDA() bool     { return true }
func (c cudaLike) Config() string { return c.config }

// New returns the backend of this test run; all tests of a process share it.
func New(tb testing.TB) compute.Backend {
	tb.Helper()
	b, err := open()
	if err != nil {
		tb.Fatalf("GOMLX_BACKEND=%q: %v", os.Getenv("GOMLX_BACKEND"), err)
	}
	return b
}

// Tensor returns a tensor of the given dimensions with flat values.
func Tensor[T float32 | float64 | int32](values []T, dims ...int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// Run builds fn's graph, runs it on the inputs and returns the flat float32 values of
// every output.
func Run(tb testing.TB, fn func(in []*graph.Node) []*graph.Node, inputs ...*tensors.Tensor) [][]float32 {
	tb.Helper()
	return RunAs[float32](tb, fn, inputs...)
}

// RunAs runs fn like Run, for outputs of type T.
func RunAs[T float32 | float64 | int32](tb testing.TB, fn func(in []*graph.Node) []*graph.Node, inputs ...*tensors.Tensor) [][]T {
	tb.Helper()
	args := make([]any, len(inputs))
	for i, t := range inputs {
		args[i] = t
	}
	outputs, err := graph.CallOnceN(New(tb), fn, args...)
	if err != nil {
		tb.Fatalf("running the graph: %v", err)
	}
	flat := make([][]T, len(outputs))
	for i, t := range outputs {
		flat[i] = tensors.MustCopyFlatData[T](t)
		t.MustFinalizeAll()
	}
	return flat
}

// Outputs collects the named results of a graph under construction.
type Outputs struct {
	names []string
	nodes []*graph.Node
}

// Add appends a named output.
func (o *Outputs) Add(name string, n *graph.Node) {
	o.names = append(o.names, name)
	o.nodes = append(o.nodes, n)
}

// RunNamed runs a graph like Run, with named inputs and outputs.
func RunNamed(tb testing.TB, inputs map[string]*tensors.Tensor, build func(in map[string]*graph.Node, out *Outputs)) map[string][]float32 {
	tb.Helper()
	keys := slices.Sorted(maps.Keys(inputs))
	args := make([]*tensors.Tensor, len(keys))
	for i, k := range keys {
		args[i] = inputs[k]
	}
	var out Outputs
	flat := Run(tb, func(nodes []*graph.Node) []*graph.Node {
		in := make(map[string]*graph.Node, len(keys))
		for i, k := range keys {
			in[k] = nodes[i]
		}
		out = Outputs{}
		build(in, &out)
		return out.nodes
	}, args...)
	named := make(map[string][]float32, len(flat))
	for i, name := range out.names {
		named[name] = flat[i]
	}
	return named
}

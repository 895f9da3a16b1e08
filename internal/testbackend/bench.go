package testbackend

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Bench measures calls of a compiled function of the given inputs. It compiles before it
// measures.
func Bench(b *testing.B, f func(in []*graph.Node) []*graph.Node, in ...*tensors.Tensor) {
	b.Helper()
	exec, err := graph.NewExec(New(b), f)
	if err != nil {
		b.Fatal(err)
	}
	defer exec.Finalize()
	args := make([]any, len(in))
	for i, x := range in {
		args[i] = x
	}
	call := func() {
		out, err := exec.Call(args...)
		if err != nil {
			b.Fatal(err)
		}
		for _, x := range out {
			x.FinalizeAll()
		}
	}
	call()
	for b.Loop() {
		call()
	}
}

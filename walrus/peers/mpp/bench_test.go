package mpp

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
)

// BenchmarkForward measures one forecast of MPP-AViT-Ti for 128 × 128 points and three
// fields. GOMLX_BACKEND selects the backend.
func BenchmarkForward(b *testing.B) {
	m, err := NewModel(Ti())
	if err != nil {
		b.Fatal(err)
	}
	params, err := Ti().Params()
	if err != nil {
		b.Fatal(err)
	}
	weights := lively(b, Ti())
	for _, bench := range []struct {
		name  string
		steps int
	}{{"1 frame", 1}, {"16 frames", 16}} {
		b.Run(bench.name, func(b *testing.B) {
			args := []any{testbackend.Normal("x", bench.steps, 1, 3, 128, 128)}
			for _, p := range params {
				args = append(args, weights["w."+p.Key])
			}
			exec, err := NewExec(testbackend.New(b), func(in []*Node) *Node {
				next := 0
				w := m.Weights(layers.VarsFrom(func(string, layers.Init, []int) *Node { next++; return in[next] }))
				return m.Forward(w, Inputs{X: in[0], Labels: Const(in[0].Graph(), []int32{1, 2, 3})})
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
				tensors.MustCopyFlatData[float32](out[0])
				out[0].MustFinalizeAll()
			}
			call() // compiles
			for b.Loop() {
				call()
			}
		})
	}
}

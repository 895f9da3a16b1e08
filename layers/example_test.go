package layers_test

import (
	"cmp"
	"fmt"
	"log"
	"os"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
)

// backend returns the backend that GOMLX_BACKEND names, or the pure Go backend.
var backend = sync.OnceValue(func() compute.Backend {
	b, err := compute.NewWithConfig(cmp.Or(os.Getenv("GOMLX_BACKEND"), testbackend.Go))
	if err != nil {
		log.Fatal(err)
	}
	return b
})

func ExampleRMSGroupNorm() {
	// One frame of three tokens and two channels, one of them 100 times larger.
	x := [][][]float32{{{1, 100}, {2, 200}, {2, -200}}}
	weight := []float32{1, 2}
	y := graph.MustExecOnce(backend(), func(x, weight *graph.Node) *graph.Node {
		return layers.RMSGroupNorm(x, weight, layers.NormConfig{})
	}, x, weight)
	for _, token := range y.Value().([][][]float32)[0] {
		fmt.Printf("%.3f\n", token)
	}
	// Output:
	// [0.577 1.155]
	// [1.155 2.309]
	// [1.155 -2.309]
}

func ExampleParallelAttention() {
	// The space mixing of a new model: two frames of 2×3 tokens, 16 channels, two heads,
	// with variables under the release's names.
	store := model.NewStore()
	x := tensors.FromScalarAndDimensions(float32(0.5), 2, 6, 16)
	y := model.MustCallOnce(backend(), store, func(scope *model.Scope, x *graph.Node) *graph.Node {
		return layers.NewParallelAttention(scope.At("space_mixing"), x, 2, [3]int{2, 3, 1}).Done()
	}, x)
	fused := store.GetVariable("/space_mixing/fused_ff_qkv/weight")
	fmt.Println(y.Shape().Dimensions, fused.Shape().Dimensions)
	// The residual branches of a new model are almost zero.
	fmt.Printf("%.3f\n", tensors.MustCopyFlatData[float32](y)[0])
	// Output:
	// [2 6 16] [112 16]
	// 0.500
}

func ExamplePatchConv() {
	// A kernel of four ones with stride two over eight points along the first axis. The
	// other axes are missing.
	x := tensors.FromFlatDataAndDimensions([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 8, 1, 1, 1)
	w := tensors.FromScalarAndDimensions(float32(1), 1, 1, 4, 1, 1)
	y := graph.MustExecOnce(backend(), func(x, w *graph.Node) *graph.Node {
		return layers.PatchConv(x, w, [3]int{2, 1, 1})
	}, x, w)
	fmt.Printf("%v %.0f\n", y.Shape().Dimensions, tensors.MustCopyFlatData[float32](y))
	// Output:
	// [1 3 1 1 1] [10 18 26]
}

func ExamplePatchConvTranspose() {
	// Two tokens on an axis, patches of four points with stride two. On a periodic axis,
	// patches that reach beyond the end continue at the start.
	x := tensors.FromFlatDataAndDimensions([]float32{1, 10}, 1, 2, 1, 1, 1)
	w := tensors.FromFlatDataAndDimensions([]float32{1, 2, 3, 4}, 1, 1, 4, 1, 1)
	decode := func(periodic bool) []float32 {
		return tensors.MustCopyFlatData[float32](graph.MustExecOnce(backend(), func(x, w *graph.Node) *graph.Node {
			return layers.PatchConvTranspose(x, w, nil, [3]int{2, 1, 1}, [3]bool{periodic, false, false})
		}, x, w))
	}
	fmt.Printf("%.0f\n%.0f\n", decode(false), decode(true))
	// Output:
	// [1 2 13 24 30 40]
	// [31 42 13 24 31 42]
}

func ExampleRelativeBucket() {
	for _, rel := range []int{-100, -20, -16, -15, -1, 0, 1, 20} {
		fmt.Println(rel, layers.RelativeBucket(rel, true), layers.RelativeBucket(rel, false))
	}
	// Output:
	// -100 31 15
	// -20 21 13
	// -16 16 12
	// -15 15 11
	// -1 1 1
	// 0 0 0
	// 1 0 17
	// 20 0 29
}

package layers

import (
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ramp returns n different values.
func ramp(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32((i*37)%101)/50 - 1
	}
	return out
}

// variables returns the paths and shapes of a store's variables, except those internal
// to gomlx.
func variables(store *model.Store) map[string][]int {
	out := map[string][]int{}
	for v := range store.IterVariables() {
		if v.Name() == "weight" || v.Name() == "bias" {
			out[v.Path()] = v.Shape().Dimensions
		}
	}
	return out
}

func TestConvBuildersEqualTheFunctions(t *testing.T) {
	k, s := [3]int{4, 4, 4}, [3]int{2, 2, 1}
	x := testbackend.Tensor(ramp(2*10*8*1*4), 2, 10, 8, 1, 4)
	ids := testbackend.Tensor([]int32{5, 2, 0, 1}, 4)
	store := model.NewStore()
	exec := model.MustNewExec(testbackend.New(t), store, func(scope *model.Scope, x, ids *Node) []*Node {
		y := NewPatchConv(scope.At("conv"), x, 3, k, s).Select(9, ids).Done()
		z := NewPatchConvTranspose(scope.At("convt"), y, 9, k, s).Periodic([3]bool{true, false, false}).Select(ids).Done()
		plain := NewPatchConvTranspose(scope.At("plain"), y, 2, k, s).NoBias().Done()
		return []*Node{y, z, plain}
	})
	out, err := exec.Call(x, ids)
	require.NoError(t, err)
	assert.Equal(t, map[string][]int{
		"/conv/weight": {3, 9, 4, 4, 4}, "/convt/weight": {3, 9, 4, 4, 4}, "/convt/bias": {9}, "/plain/weight": {3, 2, 4, 4, 4},
	}, variables(store))

	value := func(path string) *tensors.Tensor { return store.GetVariable(path).MustValue() }
	want := testbackend.Run(t, func(in []*Node) []*Node {
		y := PatchConv(in[0], SelectInput(in[2], in[1]), s)
		z := PatchConvTranspose(y, SelectColumns(in[3], in[1], 1), SelectColumns(in[4], in[1], 0), s, [3]bool{true, false, false})
		return []*Node{y, z, PatchConvTranspose(y, in[5], nil, s, [3]bool{})}
	}, x, ids, value("/conv/weight"), value("/convt/weight"), value("/convt/bias"), value("/plain/weight"))
	for i := range want {
		assert.InDeltaSlice(t, want[i], tensors.MustCopyFlatData[float32](out[i]), 1e-6)
	}
}

func TestDropPathBuilder(t *testing.T) {
	store := model.NewStore()
	build := func(training bool, rate float64) []float32 {
		exec := model.MustNewExec(testbackend.New(t), store, func(scope *model.Scope, x *Node) *Node {
			if training {
				scope.Store().SetTraining(x.Graph(), true)
			}
			return NewDropPath(scope, x, rate).Done()
		})
		out, err := exec.Call(testbackend.Tensor(slices.Repeat([]float32{1}, 4000), 2000, 2))
		require.NoError(t, err)
		return tensors.MustCopyFlatData[float32](out[0])
	}
	ones := slices.Repeat([]float32{1}, 4000)
	assert.Equal(t, ones, build(false, 0.5), "inference drops nothing")
	assert.Equal(t, ones, build(true, 0), "rate 0 drops nothing")
	got, kept := build(true, 0.25), 0
	for i := 0; i < len(got); i += 2 {
		require.Equal(t, got[i], got[i+1], "a path is dropped as a whole")
		if got[i] != 0 {
			require.InDelta(t, 1/0.75, got[i], 1e-6)
			kept++
		}
	}
	assert.InDelta(t, 0.75, float64(kept)/2000, 0.05)
}

package layers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

// array is a dense row-major tensor for the plain Go references.
type array struct {
	dims []int
	data []float64
	// ints marks indices, which are int32 in graphs.
	ints bool
}

func newArray(dims ...int) array {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return array{dims: dims, data: make([]float64, n)}
}

// indices returns a vector of int32.
func indices(values ...int) array {
	a := newArray(len(values))
	a.ints = true
	for i, v := range values {
		a.data[i] = float64(v)
	}
	return a
}

func (a array) offset(index []int) int {
	at := 0
	for i, d := range a.dims {
		at = at*d + index[i]
	}
	return at
}

func (a array) at(index ...int) float64     { return a.data[a.offset(index)] }
func (a array) set(v float64, index ...int) { a.data[a.offset(index)] = v }
func (a array) add(v float64, index ...int) { a.data[a.offset(index)] += v }

// reshape returns a view of the values with other dimensions.
func (a array) reshape(dims ...int) array { return array{dims: dims, data: a.data} }

// scaled returns f·a.
func (a array) scaled(f float64) array {
	out := newArray(a.dims...)
	for i, v := range a.data {
		out.data[i] = f * v
	}
	return out
}

// permuted returns a with the entries of one axis reordered, out[i] = a[order[i]].
func (a array) permuted(axis int, order []int) array {
	out := newArray(a.dims...)
	each(a.dims, func(i []int) {
		from := append([]int(nil), i...)
		from[axis] = order[i[axis]]
		out.set(a.at(from...), i...)
	})
	return out
}

// rolled returns a rolled along one axis, out[(i+by) mod n] = a[i].
func (a array) rolled(axis, by int) array {
	n := a.dims[axis]
	order := make([]int, n)
	for i := range order {
		order[(i+by)%n] = i
	}
	return a.permuted(axis, order)
}

// replace overwrites the values with those of b.
func (a array) replace(b array) { copy(a.data, b.data) }

func (a array) tensor() *tensors.Tensor {
	if !a.ints {
		return testbackend.Tensor(a.data, a.dims...)
	}
	flat := make([]int32, len(a.data))
	for i, v := range a.data {
		flat[i] = int32(v)
	}
	return testbackend.Tensor(flat, a.dims...)
}

// each calls fn with every index of a tensor of the given dimensions.
func each(dims []int, fn func(index []int)) {
	index := make([]int, len(dims))
	for {
		fn(index)
		axis := len(dims) - 1
		for ; axis >= 0; axis-- {
			if index[axis]++; index[axis] < dims[axis] {
				break
			}
			index[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// seeded returns a generator that depends only on the name.
func seeded(name string) *rand.Rand { return testbackend.Seeded(name) }

// normal draws standard normal values that float32 represents exactly.
func normal(rng *rand.Rand, dims ...int) array {
	a := newArray(dims...)
	for i := range a.data {
		a.data[i] = float64(float32(rng.NormFloat64()))
	}
	return a
}

// requireClose fails unless the shapes are equal and no value differs by more than tol
// times the largest magnitude of want.
func requireClose(t *testing.T, want, got array, tol float64, what ...any) {
	t.Helper()
	require.Equal(t, want.dims, got.dims, what...)
	require.Len(t, got.data, len(want.data), what...)
	scale := 0.0
	for _, v := range want.data {
		scale = max(scale, math.Abs(v))
	}
	if scale == 0 {
		scale = 1
	}
	for i, v := range want.data {
		if d := math.Abs(got.data[i]-v) / scale; !(d <= tol) {
			require.Fail(t, fmt.Sprintf("at %d: expected %v, got %v: %.3g of the largest magnitude, allowed %.3g",
				i, v, got.data[i], d, tol), what...)
		}
	}
}

// requireRefused builds fn on inputs of the given dimensions and expects an error that
// contains all texts.
func requireRefused(t *testing.T, fn func(in []*Node) *Node, dims [][]int, texts ...string) {
	t.Helper()
	args := make([]any, len(dims))
	for i, d := range dims {
		args[i] = newArray(d...).tensor()
	}
	_, err := CallOnceN(testbackend.New(t), func(in []*Node) []*Node { return []*Node{fn(in)} }, args...)
	for _, text := range texts {
		require.ErrorContains(t, err, text)
	}
}

package golden

import (
	"fmt"
	"slices"
)

// Sub takes the subset of a row-major tensor that the set's subsampled tensors hold: of
// the last three axes, each longer than minLen keeps every stride-th position, the
// first included. The tensors named *_sub of cases f, g, h, m and p use minLen 8 and
// the stride that their case states; convolution kernels stored "[...,::2,::2,::2]"
// (cases i and l) use stride 2, minLen 0. Sub returns the values and their shape. It
// panics on inconsistent arguments, which are a mistake in the test.
func Sub[T any](data []T, shape []int, stride, minLen int) ([]T, []int) {
	out, steps := slices.Clone(shape), make([]int, len(shape))
	total := 1
	for i, n := range shape {
		steps[i] = 1
		if i >= len(shape)-3 && n > minLen {
			steps[i] = stride
			out[i] = (n + stride - 1) / stride
		}
		total *= n
	}
	if stride < 1 || total != len(data) {
		panic(fmt.Sprintf("golden.Sub: expected %d values for shape %v and a stride of at least 1, got %d and %d", total, shape, len(data), stride))
	}
	kept := make([]T, 0, len(data))
	var walk func(axis, at, span int)
	walk = func(axis, at, span int) {
		if axis == len(shape) {
			kept = append(kept, data[at])
			return
		}
		inner := span / shape[axis]
		for i := 0; i < shape[axis]; i += steps[axis] {
			walk(axis+1, at+i*inner, inner)
		}
	}
	if total > 0 {
		walk(0, 0, total)
	}
	return slices.Clip(kept), out
}

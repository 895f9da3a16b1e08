package backend

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Check compiles and runs a small matrix product on a backend and compares every entry with
// the exact result. An error says that the installation of the backend is broken.
func Check(b compute.Backend) error {
	if b == nil {
		return errors.New("backend: check: expected a backend, got nil")
	}
	// The entries i − j and the results are whole numbers below 2²⁴, which float32 holds.
	const n = 128
	a := make([]float32, n*n)
	for i := range n {
		for j := range n {
			a[i*n+j] = float32(i - j)
		}
	}
	out, err := graph.CallOnce(b, func(x *graph.Node) *graph.Node { return graph.MatMul(x, x) }, tensors.FromFlatDataAndDimensions(a, n, n))
	if err != nil {
		return fmt.Errorf("backend: check: %w", err)
	}
	defer func() { _ = out.FinalizeAll() }()
	got, err := tensors.CopyFlatData[float32](out)
	if err != nil {
		return fmt.Errorf("backend: check: %w", err)
	}
	for i := range n {
		for j := range n {
			want := 0
			for k := range n {
				want += (i - k) * (k - j)
			}
			if got[i*n+j] != float32(want) {
				return fmt.Errorf("backend: check: expected %d at row %d, column %d of a matrix product, got %v", want, i, j, got[i*n+j])
			}
		}
	}
	return nil
}

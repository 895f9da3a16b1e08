package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// backendSummary describes the backend that programs get by default.
type backendSummary struct {
	Config      string   `json:"config"`
	Why         string   `json:"why"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Devices     []string `json:"devices"`
	// Seconds is the time of a small matrix product with the correct result,
	// compilation included.
	Seconds float64 `json:"matmul_seconds"`
}

// backend opens the default backend and tests it.
func (r *report) backend() error {
	b, choice, err := backend.Open()
	if err != nil {
		return err
	}
	defer b.Finalize()
	s := &backendSummary{Config: choice.Config, Why: choice.Why, Name: b.Name(), Description: b.Description()}
	for i := range b.NumDevices() {
		s.Devices = append(s.Devices, b.DeviceDescription(compute.DeviceNum(i)))
	}
	begin := time.Now()
	if err := multiply(b, 128); err != nil {
		return fmt.Errorf("backend %q does not work: %w", choice.Config, err)
	}
	s.Seconds = time.Since(begin).Seconds()
	r.Backend = s
	return nil
}

// multiply computes A·A for an n×n matrix with entries i − j and checks the result,
// which is exact in whole numbers below 2²⁴.
func multiply(b compute.Backend, n int) error {
	a := make([]float32, n*n)
	for i := range n {
		for j := range n {
			a[i*n+j] = float32(i - j)
		}
	}
	out, err := CallOnce(b, func(x *Node) *Node { return MatMul(x, x) }, tensors.FromFlatDataAndDimensions(a, n, n))
	if err != nil {
		return err
	}
	defer func() { _ = out.FinalizeAll() }()
	got, err := tensors.CopyFlatData[float32](out)
	if err != nil {
		return err
	}
	for i := range n {
		for j := range n {
			want := 0
			for k := range n {
				want += (i - k) * (k - j)
			}
			if got[i*n+j] != float32(want) {
				return fmt.Errorf("expected %d at row %d, column %d of a matrix product, got %v", want, i, j, got[i*n+j])
			}
		}
	}
	return nil
}

func (s *backendSummary) text(b *strings.Builder) {
	fmt.Fprintf(b, "backend %s (%s)\n  %s: %s\n", s.Config, s.Why, s.Name, s.Description)
	for i, d := range s.Devices {
		fmt.Fprintf(b, "  device %d: %s\n", i, d)
	}
	fmt.Fprintf(b, "  a matrix product came out right after %.3f s, compilation included\n", s.Seconds)
}

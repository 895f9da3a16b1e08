package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/gomlx/compute"

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
func (r *inspection) backend() error {
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
	if err := backend.Check(b); err != nil {
		return fmt.Errorf("%q does not work: %w", choice.Config, err)
	}
	s.Seconds = time.Since(begin).Seconds()
	r.Backend = s
	return nil
}

func (s *backendSummary) text(b *strings.Builder) {
	fmt.Fprintf(b, "backend %s (%s)\n  %s: %s\n", s.Config, s.Why, s.Name, s.Description)
	for i, d := range s.Devices {
		fmt.Fprintf(b, "  device %d: %s\n", i, d)
	}
	fmt.Fprintf(b, "  a matrix product came out right after %.3f s, compilation included\n", s.Seconds)
}

package serve

import (
	"log/slog"
	"os"
	"strings"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/walrus/backend"
)

// sequential is the configuration of the pure Go backend for serving: operations run
// one after the other, in the goroutine of the request.
//
// A panic in a kernel, which only a defect of the backend can cause, then fails one
// forecast: its client gets an error (500), and all other forecasts continue. In the
// configuration that other programs get, operations run in separate goroutines, and
// such a panic ends the process. Goroutines remain only where a product of large
// matrices, GELU and erf compute parts of the rows.
//
// The configuration has no measurable cost (BenchmarkFrame, and a table in
// benchmarks/serve_go_2026-11-25.md): products use all cores in both configurations,
// and while two forecasts run at once the backend runs operations one after the other
// anyway.
const sequential = "go:ops_sequential"

// OpenBackend opens a backend for serving. If auto is false, it is the pure Go backend, in
// a configuration in which a panic of a kernel fails one forecast only. If auto is true, it
// is the choice of [backend.Default], with that configuration if the choice is the pure Go
// backend; a configuration in GOMLX_BACKEND is used unchanged.
func OpenBackend(auto bool) (compute.Backend, error) {
	if !auto {
		return compute.NewWithConfig(sequential)
	}
	b, err := backend.Default()
	if err != nil || b.Name() != "Go Backend" || strings.HasPrefix(os.Getenv(backend.Env), "go:") {
		return b, err
	}
	b.Finalize()
	slog.Info("backend", "config", sequential, "why", "the server's form of the Go backend")
	return compute.NewWithConfig(sequential)
}

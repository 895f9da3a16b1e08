package main

import (
	"log/slog"
	"os"
	"strings"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/walrus/backend"
)

// sequential is the form of the pure Go backend that serves: one operation after the
// other, in the goroutine of the request.
//
// A panic in a kernel, which only a defect of the backend can cause, is then the error
// of one forecast, which its client is told (500) and which all others survive. In the
// form that programs get elsewhere operations run in goroutines of their own, and such a
// panic ends the process. What is left are the goroutines in which a product of large
// matrices, GELU and erf do their arithmetic on parts of the rows.
//
// It costs nothing that could be measured (BenchmarkFrame, and a table in
// benchmarks/serve_go_2026-11-25.md): products use all cores in both forms, and while
// two forecasts are under way the backend runs operations one after the other anyway.
const sequential = "go:ops_sequential"

// pick opens the backend. A form that GOMLX_BACKEND spells out is taken as it is.
func pick(auto bool) (compute.Backend, error) {
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

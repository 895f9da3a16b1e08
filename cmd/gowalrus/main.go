// Command gowalrus forecasts physical fields with Walrus, and makes, reads and writes
// everything that this needs: data sets, weights, runs and reports.
//
//	go install github.com/gowalrus/gowalrus/cmd/gowalrus@latest
//	gowalrus -h
//
// Every subcommand has a help text with examples. The program needs no C compiler; with
// one (cgo) it can use XLA. Set GOEXPERIMENT=simd when you build it: the pure Go backend
// is then 10 to 25 times faster.
//
// The exit status is 0 after success, help included, 2 after a mistake in the arguments,
// and 1 after any other error. Progress goes to standard error, as a bar on a terminal and
// as lines elsewhere; results go to standard output.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/gowalrus/gowalrus/internal/progress/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	name, err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	os.Exit(command.Status(name, err, os.Stderr))
}

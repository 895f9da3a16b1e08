// Command serve answers requests for forecasts over HTTP. It also serves a page on
// which a user paints a field and watches its forecast:
//
//	GOEXPERIMENT=simd go run ./examples/serve                      # walrus-nano, http://127.0.0.1:8080
//	GOEXPERIMENT=simd go run ./examples/serve -weights checkpoint  # any weights
//
// Requests are JSON or binary, answers JSON, server-sent events or binary; package
// walrus/serve documents the formats, and so does the page /api of a running server. The pure
// Go backend is the default; -auto uses XLA if a plugin is installed.
//
// By default every frame is computed from the whole history, as the release does. With
// -cache the server keeps keys and values of earlier frames and computes the whole
// history again every -refresh steps ([walrus.Cache] describes the approximation,
// experiments/cache its gain and cost). Every running forecast then has a separate KV
// cache: up to 16 MB with walrus-nano for a 2D grid and six frames, gigabytes with the
// released weights. Choose -queue accordingly.
//
// SIGTERM and Ctrl-C end the server gracefully: /readyz answers 503, new forecasts are
// refused, and running ones may end within -grace before they are cancelled.
//
// The server has no accounts and no encryption. Put it behind a proxy that has both,
// and set -proxy, before others can reach it; -host names the server to its clients.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// options are the command's flags.
type options struct {
	listen, weights string
	auto, cache     bool
	refresh         int
	seed            uint64
	ensemble        int
	programs        int
	quiet           bool
	tokenFile       string
	server          serve.Options
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var refresh bool // whether -refresh was given
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address to listen on")
	f.StringVar(&o.weights, "weights", "nano", strings.Join(nano.Names(), ", ")+" for weights that come with the library, or the folder of a checkpoint")
	f.BoolVar(&o.auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the jitter: the same request gets the same answer")
	f.IntVar(&o.ensemble, "ensemble", 1, "draws of jitter that each frame is averaged over")
	f.BoolVar(&o.cache, "cache", false, "keep what was computed of earlier frames, instead of computing every frame from the whole history")
	f.IntVar(&o.refresh, "refresh", walrus.DefaultRefresh, "with -cache: steps between two computations of the whole history; negative is never")
	f.DurationVar(&o.server.Grace, "grace", 20*time.Second, "how long forecasts may go on after SIGTERM")
	f.BoolVar(&o.quiet, "quiet", false, "log warnings and errors only")
	f.IntVar(&o.server.Workers, "workers", 2, "steps computed at once")
	f.IntVar(&o.server.Queue, "queue", 64, "forecasts admitted at once")
	f.IntVar(&o.server.Share, "share", 8, "of these, forecasts of one client")
	f.DurationVar(&o.server.Timeout, "timeout", 2*time.Minute, "longest time for an answer")
	f.Int64Var(&o.server.MaxBody, "max-body", 8<<20, "longest request in bytes")
	f.Int64Var(&o.server.MaxMemory, "max-memory", 64<<20, "bytes for the values of all requests at once")
	f.Func("host", "name under which clients address the server, besides IP addresses and localhost; * for any (may be repeated)", list(&o.server.Hosts))
	f.Func("origin", "origin of web pages that may call the server, https://example.org (may be repeated)", list(&o.server.Origins))
	f.StringVar(&o.tokenFile, "token-file", "", "file with the bearer token that requests to the API must have")
	f.IntVar(&o.server.MaxPoints, "max-points", 1<<16, "largest grid in points")
	f.IntVar(&o.server.MaxSteps, "max-steps", 200, "longest forecast")
	f.IntVar(&o.programs, "max-programs", 16, "compiled programs to keep, one for each shape of request")
	f.BoolVar(&o.server.Proxy, "proxy", false, "a proxy in front adds the client to X-Forwarded-For")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("expected flags only, got %q", f.Args())
	}
	if o.refresh == 0 {
		return o, fmt.Errorf("-refresh: expected a number of steps, or a negative one for never, got 0")
	}
	f.Visit(func(x *flag.Flag) { refresh = refresh || x.Name == "refresh" })
	if refresh && !o.cache {
		return o, fmt.Errorf("-refresh: expected -cache with it, got none")
	}
	if o.tokenFile != "" {
		token, err := os.ReadFile(o.tokenFile)
		if err != nil {
			return o, fmt.Errorf("-token-file: %w", err)
		}
		if o.server.Token = strings.TrimSpace(string(token)); o.server.Token == "" {
			return o, fmt.Errorf("-token-file: %s: expected a token, got an empty file", o.tokenFile)
		}
	}
	return o, o.server.Validate()
}

// list returns a flag that appends its values to a list.
func list(to *[]string) func(string) error {
	return func(s string) error {
		*to = append(*to, s)
		return nil
	}
}

// emulator returns the options of every emulator that serves.
func (o options) emulator(b compute.Backend, log *slog.Logger) walrus.EmulatorOptions {
	e := walrus.EmulatorOptions{Backend: b, Seed: o.seed, Ensemble: o.ensemble, Programs: o.programs, Log: log}
	if o.cache {
		e.Cache = &walrus.Cache{Refresh: o.refresh}
	}
	return e
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// run runs the command. It prints the address once it listens.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if o.quiet {
		level = slog.LevelWarn
	}
	o.server.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	s, err := serve.New(nil, o.server)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "http://%s\n", listener.Addr())
	return s.Serve(ctx, listener, func() (*serve.Model, error) {
		b, err := serve.OpenBackend(o.auto)
		if err != nil {
			return nil, err
		}
		return serve.OpenModel(o.weights, o.emulator(b, o.server.Log))
	})
}

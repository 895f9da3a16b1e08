package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	listen, weights string
	auto, cache     bool
	refresh         int
	seed            uint64
	ensemble        int
	programs        int
	quiet           bool
	tokenFile       string
	server          serve.Options
	hold            walrus.Precision
}

// serve returns the subcommand serve.
func (a *app) serve() *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer requests for forecasts over HTTP, with a page to try it",
		Long: `Answers requests for forecasts over HTTP and serves a page on which you paint a field and
watch its forecast. Requests are JSON or binary, answers JSON, server-sent events or
binary; the page /api of a running server describes them.

By default every frame is computed from the whole history, as the release does. With
--cache the server keeps keys and values of earlier frames and computes the whole history
again every --refresh steps, which is faster and an approximation. Every running forecast
then has a KV cache: up to 16 MB with walrus-nano for a 2D grid and six frames, gigabytes
with the released weights. Choose --queue accordingly.

SIGTERM and Ctrl-C end the server gracefully: /readyz answers 503, new forecasts are
refused, and running ones may end within --grace before they are cancelled.

The server has no accounts and no encryption. Put it behind a proxy that has both, and set
--proxy, before others can reach it; --host names the server to its clients.`,
		Example: `  gowalrus serve
  gowalrus serve --weights runs/shear/best --listen 127.0.0.1:9000 --cache`,
	}
	a.command(c, func(ctx context.Context) error {
		if err := o.check(c.Flags().Changed); err != nil {
			return err
		}
		return a.runServe(ctx, o)
	})
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	weightsFlag(c, &o.weights)
	holdFlag(c, &o.hold)
	f.BoolVar(&o.auto, "auto", false, autoUsage)
	f.Uint64Var(&o.seed, "seed", 1, "seed of the jitter: the same request gets the same answer")
	f.IntVar(&o.ensemble, "ensemble", 1, "draws of jitter that each frame is averaged over")
	f.BoolVar(&o.cache, "cache", false, "keep what was computed of earlier frames, instead of computing every frame from the whole history")
	f.IntVar(&o.refresh, "refresh", walrus.DefaultRefresh, "with --cache: steps between two computations of the whole history; negative is never")
	f.DurationVar(&o.server.Grace, "grace", 20*time.Second, "how long forecasts may go on after SIGTERM")
	f.BoolVar(&o.quiet, "quiet", false, "log warnings and errors only")
	f.IntVar(&o.server.Workers, "workers", 2, "steps computed at once")
	f.IntVar(&o.server.Queue, "queue", 64, "forecasts admitted at once")
	f.IntVar(&o.server.Share, "share", 8, "of these, forecasts of one client")
	f.DurationVar(&o.server.Timeout, "timeout", 2*time.Minute, "longest time for an answer")
	f.Int64Var(&o.server.MaxBody, "max-body", 8<<20, "longest request in bytes")
	f.Int64Var(&o.server.MaxMemory, "max-memory", 64<<20, "bytes for the values of all requests at once")
	f.StringArrayVar(&o.server.Hosts, "host", nil, "`name` under which clients address the server, besides IP addresses and localhost; * for any; may be repeated")
	f.StringArrayVar(&o.server.Origins, "origin", nil, "`origin` of web pages that may call the server, https://example.org; may be repeated")
	f.StringVar(&o.tokenFile, "token-file", "", "`file` with the bearer token that requests to the API must have")
	f.IntVar(&o.server.MaxPoints, "max-points", 1<<16, "largest grid in points")
	f.IntVar(&o.server.MaxSteps, "max-steps", 200, "longest forecast")
	f.IntVar(&o.programs, "max-programs", 16, "compiled programs to keep, one for each shape of request")
	f.BoolVar(&o.server.Proxy, "proxy", false, "a proxy in front adds the client to X-Forwarded-For")
	return c
}

// check checks the flags and reads the token.
func (o *serveOptions) check(given func(flag string) bool) error {
	kind := (&networkOptions{weights: o.weights}).kind()
	if fresh, ok := peers.Fresh(o.weights); ok {
		kind = fresh
	}
	if kind != "" {
		return command.Usage("--weights: expected weights of a Walrus network, because requests may have any fields and grid, got weights of %s, which are bound to those of one data set: gowalrus forecast --weights %s continues that, and peers.Open serves it in a server of yours", kind, o.weights)
	}
	if o.refresh == 0 {
		return command.Usage("--refresh: expected a number of steps, or a negative one for never, got 0")
	}
	if given("refresh") && !o.cache {
		return command.Usage("--refresh: expected --cache with it, got none")
	}
	if o.tokenFile != "" {
		token, err := os.ReadFile(o.tokenFile)
		if err != nil {
			return fmt.Errorf("--token-file: %w", err)
		}
		if o.server.Token = strings.TrimSpace(string(token)); o.server.Token == "" {
			return fmt.Errorf("--token-file: %s: expected a token, got an empty file", o.tokenFile)
		}
	}
	if err := o.server.Validate(); err != nil {
		return command.Usage("%w", err)
	}
	return nil
}

// emulator returns the options of every emulator that serves.
func (o serveOptions) emulator(b compute.Backend, log *slog.Logger) walrus.EmulatorOptions {
	e := walrus.EmulatorOptions{Backend: b, Seed: o.seed, Ensemble: o.ensemble, Programs: o.programs, Weights: o.hold, Log: log}
	if o.cache {
		e.Cache = &walrus.Cache{Refresh: o.refresh}
	}
	return e
}

// runServe serves until the context ends. It prints the address once it listens.
func (a *app) runServe(ctx context.Context, o serveOptions) error {
	level := slog.LevelInfo
	if o.quiet {
		level = slog.LevelWarn
	}
	o.server.Log = slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
	s, err := serve.New(nil, o.server)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "http://%s\n", listener.Addr())
	return s.Serve(ctx, listener, func() (*serve.Model, error) {
		b, err := serve.OpenBackend(o.auto)
		if err != nil {
			return nil, err
		}
		return serve.OpenModel(o.weights, o.emulator(b, o.server.Log))
	})
}

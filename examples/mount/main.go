// Command mount is a web server that has the forecast server as one of its parts: the
// page under /forecast/ and its API under /forecast/v1/. The rest of the program stays as it
// was:
//
//	GOEXPERIMENT=simd go run ./examples/mount                    # http://127.0.0.1:8080
//	curl http://127.0.0.1:8080/forecast/v1/model
//
// If the environment variable TOKEN is set, requests to the API need that bearer token.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		log.Fatal("mount: ", err)
	}
	fmt.Printf("http://%s\n", l.Addr())
	if err := run(ctx, l, os.Getenv("TOKEN")); err != nil {
		log.Fatal("mount: ", err)
	}
}

// run answers the requests of a listener until ctx ends.
func run(ctx context.Context, l net.Listener, token string) error {
	b, err := serve.OpenBackend(false)
	if err != nil {
		return err
	}
	defer b.Finalize()
	// "nano" comes with the library; a path opens a checkpoint.
	model, err := serve.OpenModel("nano", walrus.EmulatorOptions{Backend: b, Seed: 1, Programs: 16})
	if err != nil {
		return err
	}
	defer model.Close()
	forecasts, err := serve.New(model, serve.Options{
		Token:    token,
		Queue:    16, // forecasts at once
		Share:    4,  // of these, of one client
		MaxSteps: 100,
		Log:      slog.Default(),
	})
	if err != nil {
		return err
	}
	defer forecasts.Close() // before the model

	mux := http.NewServeMux()
	mux.Handle("/forecast/", http.StripPrefix("/forecast", forecasts))
	mux.HandleFunc("GET /{$}", home)
	h := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}

	// Running forecasts have ten seconds to end. New forecasts are refused.
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(forecasts.Drain(end), h.Shutdown(end))
}

// home is the part of the program that was there before.
func home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><title>My lab</title><p>Welcome. <a href="/forecast/">Forecasts</a> are over there.`)
}

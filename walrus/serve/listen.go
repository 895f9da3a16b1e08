package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Serve answers the requests of a listener until ctx ends. Then it refuses new forecasts,
// waits up to [Options.Grace] for running forecasts, cancels the rest, and closes the
// listener and the server.
//
// If open is not nil, Serve calls it while it already answers, so that /readyz can report
// the loading, gives the result to [Server.Ready], and closes the model at the end. An
// error of open ends Serve.
func (s *Server) Serve(ctx context.Context, l net.Listener, open func() (*Model, error)) error {
	if l == nil {
		return errors.New("serve: expected a listener, got nil")
	}
	h := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelWarn)}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	if open != nil {
		m, err := open()
		if err == nil {
			defer m.Close()
			err = s.Ready(m)
		}
		if err != nil {
			return errors.Join(err, h.Close())
		}
	}
	defer s.Close() // before the model
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	return s.end(h)
}

// end shuts down gracefully.
func (s *Server) end(h *http.Server) error {
	s.o.Log.Info("shutting down", "grace", s.o.Grace)
	ctx, cancel := context.WithTimeout(context.Background(), s.o.Grace)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		s.o.Log.Warn("drain", "error", err)
	}
	last, cancelLast := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancelLast()
	err := h.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = h.Close()
	}
	return err
}

package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// Server answers requests for forecasts. It is an http.Handler.
type Server struct {
	o       Options
	queue   *queue
	budget  *budget
	metrics *metrics
	ranges  ranges
	model   atomic.Pointer[Model]
	handler http.Handler

	base   context.Context
	cancel context.CancelCauseFunc
}

// New returns a server of a model. If m is nil, the server answers 503 to requests for
// forecasts until [Server.Ready] gives it a model. The caller closes the server, and then
// the model.
func New(m *Model, o Options) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{o: o, queue: newQueue(o), budget: newBudget(o)}
	s.metrics = newMetrics(s.queue, s.budget, s.programs)
	s.base, s.cancel = context.WithCancelCause(context.Background())
	if o.Registerer != nil {
		if err := s.metrics.registerWith(o.Registerer); err != nil {
			return nil, err
		}
	}
	s.handler = s.guard(s.named(s.authorized(s.routes())))
	if m != nil {
		if err := s.Ready(m); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Ready sets the model of a server that has none yet.
func (s *Server) Ready(m *Model) error {
	if m == nil || m.plan == nil || m.Forecaster == nil {
		return errors.New("serve: expected a model of NewModel or OpenModel, got none")
	}
	if !s.model.CompareAndSwap(nil, m) {
		return fmt.Errorf("serve: expected one model, got %s after %s", m.Name, s.model.Load().Name)
	}
	return nil
}

// errLoading is the answer before a model is loaded.
var errLoading = errors.New("loading")

// programs returns the number of compiled programs of the model.
func (s *Server) programs() int {
	if m := s.model.Load(); m != nil {
		if p, ok := m.Forecaster.(interface{ Programs() int }); ok {
			return p.Programs()
		}
	}
	return 0
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain refuses new forecasts and waits until the admitted ones have ended. If ctx ends
// first, Drain cancels them and returns the error of ctx. The server still answers all
// other requests; close the listener afterwards.
func (s *Server) Drain(ctx context.Context) error {
	drained := s.queue.stop()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
	}
	s.cancel(errShutdown)
	<-drained // at most a step and a write later
	return fmt.Errorf("serve: forecasts were cancelled: %w", context.Cause(ctx))
}

// Close cancels all forecasts and waits for them. The caller closes the model.
func (s *Server) Close() {
	s.cancel(errShutdown)
	<-s.queue.stop()
	if s.o.Registerer != nil {
		s.metrics.unregisterFrom(s.o.Registerer)
	}
}

// maker reads the body of a request and converts it to a job.
type maker func(m *Model, in *input) (*job, error)

// forecast answers requests whose bodies make converts to jobs.
func (s *Server) forecast(make maker) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.admitted(w, r, func(ctx context.Context, m *Model, t *ticket, l *lease) (sink, error) {
			out, keeps := newSink(w, r, s.o.WriteTimeout)
			in, err := s.open(w, r, l)
			if err != nil {
				return out, err
			}
			j, err := make(m, in)
			if err != nil {
				return out, err
			}
			if keeps {
				if err := s.checkAnswer(m, j, l); err != nil {
					return out, err
				}
			}
			if err := t.admit(); err != nil {
				return out, err
			}
			return out, s.run(ctx, t, j, out)
		})
	}
}

// admitted runs work, which reads a body and then needs a place in the queue. Its context
// ends when the client leaves, on timeout, or when the server shuts down.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request, work func(context.Context, *Model, *ticket, *lease) (sink, error)) {
	m := s.model.Load()
	if m == nil {
		s.refuse(w, errLoading)
		return
	}
	t, err := s.queue.enter(s.client(r))
	if err != nil {
		s.refuse(w, err)
		return
	}
	defer t.close()
	l := s.budget.lease(t.client.name)
	defer l.release()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(s.base, func() { cancel(errShutdown) })()
	timer := time.AfterFunc(s.o.Timeout, func() { cancel(errTimeout) })
	defer timer.Stop()
	out, err := work(ctx, m, t, l)
	switch {
	case err == nil:
		s.metrics.ended.WithLabelValues("done").Inc()
		return
	case errors.Is(err, errFull), errors.Is(err, errClosed), errors.Is(err, errMemory):
		s.refuse(w, err)
		return
	}
	p, end := explain(ctx, err)
	s.metrics.ended.WithLabelValues(end).Inc()
	if end == "failed" {
		s.o.Log.Error("forecast", "error", err)
	}
	out.fail(p)
}

// refuse answers a request that is not admitted.
func (s *Server) refuse(w http.ResponseWriter, why error) {
	p := &problem{status: http.StatusServiceUnavailable, retry: 2}
	switch {
	case errors.Is(why, errFull):
		p.status, p.retry, p.Code = http.StatusTooManyRequests, s.queue.retryAfter(), "queue_full"
		p.Message = fmt.Sprintf("the queue is full: expected fewer than %d forecasts at once; try again in %d s", s.o.Queue, p.retry)
	case errors.Is(why, errShare):
		p.status, p.retry, p.Code = http.StatusTooManyRequests, s.queue.retryAfter(), "share_used_up"
		p.Message = fmt.Sprintf("expected at most %d forecasts of one client at once; try again in %d s", s.o.Share, p.retry)
	case errors.Is(why, errMemory):
		p.status, p.retry, p.Code = http.StatusTooManyRequests, s.queue.retryAfter(), "memory"
		p.Message = fmt.Sprintf("the requests in flight hold the memory for their values: expected at most %d bytes of all clients and %d of one; try again in %d s", s.budget.total, s.budget.share, p.retry)
	case errors.Is(why, errClosed):
		p.retry, p.Code, p.Message = 10, "draining", errShutdown.Error()
	default:
		p.Code, p.Message = "loading", "the network is being loaded"
	}
	s.metrics.refused.WithLabelValues(p.Code).Inc()
	p.write(w)
}

// client returns the name under which a request is counted in a share of the queue: its
// address, for IPv6 the network of one household.
func (s *Server) client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if list := r.Header.Values("X-Forwarded-For"); s.o.Proxy && len(list) > 0 {
		all := strings.Split(list[len(list)-1], ",")
		host = strings.TrimSpace(all[len(all)-1])
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if a = a.Unmap(); a.Is6() {
		if prefix, err := a.WithZone("").Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return a.String()
}

package serve

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

// writer records the status and the length of an answer.
type writer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap lets http.ResponseController find the connection.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// security lists the headers of every answer. The page may load only files of this server,
// and no other page may frame it, read it or keep a handle on it.
var security = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// guard counts requests, bounds the time for their bodies and turns a panic into an
// answer.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		w := &writer{ResponseWriter: rw}
		for name, value := range security {
			w.Header().Set(name, value)
		}
		// It also bounds the time for the rest of a body, which net/http reads.
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(begin.Add(s.o.BodyTimeout))
		_ = control.SetWriteDeadline(begin.Add(s.o.Timeout + s.o.WriteTimeout))
		defer func() {
			if v := recover(); v != nil {
				s.recovered(w, r, v)
			}
			s.finish(w, r, time.Since(begin))
		}()
		next.ServeHTTP(w, r)
	})
}

// recovered answers a request whose handling panicked.
func (s *Server) recovered(w *writer, r *http.Request, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	s.metrics.panics.Inc()
	s.o.Log.Error("panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // a partial answer must not look complete
	}
	(&problem{status: http.StatusInternalServerError, Code: "failed", Message: "the server made a mistake; it goes on"}).write(w)
}

// finish counts and logs a request.
func (s *Server) finish(w *writer, r *http.Request, took time.Duration) {
	endpoint := r.Pattern
	if endpoint == "" {
		endpoint = "none" // unknown paths must not create new series
	}
	code := w.status
	if code == 0 {
		code = http.StatusOK
	}
	s.metrics.requests.WithLabelValues(endpoint, strconv.Itoa(code)).Inc()
	s.metrics.seconds.WithLabelValues(endpoint).Observe(took.Seconds())
	s.metrics.sentBytes.Add(float64(w.bytes))
	s.o.Log.Info("request", "method", r.Method, "path", r.URL.Path, "status", code, "bytes", w.bytes, "seconds", took.Seconds(), "client", s.client(r))
}

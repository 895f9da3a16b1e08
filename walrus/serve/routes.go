package serve

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gowalrus/gowalrus/data/solve"
)

//go:embed page
var page embed.FS

// Page returns the files of the page: index.html, api.html and the scripts and styles, which
// index.html loads from the folder page next to it. There are no folders among them.
func Page() fs.FS {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the name is valid
	}
	return files
}

// endpoints lists the patterns of all requests that are answered. openapi.json describes
// them.
func (s *Server) endpoints() map[string]http.HandlerFunc {
	file := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, name) }
	}
	return map[string]http.HandlerFunc{
		"GET /v1/model":     s.describe,
		"GET /v1/systems":   s.systems,
		"POST /v1/start":    s.start,
		"POST /v1/simulate": s.forecast(s.simulateJob),
		"POST /v1/forecast": s.forecast(s.forecastJob),
		"GET /healthz": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, map[string]string{"status": "alive"}, 0)
		},
		"GET /readyz":       s.ready,
		"GET /metrics":      promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP,
		"GET /openapi.json": s.openAPI(),
		"GET /{$}":          file("index.html"),
		"GET /api":          file("api.html"),
		"GET /page/{file}":  func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, r.PathValue("file")) },
	}
}

// routes returns the handler of all endpoints.
func (s *Server) routes() http.Handler {
	mux, posts := http.NewServeMux(), map[string]bool{}
	for pattern, h := range s.endpoints() {
		mux.HandleFunc(pattern, h)
		if path, ok := strings.CutPrefix(pattern, "POST "); ok {
			posts[path] = true
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if posts[r.URL.Path] {
			lost(w, r, "POST")
		} else {
			lost(w, r, "GET")
		}
	})
	return mux
}

// lost answers requests that match no endpoint. want is the method of an endpoint at their
// path.
func lost(w http.ResponseWriter, r *http.Request, want string) {
	p := &problem{status: http.StatusNotFound, Code: "not_found", Message: "there is no " + r.URL.Path + "; /openapi.json lists the endpoints"}
	if want == "POST" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", want)
		p.status, p.Code, p.Message = http.StatusMethodNotAllowed, "method", fmt.Sprintf("%s: expected %s, got %s", r.URL.Path, want, r.Method)
	}
	p.write(w)
}

// serveFile answers with a file of the page.
func serveFile(w http.ResponseWriter, r *http.Request, name string) {
	if _, err := fs.Stat(page, "page/"+name); err != nil {
		(&problem{status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf("there is no %s", r.URL.Path)}).write(w)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, page, "page/"+name)
}

// ready answers whether forecasts are accepted.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	s.queue.mu.Lock()
	closed := s.queue.closed
	s.queue.mu.Unlock()
	switch {
	case closed:
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "draining"}, 0)
	case s.model.Load() == nil:
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "loading"}, 0)
	default:
		writeJSON(w, http.StatusOK, map[string]string{"status": "ready"}, 0)
	}
}

// describe answers with the network and the limits.
func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	m := s.model.Load()
	if m == nil {
		s.refuse(w, errLoading)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"name": m.Name, "parameters": m.Parameters, "fields": m.fields(), "dims": m.Config.Dims,
		"history": map[string]int{"2d": m.Forecaster.History(2), "3d": m.Forecaster.History(3)},
		"limits": map[string]any{
			"body_bytes": s.o.MaxBody, "points": s.o.MaxPoints, "channels": s.o.MaxChannels, "history": s.o.MaxHistory, "steps": s.o.MaxSteps, "members": s.o.MaxMembers,
			"tokens": s.o.MaxTokens, "json_values": s.o.MaxValues, "memory_bytes": s.o.MaxMemory, "seconds": s.o.Timeout.Seconds(), "queue": s.o.Queue, "share": s.o.Share,
		},
	}, s.o.WriteTimeout)
}

// systems answers with the systems that have a solver.
func (s *Server) systems(w http.ResponseWriter, _ *http.Request) {
	m := s.model.Load()
	if m == nil {
		s.refuse(w, errLoading)
		return
	}
	list := []map[string]any{}
	for _, x := range solve.Systems() {
		p := plot{system: x, grid: x.Grid, boundaries: x.Boundaries}
		win := p.window()
		channels, constants := win.Channels(false), win.Channels(true)
		unknown := append([]string{}, m.unknown(append(channels, constants...))...)
		parameters := []map[string]any{}
		for _, q := range x.Parameters {
			parameters = append(parameters, map[string]any{"name": q.Name, "doc": q.Doc, "low": q.Low, "high": q.High})
		}
		list = append(list, map[string]any{
			"name": x.Name, "title": x.Title, "equation": x.Equation, "method": x.Method, "grid": x.Grid, "length": x.Length,
			"interval": x.Interval, "boundaries": texts(x.Boundaries), "takes_boundaries": x.TakesBoundaries(),
			"channels": channels, "constants": append([]string{}, constants...), "free": x.Free(), "parameters": parameters, "unknown": unknown,
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"systems": list}, s.o.WriteTimeout)
}

// start answers with an initial state.
func (s *Server) start(w http.ResponseWriter, r *http.Request) {
	s.admitted(w, r, func(ctx context.Context, m *Model, t *ticket, l *lease) (sink, error) {
		out := &whole{w: w, timeout: s.o.WriteTimeout}
		in, err := s.open(w, r, l)
		if err != nil {
			return out, err
		}
		q, err := in.startRequest()
		if err != nil {
			return out, err
		}
		p, err := q.plot()
		if err != nil {
			return out, err
		}
		if err := t.admit(); err != nil {
			return out, err
		}
		turn, err := s.turn(ctx, t)
		if err != nil {
			return out, err
		}
		defer turn.end()
		answer, err := s.initial(ctx, p)
		turn.end()
		if err != nil {
			return out, err
		}
		writeJSON(w, http.StatusOK, answer, s.o.WriteTimeout)
		return out, nil
	})
}

// initial draws the initial state of a plot.
func (s *Server) initial(ctx context.Context, p *plot) (map[string]any, error) {
	_, frame, constants, err := s.begin(ctx, p)
	if err != nil {
		return nil, err
	}
	ranges, err := s.ranges.of(ctx, p.system)
	if err != nil {
		return nil, err
	}
	w := p.window()
	return map[string]any{
		"system": p.system.Name, "seed": p.seed, "grid": p.grid, "parameters": p.values, "boundaries": texts(p.boundaries),
		"channels": w.Channels(false), "constant_channels": append([]string{}, w.Channels(true)...), "ranges": ranges,
		"frame": packed(frame), "constants": packed(constants),
	}, nil
}

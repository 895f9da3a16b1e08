package server

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
)

// startRequest is the body of /v1/start.
type startRequest struct {
	System     string             `json:"system"`
	Seed       uint64             `json:"seed"`
	Grid       []int              `json:"grid"`
	Parameters map[string]float64 `json:"parameters"`
	Initial    json.RawMessage    `json:"initial"`
	Constants  json.RawMessage    `json:"constants"`
	Arrays     []section          `json:"arrays"`
}

// simulateRequest is the body of /v1/simulate.
type simulateRequest struct {
	startRequest
	Boundaries []string `json:"boundaries"`
	History    int      `json:"history"`
	Steps      int      `json:"steps"`
	Downscale  int      `json:"downscale"`
}

// plot is a checked request to simulate.
type plot struct {
	system     *solve.System
	grid       []int
	seed       uint64
	values     map[string]float64
	boundaries data.Boundaries
	history    int
	initial    []float32
	constants  []float32
}

// plot converts the parameters of a simulation from the request.
func (q startRequest) plot(arrays map[string][]float32) (*plot, error) {
	s, err := solve.Lookup(q.System)
	if err != nil {
		return nil, invalid("system", "%v", err)
	}
	p := &plot{system: s, grid: q.Grid, seed: q.Seed, boundaries: s.Boundaries}
	if p.grid == nil {
		p.grid = s.Grid
	}
	if len(p.grid) != len(s.Grid) {
		return nil, invalid("grid", "expected %d axes for %s, got %v", len(s.Grid), s.Name, p.grid)
	}
	for _, n := range p.grid {
		if n < 8 || n%2 != 0 || n > product(s.Grid) {
			return nil, invalid("grid", "expected an even number of at least 8 points along each axis, got %v", p.grid)
		}
	}
	if product(p.grid) > product(s.Grid) {
		return nil, invalid("grid", "expected at most as many points as the system's own grid %v has (%d), got %v", s.Grid, product(s.Grid), p.grid)
	}
	if p.values, err = q.parameters(s, p.rng()); err != nil {
		return nil, err
	}
	return p, p.given(q, arrays)
}

// rng returns the generator that draws parameters and, if none is given, the initial
// state.
func (p *plot) rng() *rand.Rand { return rand.New(rand.NewPCG(p.seed, 0x7365727665)) }

// parameters returns the given parameters and draws the others. The ranges of the
// system bound the work of the solver.
func (q startRequest) parameters(s *solve.System, rng *rand.Rand) (map[string]float64, error) {
	for _, p := range s.Parameters {
		if v, ok := q.Parameters[p.Name]; ok && !(v >= p.Low && v <= p.High) {
			return nil, invalid("parameters."+p.Name, "expected %v to %v, got %v", p.Low, p.High, v)
		}
	}
	values, err := s.Draw(rng, q.Parameters)
	if err != nil {
		return nil, invalid("parameters", "%v", err)
	}
	return values, nil
}

// window returns an empty window with the system's fields and grid.
func (p *plot) window() *data.Window {
	return &data.Window{Name: p.system.Name, Fields: p.system.Fields, Grid: p.grid, Boundaries: p.boundaries}
}

// simulateJob converts the body of /v1/simulate to a job.
func (s *Server) simulateJob(m *Model, text []byte, arrays map[string][]float32) (*job, error) {
	var q simulateRequest
	if err := decode(text, &q); err != nil {
		return nil, err
	}
	p, err := q.plot(arrays)
	if err != nil {
		return nil, err
	}
	if q.Boundaries != nil {
		if p.boundaries, err = boundaries(q.Boundaries, len(p.grid)); err != nil {
			return nil, err
		}
	}
	w := p.window()
	if err := s.checkLayout(m, w); err != nil {
		return nil, err
	}
	if p.history = q.History; p.history == 0 {
		p.history = m.history(len(p.grid))
	}
	if p.history < 1 || p.history > s.o.MaxHistory {
		return nil, invalid("history", "expected 1 to %d frames, got %d", s.o.MaxHistory, q.History)
	}
	j := &job{layout: w, steps: q.Steps, downscale: max(q.Downscale, 1), prepare: func(ctx context.Context, yield func() error) (*scene, error) { return s.stage(ctx, p, yield) }}
	return j, s.checkSteps(q.Steps, q.Downscale)
}

// given reads the initial state, if the request has one.
func (p *plot) given(q startRequest, arrays map[string][]float32) (err error) {
	if err := only(arrays, "initial", "constants"); err != nil {
		return err
	}
	w := p.window()
	if p.initial, err = pick("initial", q.Initial, arrays); err != nil {
		return err
	}
	if p.constants, err = pick("constants", q.Constants, arrays); err != nil {
		return err
	}
	if p.initial == nil {
		if p.constants != nil {
			return invalid("constants", "expected them together with initial only")
		}
		return nil
	}
	if err := checkArray("initial", p.initial, w.Channels(false), w); err != nil {
		return err
	}
	if p.constants == nil && len(w.Channels(true)) > 0 {
		return invalid("constants", "expected the channels %v together with initial, got none", w.Channels(true))
	}
	return checkArray("constants", p.constants, w.Channels(true), w)
}

// begin starts the solver, and returns the first frame and the constant fields.
func (s *Server) begin(ctx context.Context, p *plot) (*truth, []float32, []float32, error) {
	ranges, err := s.ranges.of(ctx, p.system)
	if err != nil {
		return nil, nil, nil, err
	}
	w := p.window()
	t := &truth{interval: p.system.Interval, values: len(w.Channels(false)) * w.Points(), fine: func(f []float32) error { return ranges.plausible(f, w) }}
	if p.initial == nil {
		rng := p.rng()
		if _, err := p.system.Draw(rng, nil); err != nil { // to advance rng as plot did
			return nil, nil, nil, err
		}
		t.run, err = p.system.Start(p.grid, p.values, rng)
	} else {
		if err := ranges.check(p, w); err != nil {
			return nil, nil, nil, err
		}
		in := solve.Initial{Frame: p.initial, Constants: p.constants}
		if p.system.TakesBoundaries() {
			in.Boundaries = p.boundaries
		}
		t.run, err = p.system.StartFrom(p.grid, p.values, in)
	}
	if err != nil {
		return nil, nil, nil, invalid("initial", "%v", err)
	}
	var constants []float32
	if n := len(w.Channels(true)); n > 0 {
		constants = make([]float32, n*w.Points())
		t.run.Constants(constants)
	}
	first, err := t.frame()
	return t, first, constants, err
}

// stage simulates the history. If the solver does not support the boundaries, the first
// frame is repeated.
func (s *Server) stage(ctx context.Context, p *plot, yield func() error) (*scene, error) {
	other := !slices.Equal(p.boundaries, p.system.Boundaries)
	if other && p.system.TakesBoundaries() && p.initial == nil {
		if err := s.rebound(ctx, p); err != nil {
			return nil, err
		}
	}
	t, frame, constants, err := s.begin(ctx, p)
	if err != nil {
		return nil, err
	}
	w := p.window()
	w.Constants, w.Frames = constants, [][]float32{frame}
	out := &scene{window: w, from: "solver", shown: true, truth: t, interval: p.system.Interval}
	if other && !p.system.TakesBoundaries() {
		w.Frames = slices.Repeat(w.Frames, p.history)
		out.from, out.truth = "repeated", nil
		return out, nil
	}
	for len(w.Frames) < p.history {
		if err := yield(); err != nil {
			return nil, err
		}
		if frame, err = t.next(ctx); err != nil {
			return nil, err
		}
		w.Frames = append(w.Frames, frame)
	}
	return out, nil
}

// rebound draws the initial state with the system's default boundaries, so that the
// simulation can continue from it with others.
func (s *Server) rebound(ctx context.Context, p *plot) error {
	own := *p
	own.boundaries = p.system.Boundaries
	_, frame, constants, err := s.begin(ctx, &own)
	p.initial, p.constants = frame, constants
	return err
}

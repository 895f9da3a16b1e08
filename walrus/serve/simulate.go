package serve

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
)

// startRequest is the body of /v1/start.
type startRequest struct {
	system             string
	seed               uint64
	grid               []int
	parameters         map[string]float64
	initial, constants []float32
}

// simulateRequest is the body of /v1/simulate.
type simulateRequest struct {
	startRequest
	boundaries                         []string
	history, steps, downscale, members int
}

// startRequest reads the body of /v1/start.
func (in *input) startRequest() (*startRequest, error) {
	q := &startRequest{}
	return q, in.simulation(q, unknown)
}

// simulateRequest reads the body of /v1/simulate.
func (in *input) simulateRequest() (*simulateRequest, error) {
	q := &simulateRequest{}
	return q, in.simulation(&q.startRequest, func(key string) (err error) {
		switch key {
		case "boundaries":
			q.boundaries, err = in.boundaries()
		case "history":
			q.history, err = in.integer(key)
		case "steps":
			q.steps, err = in.integer(key)
		case "members":
			q.members, err = in.integer(key)
		case "downscale":
			q.downscale, err = in.integer(key)
		default:
			err = unknown(key)
		}
		return err
	})
}

// simulation reads the keys that both requests have, and the others with other.
func (in *input) simulation(q *startRequest, other func(key string) error) error {
	var list []section
	inline := map[string]bool{}
	err := in.document(12, func(key string) (err error) {
		switch key {
		case "system":
			q.system, err = in.str(key)
		case "seed":
			q.seed, err = in.unsigned(key)
		case "grid":
			q.grid, err = in.integers(key, maxAxes)
		case "parameters":
			q.parameters = map[string]float64{}
			err = in.object(key, maxNumbers, func(name string) (err error) {
				q.parameters[name], err = in.float(key + "." + name)
				return err
			})
		case "initial":
			inline[key] = true
			q.initial, err = in.values(key, in.o.MaxValues)
		case "constants":
			inline[key] = true
			q.constants, err = in.values(key, in.o.MaxValues)
		case "arrays":
			list, err = in.sections()
		default:
			err = other(key)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := once(list, inline); err != nil {
		return err
	}
	arrays, err := in.arrays(list, "initial", "constants")
	if err != nil {
		return err
	}
	for name, into := range map[string]*[]float32{"initial": &q.initial, "constants": &q.constants} {
		if values, ok := arrays[name]; ok {
			*into = values
		}
	}
	return nil
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
func (q startRequest) plot() (*plot, error) {
	s, err := solve.Lookup(q.system)
	if err != nil {
		return nil, invalid("system", "%v", err)
	}
	p := &plot{system: s, grid: q.grid, seed: q.seed, boundaries: s.Boundaries}
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
	if p.values, err = q.draw(s, p.rng()); err != nil {
		return nil, err
	}
	return p, p.given(q)
}

// rng returns the generator that draws parameters and, if none is given, the initial
// state.
func (p *plot) rng() *rand.Rand { return rand.New(rand.NewPCG(p.seed, 0x7365727665)) }

// draw returns the given parameters and draws the others. The ranges of the
// system bound the work of the solver.
func (q startRequest) draw(s *solve.System, rng *rand.Rand) (map[string]float64, error) {
	for _, p := range s.Parameters {
		if v, ok := q.parameters[p.Name]; ok && !(v >= p.Low && v <= p.High) {
			return nil, invalid("parameters."+p.Name, "expected %v to %v, got %v", p.Low, p.High, v)
		}
	}
	values, err := s.Draw(rng, q.parameters)
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
func (s *Server) simulateJob(m *Model, in *input) (*job, error) {
	q, err := in.simulateRequest()
	if err != nil {
		return nil, err
	}
	p, err := q.plot()
	if err != nil {
		return nil, err
	}
	if q.boundaries != nil {
		if p.boundaries, err = boundaries(q.boundaries, len(p.grid)); err != nil {
			return nil, err
		}
	}
	w := p.window()
	if err := s.checkLayout(m, w); err != nil {
		return nil, err
	}
	if p.history = q.history; p.history == 0 {
		p.history = m.Forecaster.History(len(p.grid))
	}
	if p.history < 1 || p.history > s.o.MaxHistory {
		return nil, invalid("history", "expected 1 to %d frames, got %d", s.o.MaxHistory, q.history)
	}
	j := &job{layout: w, steps: q.steps, downscale: max(q.downscale, 1), members: q.members, prepare: func(ctx context.Context, yield func() error) (*scene, error) { return s.stage(ctx, p, yield) }}
	return j, s.checkSteps(m, j, q.downscale)
}

// given sets the initial state, if the request has one.
func (p *plot) given(q startRequest) error {
	w := p.window()
	p.initial, p.constants = q.initial, q.constants
	if p.initial == nil {
		if p.constants != nil {
			return invalid("constants", "expected them together with initial only")
		}
		return nil
	}
	if p.constants == nil && len(w.Channels(true)) > 0 {
		return invalid("constants", "expected the channels %v together with initial, got none", w.Channels(true))
	}
	w.Frames, w.Constants = [][]float32{p.initial}, p.constants
	return checkWindow(w, func(int) string { return "initial" })
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

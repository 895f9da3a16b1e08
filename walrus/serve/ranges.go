package serve

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
)

// interval holds the usual range of a channel and the range that is allowed at the
// start.
type interval struct {
	Channel string  `json:"channel"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
	Free    bool    `json:"free"`
}

// intervals are the intervals of a system, variable channels first.
type intervals []interval

// ranges finds the ranges of the fields of each system, once. A solver needs shorter
// steps for larger values, so a start far outside of the range would occupy a worker
// for long.
type ranges struct {
	mu    sync.Mutex
	known map[string]intervals
}

// of returns the intervals of a system.
func (r *ranges) of(ctx context.Context, s *solve.System) (intervals, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.known[s.Name]; ok {
		return known, nil
	}
	found, err := survey(ctx, s)
	if err != nil {
		return nil, err
	}
	if r.known == nil {
		r.known = map[string]intervals{}
	}
	r.known[s.Name] = found
	return found, nil
}

// survey simulates a few frames and returns the ranges of their values.
func survey(ctx context.Context, s *solve.System) (intervals, error) {
	rng := rand.New(rand.NewPCG(1, 0x72616e676573))
	values, err := s.Draw(rng, nil)
	if err != nil {
		return nil, err
	}
	run, err := s.Start(nil, values, rng)
	if err != nil {
		return nil, err
	}
	w := data.Window{Fields: s.Fields, Grid: s.Grid}
	variable, fixed := w.Channels(false), w.Channels(true)
	out := make(intervals, len(variable)+len(fixed))
	for i, name := range append(variable, fixed...) {
		out[i] = interval{Channel: name, Low: math.Inf(1), High: math.Inf(-1), Free: slices.Contains(s.Free(), name)}
	}
	constants := make([]float32, len(fixed)*w.Points())
	run.Constants(constants)
	out[len(variable):].widen(constants, w.Points())
	frame := make([]float32, len(variable)*w.Points())
	for k := range 4 {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if k > 0 {
			if err := run.Advance(s.Interval); err != nil {
				return nil, err
			}
		}
		run.Frame(frame)
		out.widen(frame, w.Points())
	}
	for i := range out {
		out[i].limit()
	}
	return out, nil
}

// widen extends the intervals to the values of a frame.
func (r intervals) widen(frame []float32, points int) {
	for i, v := range frame {
		at := &r[i/points]
		at.Low, at.High = min(at.Low, float64(v)), max(at.High, float64(v))
	}
}

// limit sets the allowed range. It is much wider on both sides, since other seeds and
// parameters have other values. A channel that stays well above 0, such as a density,
// must remain positive.
func (i *interval) limit() {
	room := 2 * max(i.High-i.Low, math.Abs(i.Low), math.Abs(i.High))
	i.Least, i.Most = i.Low-room, i.High+room
	if i.Low > i.High/100 {
		i.Least = i.Low / 4
	}
}

// check refuses an initial state whose free channels are outside of the limits.
func (r intervals) check(p *plot, w *data.Window) error {
	points := w.Points()
	n := len(p.initial) / points
	for i, at := range r {
		field, values, k := "initial", p.initial, i
		if i >= n {
			field, values, k = "constants", p.constants, i-n
		}
		if !at.Free {
			continue
		}
		for j, v := range values[k*points : (k+1)*points] {
			if f := float64(v); f < at.Least || f > at.Most {
				return invalid(field, "channel %s: expected values from %.4g to %.4g, got %v at point %d", at.Channel, at.Least, at.Most, v, j)
			}
		}
	}
	return nil
}

// plausible refuses a simulated frame that has blown up, before the next step takes
// forever.
func (r intervals) plausible(frame []float32, w *data.Window) error {
	points := w.Points()
	for i, v := range frame {
		at := r[i/points]
		bound := math.Inf(1) // channels that depend on others may grow quadratically
		if at.Free {
			bound = 50 * max(math.Abs(at.Low), math.Abs(at.High))
		}
		if f := math.Abs(float64(v)); !(f <= bound) || math.IsInf(f, 0) {
			return invalid("initial", "the solver lost the solution: channel %s is %v at point %d", at.Channel, v, i%points)
		}
	}
	return nil
}

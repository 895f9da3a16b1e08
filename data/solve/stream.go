package solve

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/gowalrus/gowalrus/data"
)

// StreamOptions determines the trajectories of a stream.
type StreamOptions struct {
	System *System
	// Name is the name of the data set. Empty means the name of the system.
	Name string
	// Case holds the choices that all trajectories share. Grid and boundaries default to
	// the system's, since a data set has one grid. Start, interval and parameters, if left
	// out, are drawn for each trajectory from the system's [Variety].
	Case Case
	// Frames is the number of frames per trajectory. 0 means 24.
	Frames int
	// Trajectories is the number of trajectories. 0 means 65536.
	Trajectories int
	// Windows is the number of windows that a data.Mixture draws from each trajectory. 0
	// means 4.
	Windows int
	// Seed determines all draws. Streams of different Splits, such as "train" and "valid",
	// have no trajectory in common.
	Seed  uint64
	Split string
}

// fill sets the defaults and checks the options.
func (o *StreamOptions) fill() error {
	if err := o.System.check(); err != nil {
		return fmt.Errorf("solve: stream: %w", err)
	}
	number := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	number(&o.Frames, 24)
	number(&o.Trajectories, 1<<16)
	number(&o.Windows, 4)
	if o.Name == "" {
		o.Name = o.System.Name
	}
	if o.Case.Grid == nil {
		o.Case.Grid = o.System.Grid
	}
	if o.Case.Boundaries == nil {
		o.Case.Boundaries = o.System.Boundaries
	}
	if o.Frames < 1 || o.Trajectories < 1 || o.Windows < 1 || max(o.Frames, o.Trajectories, o.Windows) > maxTrajectories {
		return fmt.Errorf("solve: stream %s: expected 1 to 2^24 frames, trajectories and windows, got %d, %d and %d", o.Name, o.Frames, o.Trajectories, o.Windows)
	}
	if !(o.Case.Interval >= 0) || math.IsInf(o.Case.Interval, 0) {
		return fmt.Errorf("solve: stream %s: interval: expected a positive one, or 0 to draw it, got %v", o.Name, o.Case.Interval)
	}
	// Check a drawn case with a copy of the system that starts no run.
	idle := *o.System
	idle.start = func(Setup) (Run, error) { return nil, nil }
	rng := rand.New(rand.NewPCG(0, 0))
	c, err := idle.Vary(rng, o.Case)
	if err == nil {
		_, err = idle.StartCase(c, rng)
	}
	if err != nil {
		return fmt.Errorf("solve: stream %s: %w", o.Name, err)
	}
	return nil
}

// Stream is a data set whose trajectories are simulated when they are needed. Trajectory i
// depends only on the options of the stream and on i, not on the order of reading or the
// number of workers. A Stream is safe for concurrent use.
type Stream struct {
	o    StreamOptions
	pool *Pool
	meta data.Metadata
	list []data.Trajectory
	// empty is a window without arrays, name the prefix of the trajectories' random
	// streams.
	empty data.Window
	name  string
	bytes int64 // bytes per trajectory
	// done is the last trajectory of which all windows were read. The pool's mutex guards
	// it.
	done int
}

// NewStream returns a stream whose trajectories the workers of a pool simulate. It starts
// no simulation.
func NewStream(p *Pool, o StreamOptions) (*Stream, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("solve: stream %s: expected a pool, got nil", o.Name)
	}
	s := &Stream{o: o, pool: p, list: numbered(o.Trajectories, o.Frames)}
	s.empty = data.Window{Fields: o.System.Fields, Grid: o.Case.Grid, Boundaries: o.Case.Boundaries}
	s.meta = data.Metadata{Name: o.Name, GridType: data.CartesianGrid, Axes: s.empty.AxisNames(), Grid: o.Case.Grid,
		Fields: o.System.Fields, ConstantScalars: o.System.parameterNames()}
	s.name = s.fingerprint()
	values := len(s.empty.Channels(false))*o.Frames + len(s.empty.Channels(true))
	s.bytes = 4 * int64(values) * int64(s.empty.Points())
	return s, nil
}

// Metadata returns the description of the data set.
func (s *Stream) Metadata() data.Metadata { return s.meta }

// Trajectories returns the trajectories, simulated or not.
func (s *Stream) Trajectories() []data.Trajectory { return s.list }

// Serving returns how a data.Mixture uses the trajectories.
func (s *Stream) Serving() data.Serving {
	return data.Serving{Windows: s.o.Windows, Ahead: s.pool.o.Ahead}
}

// Prefetch queues the simulation of a trajectory, which starts when a worker and memory are
// free.
func (s *Stream) Prefetch(trajectory int) {
	if trajectory >= 0 && trajectory < len(s.list) {
		s.pool.prefetch(key{s, trajectory})
	}
}

// Read returns copies of the frames of a span. It waits until the trajectory is simulated,
// the context ends or the pool is closed.
func (s *Stream) Read(ctx context.Context, span data.Span, into *data.Window) (*data.Window, error) {
	if span.Trajectory < 0 || span.Trajectory >= len(s.list) {
		return nil, fmt.Errorf("solve: stream %s: expected a trajectory below %d, got %d", s.o.Name, len(s.list), span.Trajectory)
	}
	if span.Start < 0 || span.Stride < 1 || span.Frames < 1 || span.Start >= s.o.Frames || span.Frames-1 > (s.o.Frames-1-span.Start)/span.Stride {
		return nil, fmt.Errorf("solve: stream %s: trajectory %d has %d frames: cannot take %d from frame %d with stride %d",
			s.o.Name, span.Trajectory, s.o.Frames, span.Frames, span.Start, span.Stride)
	}
	r, err := s.pool.read(ctx, key{s, span.Trajectory})
	if err != nil {
		return nil, fmt.Errorf("solve: stream %s: trajectory %d (seed %d): %w", s.o.Name, span.Trajectory, s.o.Seed, err)
	}
	if into == nil {
		into = new(data.Window)
	}
	s.fill(into, r, span)
	return into, nil
}

// fill copies a span of a trajectory to a window and reuses the window's arrays.
func (s *Stream) fill(into *data.Window, r *recording, span data.Span) {
	frames, constants, times := into.Frames, into.Constants, into.Times
	*into = s.empty
	box := *s.o.System
	if r.Length != nil {
		box.Length = r.Length
	}
	into.Coordinates = box.Coordinates(s.empty.Grid)
	into.Boundaries = slices.Clone(s.empty.Boundaries)
	into.Origin = data.Origin{Dataset: s.o.Name, File: simulated, Trajectory: span.Trajectory, Start: span.Start, Stride: span.Stride}
	into.Name = into.Origin.String()
	into.Constants = append(constants[:0], r.constants...)
	into.Times = times[:0]
	for k := range span.Frames {
		at := span.Start + k*span.Stride
		var old []float32
		if k < len(frames) {
			old = frames[k]
		}
		into.Frames = append(into.Frames, append(old[:0], r.frames[at]...))
		into.Times = append(into.Times, float32(float64(at)*r.Interval))
	}
	for _, name := range s.meta.ConstantScalars {
		into.Scalars = append(into.Scalars, data.Scalar{Name: name, Constant: true, Values: []float32{float32(r.Values[name])}})
	}
}

// simulated is the file name of all trajectories.
const simulated = "simulated"

// lists holds the lists of trajectories by length. Streams share them: a list of 65536
// trajectories takes 2.6 MB.
var lists struct {
	sync.Mutex
	of map[int][]data.Trajectory
}

// numbered returns n trajectories with the given number of frames.
func numbered(n, steps int) []data.Trajectory {
	lists.Lock()
	defer lists.Unlock()
	list := lists.of[steps]
	if len(list) < n {
		list = make([]data.Trajectory, n)
		for i := range list {
			list[i] = data.Trajectory{File: simulated, Index: i, Steps: steps}
		}
		if lists.of == nil {
			lists.of = map[int][]data.Trajectory{}
		}
		lists.of[steps] = list
	}
	return list[:n:n]
}

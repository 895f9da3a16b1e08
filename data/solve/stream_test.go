package solve

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// fakeRun is a simulation without cost: its values are a random number and the time.
type fakeRun struct {
	drawn, time float64
	fail        func(time float64) error
}

func (r *fakeRun) Advance(time float64) error { r.time += time; return r.fail(r.time) }
func (r *fakeRun) Constants(dst []float32)    { dst[0] = float32(r.drawn) }
func (r *fakeRun) Frame(dst []float32) {
	for i := range dst {
		dst[i] = float32(r.drawn + r.time + float64(i))
	}
}

// fakeSystem returns a system of fakeRuns. started counts the runs; fail may be nil.
func fakeSystem(started *atomic.Int64, fail func(run int64, time float64) error) *System {
	s := &System{Name: "fake", Fields: []data.Field{{Name: "density"}, {Name: "mask", Constant: true}},
		Boundaries: all(2, data.Periodic), Grid: []int{8, 8}, Length: []float64{1, 2}, Frames: 5, Interval: 1,
		Parameters: []Parameter{{"rate", "", 1, 2, false}},
		Variety:    Variety{Interval: [2]float64{0.5, 8}, Starts: []string{"one", "two"}}}
	s.start = func(u Setup) (Run, error) {
		n := started.Add(1)
		return &fakeRun{drawn: u.Rng.Float64(), fail: func(time float64) error {
			if fail == nil {
				return nil
			}
			return fail(n, time)
		}}, nil
	}
	return s
}

// newTestStream returns a pool and a stream of it.
func newTestStream(t testing.TB, p PoolOptions, o StreamOptions) (*Pool, *Stream) {
	pool, err := NewPool(p)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s, err := NewStream(pool, o)
	require.NoError(t, err)
	return pool, s
}

func readWhole(t testing.TB, s *Stream, trajectory int) *data.Window {
	w, err := s.Read(t.Context(), data.Span{Trajectory: trajectory, Stride: 1, Frames: s.o.Frames}, nil)
	require.NoError(t, err)
	require.NoError(t, w.Validate())
	return w
}

// TestStreamDeterminism: a trajectory depends on its number, the seed, the split and the
// fixed case, but not on workers, order, prefetching or memory.
func TestStreamDeterminism(t *testing.T) {
	system, err := Lookup("diffusion")
	require.NoError(t, err)
	o := StreamOptions{System: system, Case: Case{Grid: []int{8, 12}}, Frames: 4, Seed: 3, Split: "train"}
	_, one := newTestStream(t, PoolOptions{Workers: 1}, o)
	_, many := newTestStream(t, PoolOptions{Workers: 4, Memory: 1}, o)
	want := make([]*data.Window, 6)
	for i := range want {
		want[i] = readWhole(t, one, i)
		for k := range i {
			require.NotEqual(t, want[k].Frames, want[i].Frames)
		}
	}
	many.Prefetch(2)
	var readers sync.WaitGroup
	for i := len(want) - 1; i >= 0; i-- {
		readers.Go(func() { assert.Equal(t, want[i], readWhole(t, many, i)) })
	}
	readers.Wait()
	require.Equal(t, want[1], readWhole(t, many, 1), "again, after it left the memory")
	for name, change := range map[string]func(o *StreamOptions){
		"seed":  func(o *StreamOptions) { o.Seed++ },
		"split": func(o *StreamOptions) { o.Split = "valid" },
		"grid":  func(o *StreamOptions) { o.Case.Grid = []int{12, 8} },
		"fixed": func(o *StreamOptions) { o.Case.Values = map[string]float64{"diffusivity": 0.011} },
	} {
		changed := o
		change(&changed)
		_, s := newTestStream(t, PoolOptions{Workers: 1}, changed)
		require.NotEqual(t, want[0].Frames, readWhole(t, s, 0).Frames, name)
	}
	longer := o
	longer.Frames = 6
	_, s := newTestStream(t, PoolOptions{Workers: 1}, longer)
	require.Equal(t, want[0].Frames, readWhole(t, s, 0).Frames[:4], "more frames go on")
}

// TestStreamWindow: a window holds the span's frames, times, constants and parameters, also
// if its arrays are reused.
func TestStreamWindow(t *testing.T) {
	var started atomic.Int64
	_, s := newTestStream(t, PoolOptions{}, StreamOptions{System: fakeSystem(&started, nil), Name: "mine", Frames: 9, Trajectories: 3})
	require.Equal(t, "mine", s.Metadata().Name)
	require.Equal(t, []data.Trajectory{{File: simulated, Index: 0, Steps: 9}, {File: simulated, Index: 1, Steps: 9}, {File: simulated, Index: 2, Steps: 9}}, s.Trajectories())
	whole := readWhole(t, s, 1)
	into := readWhole(t, s, 2)
	w, err := s.Read(t.Context(), data.Span{Trajectory: 1, Start: 2, Stride: 3, Frames: 3}, into)
	require.NoError(t, err)
	require.Same(t, into, w)
	require.NoError(t, w.Validate())
	require.Equal(t, [][]float32{whole.Frames[2], whole.Frames[5], whole.Frames[8]}, w.Frames)
	require.Equal(t, []float32{whole.Times[2], whole.Times[5], whole.Times[8]}, w.Times)
	require.Equal(t, whole.Constants, w.Constants)
	require.Equal(t, whole.Scalars, w.Scalars)
	require.InDelta(t, whole.Times[1], whole.Frames[1][0]-whole.Frames[0][0], 1e-5, "an interval apart")
	require.Equal(t, "mine trajectory 1 frame 2 stride 3 (simulated)", w.Name)
	w.Frames[0][0] = 77
	require.NotEqual(t, float32(77), readWhole(t, s, 1).Frames[2][0], "copies")
	for want, span := range map[string]data.Span{
		"expected a trajectory below 3, got 3":                    {Trajectory: 3, Stride: 1, Frames: 1},
		"cannot take 4 from frame 2 with stride 3":                {Trajectory: 1, Start: 2, Stride: 3, Frames: 4},
		"has 9 frames: cannot take 0 from frame 0 with stride 1":  {Stride: 1},
		"has 9 frames: cannot take 1 from frame -1 with stride 1": {Start: -1, Stride: 1, Frames: 1},
	} {
		_, err := s.Read(t.Context(), span, nil)
		require.ErrorContains(t, err, "stream mine: ")
		require.ErrorContains(t, err, want)
	}
}

// TestStreamLost: a simulation that ends with an error or a value that is not finite is
// repeated with other draws; the resulting trajectory is the same each time.
func TestStreamLost(t *testing.T) {
	lostTwice := func(run int64, time float64) error {
		if run <= 2 && time > 3 {
			return errors.New("too steep")
		}
		return nil
	}
	var started, again, never atomic.Int64
	o := StreamOptions{System: fakeSystem(&started, lostTwice), Frames: 20}
	pool, s := newTestStream(t, PoolOptions{Workers: 1}, o)
	w := readWhole(t, s, 5)
	require.Equal(t, PoolStats{Simulated: 1, Lost: 2}, withoutTime(pool))
	o.System = fakeSystem(&again, lostTwice)
	_, s = newTestStream(t, PoolOptions{Workers: 1}, o)
	require.Equal(t, w, readWhole(t, s, 5))
	o.System = fakeSystem(&never, nil)
	_, s = newTestStream(t, PoolOptions{Workers: 1}, o)
	require.NotEqual(t, w.Frames, readWhole(t, s, 5).Frames)

	o.System = fakeSystem(&never, func(int64, float64) error { return errors.New("too steep") })
	pool, s = newTestStream(t, PoolOptions{Workers: 1}, o)
	_, err := s.Read(t.Context(), data.Span{Trajectory: 4, Stride: 1, Frames: 1}, nil)
	require.EqualError(t, err, "solve: stream fake: trajectory 4 (seed 0): expected one of 16 simulations to reach 20 frames, all were lost, the last by: too steep")
	require.Equal(t, PoolStats{Lost: Attempts}, withoutTime(pool))

	infinite := fakeSystem(&never, nil)
	infinite.start = func(Setup) (Run, error) {
		return &fakeRun{drawn: math.MaxFloat64, fail: func(float64) error { return nil }}, nil
	}
	_, s = newTestStream(t, PoolOptions{Workers: 1}, StreamOptions{System: infinite})
	_, err = s.Read(t.Context(), data.Span{Stride: 1, Frames: 1}, nil)
	require.ErrorContains(t, err, "frame 0 of 24: value 0 is +Inf in float32")
}

func withoutTime(p *Pool) PoolStats {
	s := p.Stats()
	s.Waited = 0
	return s
}

// TestStreamCancel: a waiting reader returns when its context ends or the pool is closed;
// the simulation continues for other readers.
func TestStreamCancel(t *testing.T) {
	var started atomic.Int64
	hold := make(chan struct{})
	pool, s := newTestStream(t, PoolOptions{Workers: 1}, StreamOptions{System: fakeSystem(&started, func(int64, float64) error { <-hold; return nil })})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := s.Read(ctx, data.Span{Stride: 1, Frames: 1}, nil)
		ended <- err
	}()
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	go func() {
		_, err := s.Read(context.Background(), data.Span{Trajectory: 1, Stride: 1, Frames: 1}, nil)
		ended <- err
	}()
	closed := make(chan struct{})
	go func() { pool.Close(); close(closed) }()
	require.ErrorIs(t, <-ended, errClosed)
	close(hold)
	<-closed
	s.Prefetch(3) // has no effect
	_, err := s.Read(context.Background(), data.Span{Trajectory: 2, Stride: 1, Frames: 1}, nil)
	require.ErrorIs(t, err, errClosed)
}

func TestStreamErrors(t *testing.T) {
	var started atomic.Int64
	pool, err := NewPool(PoolOptions{})
	require.NoError(t, err)
	defer pool.Close()
	for want, change := range map[string]func(o *StreamOptions){
		"expected a system, got none":             func(o *StreamOptions) { o.System = nil },
		"stream fake: expected 1 to 2^24 frames":  func(o *StreamOptions) { o.Frames = -1 },
		"expected a grid of 2 axes, got [8]":      func(o *StreamOptions) { o.Case.Grid = []int{8} },
		"expected an even number of at least 8":   func(o *StreamOptions) { o.Case.Grid = []int{8, 7} },
		"expected some that its solver knows":     func(o *StreamOptions) { o.Case.Boundaries = all(2, data.Wall) },
		`start: expected one of ["one" "two"]`:    func(o *StreamOptions) { o.Case.Start = "three" },
		`unknown parameter "speed"`:               func(o *StreamOptions) { o.Case.Values = map[string]float64{"speed": 1} },
		"interval: expected a positive one, or 0": func(o *StreamOptions) { o.Case.Interval = -1 },
	} {
		o := StreamOptions{System: fakeSystem(&started, nil)}
		change(&o)
		_, err := NewStream(pool, o)
		require.ErrorContains(t, err, want)
	}
	_, err = NewPool(PoolOptions{Workers: -1})
	require.ErrorContains(t, err, "expected no negative number of workers")
	require.Zero(t, started.Load(), "nothing is simulated to check options")
}

// TestStreamVaries: start, interval and parameters differ between trajectories unless they
// are fixed.
func TestStreamVaries(t *testing.T) {
	var started atomic.Int64
	_, s := newTestStream(t, PoolOptions{}, StreamOptions{System: fakeSystem(&started, nil), Frames: 2})
	_, fixed := newTestStream(t, PoolOptions{}, StreamOptions{System: fakeSystem(&started, nil), Frames: 2, Case: Case{Interval: 0.25, Values: map[string]float64{"rate": 9}}})
	low, high, rates := math.Inf(1), 0.0, map[float32]bool{}
	for i := range 100 {
		w := readWhole(t, s, i)
		interval := float64(w.Times[1])
		low, high = min(low, interval), max(high, interval)
		rates[w.Scalars[0].Values[0]] = true
		w = readWhole(t, fixed, i)
		require.Equal(t, []any{float32(0.25), float32(9)}, []any{w.Times[1], w.Scalars[0].Values[0]})
	}
	require.Greater(t, high/low, 8.0)
	require.GreaterOrEqual(t, low, 0.5)
	require.LessOrEqual(t, high, 8.0)
	require.Len(t, rates, 100)
}

// TestStreamMixture: each trajectory that a mixture draws is simulated once, ahead of the
// reader, also with several loaders.
func TestStreamMixture(t *testing.T) {
	var started atomic.Int64
	pool, s := newTestStream(t, PoolOptions{Workers: 2, Ahead: 3}, StreamOptions{System: fakeSystem(&started, nil), Windows: 3, Frames: 12})
	windows, err := data.NewWindows(s, data.Cut{Input: 3, Output: 1, MinStride: 1, MaxStride: 3})
	require.NoError(t, err)
	m, err := data.NewMixture([]data.System{{Name: "fake", Windows: windows, Batch: 2}}, data.MixtureOptions{Length: 60})
	require.NoError(t, err)
	var draw data.Draw
	loader := data.NewLoader(t.Context(), func() (data.Request, bool) {
		if len(draw.Spans) == 0 {
			var ok bool
			if draw, ok = m.Next(); !ok {
				return data.Request{}, false
			}
		}
		span := draw.Spans[0]
		draw.Spans = draw.Spans[1:]
		return data.Request{Dataset: s, Span: span}, true
	}, data.LoaderOptions{Workers: 3})
	defer loader.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 120 {
		w, _, err := loader.Next()
		require.NoError(t, err)
		require.NoError(t, w.Validate())
		if rng.IntN(2) == 0 {
			loader.Release(w)
		}
	}
	require.GreaterOrEqual(t, started.Load(), int64(40))
	require.LessOrEqual(t, started.Load(), int64(42), "40 trajectories of 3 windows, and 2 announced of the next epoch")
	require.Zero(t, pool.Stats().Again)
}

package data

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slow is a data set that reads early windows more slowly than late ones and fails on one
// frame.
type slow struct {
	*Memory
	fail    int
	running atomic.Int32
	most    atomic.Int32
}

func (s *slow) Read(ctx context.Context, span Span, into *Window) (*Window, error) {
	if n := s.running.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	defer s.running.Add(-1)
	time.Sleep(time.Duration(5-span.Start%5) * time.Millisecond)
	if span.Start == s.fail {
		return nil, errors.New("frame is damaged")
	}
	return s.Memory.Read(ctx, span, into)
}

// starts requests windows of two frames that start at 0, 1, 2, ….
func starts(ds Dataset, n int) func() (Request, bool) {
	i := -1
	return func() (Request, bool) {
		i++
		return Request{ds, Span{0, i, 1, 2}}, i < n
	}
}

// TestLoaderOrder: windows arrive in the order of the requests with the right values, and a
// window that fails does not affect the others.
func TestLoaderOrder(t *testing.T) {
	ds := &slow{Memory: count(t, 60), fail: 17}
	l := NewLoader(context.Background(), starts(ds, 50), LoaderOptions{Workers: 4, Ahead: 6})
	defer l.Close()
	for i := range 50 {
		w, r, err := l.Next()
		assert.Equal(t, i, r.Span.Start)
		if i == 17 {
			assert.EqualError(t, err, "frame is damaged")
			continue
		}
		require.NoError(t, err)
		require.NoError(t, w.Validate())
		assert.Equal(t, float32(i+1), w.Frames[1][0])
		l.Release(w)
		l.Release(w) // the second call does nothing
	}
	_, _, err := l.Next()
	assert.ErrorIs(t, err, io.EOF)
	assert.Greater(t, ds.most.Load(), int32(1), "windows are read at the same time")
	assert.LessOrEqual(t, ds.most.Load(), int32(4))
}

// TestLoaderBudget: the loader never allocates more windows than Bytes allows, whatever
// Ahead is.
func TestLoaderBudget(t *testing.T) {
	ds := &slow{Memory: count(t, 200), fail: -1}
	one := int64(4 * 6 * (2 + 1))
	l := NewLoader(context.Background(), starts(ds, 150), LoaderOptions{Workers: 4, Ahead: 50, Bytes: 3 * one})
	defer l.Close()
	seen := map[*Window]bool{}
	for range 150 {
		w, _, err := l.Next()
		require.NoError(t, err)
		seen[w] = true
		l.Release(w)
	}
	assert.LessOrEqual(t, len(seen), 3)
}

// TestLoaderStarved: Next returns an error if the caller releases nothing.
func TestLoaderStarved(t *testing.T) {
	ds := &slow{Memory: count(t, 60), fail: -1}
	l := NewLoader(context.Background(), starts(ds, 50), LoaderOptions{Bytes: 2 * 4 * 6 * 3})
	defer l.Close()
	var kept []*Window
	for range 2 {
		w, _, err := l.Next()
		require.NoError(t, err)
		kept = append(kept, w)
	}
	_, _, err := l.Next()
	require.EqualError(t, err, "data: loader: the caller holds all 2 windows that the budget of 144 bytes allows: call Release")
	l.Release(kept[0])
	_, r, err := l.Next()
	require.NoError(t, err)
	assert.Equal(t, 2, r.Span.Start)
	assert.Equal(t, float32(2), kept[1].Frames[1][0], "a window that is held does not change")
}

// TestLoaderStops: no goroutine waits after Close or after the context ends.
func TestLoaderStops(t *testing.T) {
	ds := &slow{Memory: count(t, 60), fail: -1}
	l := NewLoader(context.Background(), starts(ds, 50), LoaderOptions{Workers: 2, Ahead: 3})
	_, _, err := l.Next()
	require.NoError(t, err)
	l.Close()
	_, _, err = l.Next()
	for err == nil { // windows read before
		_, _, err = l.Next()
	}
	assert.ErrorIs(t, err, context.Canceled)

	ctx, cancel := context.WithCancel(context.Background())
	l = NewLoader(ctx, starts(ds, 50), LoaderOptions{Bytes: 1})
	defer l.Close()
	time.AfterFunc(10*time.Millisecond, cancel)
	for err = nil; err == nil; {
		var w *Window
		if w, _, err = l.Next(); err == nil {
			l.Release(w)
		}
	}
	assert.ErrorIs(t, err, context.Canceled)
}

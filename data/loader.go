package data

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// Request asks a Loader for one window.
type Request struct {
	Dataset Dataset
	Span    Span
}

// LoaderOptions bounds the windows that a Loader reads ahead.
type LoaderOptions struct {
	// Workers is the number of windows read at the same time. 0 means the number of
	// processors. Numbers above 4096 mean 4096, here and below.
	Workers int
	// Ahead is the number of windows read before they are requested. 0 means twice Workers.
	Ahead int
	// Bytes bounds the memory of all windows of the loader, including those that the caller
	// holds. 0 means 1 GiB. One window is always allowed.
	Bytes int64
}

// maxAhead bounds Workers and Ahead.
const maxAhead = 1 << 12

// Loader reads windows ahead of their use, several at a time, and returns them in the order
// of the requests. It reuses the arrays of released windows.
type Loader struct {
	cancel context.CancelFunc
	ctx    context.Context
	o      LoaderOptions
	queue  chan *loading // in the order of the requests
	jobs   chan *loading
	done   sync.WaitGroup

	mu    sync.Mutex
	room  *sync.Cond
	free  []*Window
	bytes int64             // of all windows allocated
	size  map[*Window]int64 // bytes counted for each window
	held  map[*Window]bool  // windows that the caller holds
	// waiting is set while ask waits for memory; stuck wakes a caller of Next that waits,
	// too.
	waiting bool
	stuck   chan struct{}
}

// loading is a window that is being read.
type loading struct {
	request Request
	into    *Window
	ready   chan struct{}
	window  *Window
	err     error
}

// NewLoader starts a loader that reads the windows that next requests. It stops when next
// returns false, the context ends or the loader is closed. Only one goroutine of the loader
// calls next. A nil next requests nothing.
func NewLoader(ctx context.Context, next func() (Request, bool), o LoaderOptions) *Loader {
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Workers = min(o.Workers, maxAhead)
	if o.Ahead < 1 {
		o.Ahead = 2 * o.Workers
	}
	o.Ahead = min(o.Ahead, maxAhead)
	if o.Bytes < 1 {
		o.Bytes = 1 << 30
	}
	l := &Loader{o: o, queue: make(chan *loading, o.Ahead), jobs: make(chan *loading), size: map[*Window]int64{}, held: map[*Window]bool{}, stuck: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.room = sync.NewCond(&l.mu)
	context.AfterFunc(l.ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.room.Broadcast()
	})
	if next == nil {
		next = func() (Request, bool) { return Request{}, false }
	}
	l.done.Go(func() { l.ask(next) })
	for range o.Workers {
		l.done.Go(l.work)
	}
	return l
}

// ask passes the requests to the workers and to the queue of Next.
func (l *Loader) ask(next func() (Request, bool)) {
	defer close(l.queue)
	defer close(l.jobs)
	for {
		r, ok := next()
		if !ok {
			return
		}
		j := &loading{request: r, ready: make(chan struct{})}
		if j.into = l.window(r); j.into == nil {
			return
		}
		select {
		case l.queue <- j:
		case <-l.ctx.Done():
			return
		}
		select {
		case l.jobs <- j:
		case <-l.ctx.Done():
			j.err = l.ctx.Err()
			close(j.ready)
			return
		}
	}
}

func (l *Loader) work() {
	for j := range l.jobs {
		if j.request.Dataset == nil {
			j.err = errNoDataset
			close(j.ready)
			continue
		}
		// A data set may return a window other than j.into.
		j.window, j.err = j.request.Dataset.Read(l.ctx, j.request.Span, j.into)
		if j.err == nil && j.window != j.into {
			*j.into = *j.window
			j.window = j.into
		}
		close(j.ready)
	}
}

// window returns a window to read into. It waits until the budget has room and returns nil
// if the loader stops.
func (l *Loader) window(r Request) *Window {
	need := windowBytes(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.ctx.Err() != nil {
			return nil
		}
		// Count a free window again, as it may grow.
		if n := len(l.free); n > 0 {
			w := l.free[n-1]
			if more := need - l.size[w]; more <= 0 || l.bytes+more <= l.o.Bytes || len(l.size) == 1 {
				l.free = l.free[:n-1]
				l.bytes += max(more, 0)
				l.size[w] += max(more, 0)
				return w
			}
			l.drop(w, n)
			continue
		}
		if l.bytes+need <= l.o.Bytes || len(l.size) == 0 {
			w := new(Window)
			l.size[w] = need
			l.bytes += need
			return w
		}
		l.waiting = true
		select {
		case l.stuck <- struct{}{}:
		default:
		}
		l.room.Wait()
		l.waiting = false
	}
}

// drop discards the last free window.
func (l *Loader) drop(w *Window, n int) {
	l.free = l.free[:n-1]
	l.bytes -= l.size[w]
	delete(l.size, w)
}

// windowBytes returns the size of the arrays of a window in bytes.
func windowBytes(r Request) int64 {
	if r.Dataset == nil {
		return 0
	}
	m := r.Dataset.Metadata()
	points := int64(1)
	for _, n := range m.Grid {
		points *= int64(n)
	}
	bytes := int64(0)
	for _, f := range m.Fields {
		n := 4 * points * int64(f.ComponentCount(len(m.Grid)))
		if !f.Constant {
			n *= int64(r.Span.Frames)
		}
		bytes += n
	}
	return bytes
}

// Next returns the next window and its request. After the last window the error is io.EOF.
// If a window could not be read, the error names the data set and the frame, and the
// following windows can still be read. If the caller holds all windows that the budget
// allows, Next returns an error instead of waiting forever; call Release to return windows
// to the loader.
func (l *Loader) Next() (*Window, Request, error) {
	for {
		if l.starved() {
			return nil, Request{}, fmt.Errorf("data: loader: the caller holds all %d windows that the budget of %d bytes allows: call Release", l.heldCount(), l.o.Bytes)
		}
		select {
		case j, ok := <-l.queue:
			if ok {
				return l.deliver(j)
			}
			if err := l.ctx.Err(); err != nil {
				return nil, Request{}, fmt.Errorf("data: loader: %w", err)
			}
			return nil, Request{}, io.EOF
		case <-l.stuck:
		case <-l.ctx.Done():
			return nil, Request{}, fmt.Errorf("data: loader: %w", l.ctx.Err())
		}
	}
}

// deliver waits for a window and returns it to the caller of Next.
func (l *Loader) deliver(j *loading) (*Window, Request, error) {
	<-j.ready
	l.mu.Lock()
	l.held[j.into] = true
	l.mu.Unlock()
	if j.err != nil {
		l.Release(j.into)
		return nil, j.request, j.err
	}
	return j.window, j.request, nil
}

// starved reports whether no window can be read until the caller releases one.
func (l *Loader) starved() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting && len(l.queue) == 0 && len(l.held) == len(l.size)
}

func (l *Loader) heldCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held)
}

// Release returns a window to the loader, which overwrites its arrays. It does nothing if
// the caller does not hold the window.
func (l *Loader) Release(w *Window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held[w] {
		return
	}
	delete(l.held, w)
	l.free = append(l.free, w)
	l.room.Signal()
}

// Close stops the loader and waits for its reads to end. Windows that the caller holds stay
// valid.
func (l *Loader) Close() {
	l.cancel()
	l.done.Wait()
}

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

// LoaderOptions say how much a Loader does ahead of its user.
type LoaderOptions struct {
	// Workers is the number of windows read at the same time; 0 stands for the
	// number of processors.
	Workers int
	// Ahead is the number of windows read before they are asked for; 0 stands for
	// twice the workers.
	Ahead int
	// Bytes bounds the memory of all windows a loader has made, those in the hands
	// of the user included; 0 stands for 1 GiB. One window is always allowed.
	Bytes int64
}

// Loader reads windows in the order they are asked for, several at a time and
// some in advance. Windows that are given back are used again.
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
	bytes int64             // of all windows made
	size  map[*Window]int64 // what each counts for
	held  map[*Window]bool  // in the hands of the user
	// waiting says that ask waits for room; stuck tells a user who waits, too.
	waiting bool
	stuck   chan struct{}
}

// loading is a window on its way.
type loading struct {
	request Request
	into    *Window
	ready   chan struct{}
	window  *Window
	err     error
}

// NewLoader starts reading the windows that next asks for, until it returns
// false, the context ends or the loader is closed. next is called by one
// goroutine of the loader.
func NewLoader(ctx context.Context, next func() (Request, bool), o LoaderOptions) *Loader {
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Ahead < 1 {
		o.Ahead = 2 * o.Workers
	}
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
	l.done.Go(func() { l.ask(next) })
	for range o.Workers {
		l.done.Go(l.work)
	}
	return l
}

// ask hands requests to the workers and to the queue of the user.
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
		// A data set that returns another window than it was given is free to.
		j.window, j.err = j.request.Dataset.Read(l.ctx, j.request.Span, j.into)
		if j.err == nil && j.window != j.into {
			*j.into = *j.window
			j.window = j.into
		}
		close(j.ready)
	}
}

// window returns a window to read into, waiting for room in the budget. It
// returns nil when the loader ends.
func (l *Loader) window(r Request) *Window {
	need := windowBytes(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.ctx.Err() != nil {
			return nil
		}
		// A free window is counted anew, as it may grow.
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

// drop forgets the last free window.
func (l *Loader) drop(w *Window, n int) {
	l.free = l.free[:n-1]
	l.bytes -= l.size[w]
	delete(l.size, w)
}

// windowBytes is the memory of the arrays of a window.
func windowBytes(r Request) int64 {
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

// Next returns the next window and what was asked for. After the last one the
// error is io.EOF. Of a window that could not be read the error names the place;
// the following ones may still be read. It is an error, and not a wait without
// end, to ask for more while all windows that the budget allows are in the hands
// of the user: give them back with Release.
func (l *Loader) Next() (*Window, Request, error) {
	for {
		if l.starved() {
			return nil, Request{}, fmt.Errorf("data: loader: the %d windows not given back fill the budget of %d bytes", l.heldCount(), l.o.Bytes)
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

// deliver waits for a window and hands it to the user.
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

// starved reports whether nothing can come before the user gives windows back.
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

// Release gives a window back, whose arrays will be used again. Windows that are
// not in the hands of the user are ignored.
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

// Close stops the loader and waits until nothing is read any more. Windows in
// the hands of the user stay valid.
func (l *Loader) Close() {
	l.cancel()
	l.done.Wait()
}

package serve

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"
)

// queue admits a bounded number of forecasts and schedules their turns on the workers.
// A turn goes to the client that has used the least time of the workers, among equals
// to the one that has waited longest (start-time fair queueing: Goyal, Vin and Cheng,
// IEEE/ACM Trans. Netw. 5, 1997, with measured costs).
type queue struct {
	capacity, share, workers int

	mu       sync.Mutex
	clients  map[string]*client
	waiting  []*waiter
	admitted int
	working  int
	closed   bool
	drained  chan struct{}
	// clock is the used time of the client that was served last. A returning client
	// starts with this value: idle time gives no credit, and leaving does not reset the
	// used time.
	clock float64
	// mean is the smoothed length of a turn in seconds.
	mean float64
}

// client is the used time and number of requests of one client.
type client struct {
	name     string
	requests int
	used     float64
}

// waiter is a forecast that waits for a worker.
type waiter struct {
	client  *client
	granted chan struct{}
}

// Reasons why a forecast is not admitted.
var (
	errFull   = errors.New("queue_full")
	errShare  = errors.New("share_used_up")
	errClosed = errors.New("draining")
)

func newQueue(o Options) *queue {
	return &queue{capacity: o.Queue, share: o.Share, workers: o.Workers, clients: map[string]*client{}, drained: make(chan struct{})}
}

// ticket entitles an admitted forecast to turns.
type ticket struct {
	q        *queue
	client   *client
	admitted bool
	once     sync.Once
}

// enter returns a ticket for a request whose body is still to be read. It counts in the
// client's share, but has no place in the queue. The ticket must be closed.
func (q *queue) enter(name string) (*ticket, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.clients[name]
	switch {
	case q.closed:
		return nil, errClosed
	case c != nil && c.requests >= q.share:
		return nil, errShare
	case c == nil:
		c = &client{name: name, used: q.clock}
		q.clients[name] = c
	}
	c.requests++
	return &ticket{q: q, client: c}, nil
}

// admit takes a place in the queue. It must be called once, before the first turn.
func (t *ticket) admit() error {
	q := t.q
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case q.admitted >= q.capacity:
		return errFull
	}
	q.admitted++
	t.admitted = true
	return nil
}

// close ends the ticket. It may be called more than once.
func (t *ticket) close() {
	t.once.Do(func() {
		q := t.q
		q.mu.Lock()
		defer q.mu.Unlock()
		if t.admitted {
			q.admitted--
		}
		if t.client.requests--; t.client.requests == 0 {
			delete(q.clients, t.client.name)
			q.clock = max(q.clock, t.client.used)
		}
		q.settle()
	})
}

// settle signals the end of draining when no ticket is left.
func (q *queue) settle() {
	if q.closed && q.admitted == 0 {
		select {
		case <-q.drained:
		default:
			close(q.drained)
		}
	}
}

// stop ends admission. The channel is closed when the last ticket is closed.
func (q *queue) stop() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.settle()
	return q.drained
}

// turn is the use of a worker for one step.
type turn struct {
	q     *queue
	c     *client
	begin time.Time
	once  sync.Once
}

// turn waits for a worker. The caller must end the turn.
func (t *ticket) turn(ctx context.Context) (*turn, error) {
	if runtime.GOOS == "js" { // a browser delivers messages, such as a cancellation, only to a program that waits
		time.Sleep(time.Millisecond)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	q, w := t.q, &waiter{client: t.client, granted: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	q.grant()
	q.mu.Unlock()
	select {
	case <-w.granted:
		return &turn{q: q, c: t.client, begin: time.Now()}, nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	} else { // granted at the same moment
		q.working--
		q.grant()
	}
	return nil, context.Cause(ctx)
}

// grant assigns free workers to waiting forecasts.
func (q *queue) grant() {
	for q.working < q.workers && len(q.waiting) > 0 {
		best := 0
		for i, w := range q.waiting {
			if w.client.used < q.waiting[best].client.used {
				best = i
			}
		}
		w := q.waiting[best]
		q.waiting = slices.Delete(q.waiting, best, best+1)
		q.clock = max(q.clock, w.client.used)
		q.working++
		close(w.granted)
	}
}

// end releases the worker and returns how long it was held. Further calls do nothing
// and return 0.
func (t *turn) end() (held time.Duration) {
	t.once.Do(func() {
		held = time.Since(t.begin)
		q := t.q
		q.mu.Lock()
		defer q.mu.Unlock()
		t.c.used += held.Seconds()
		q.mean += (held.Seconds() - q.mean) / 16
		q.working--
		q.grant()
	})
	return held
}

// retryAfter returns the seconds after which a refused client should try again: the
// time in which every admitted forecast gets one turn.
func (q *queue) retryAfter() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return min(max(int(math.Ceil(q.mean*float64(q.admitted)/float64(q.workers))), 1), 30)
}

// load is the current state of a queue.
type load struct{ admitted, waiting, working int }

func (q *queue) stats() load {
	q.mu.Lock()
	defer q.mu.Unlock()
	return load{q.admitted, len(q.waiting), q.working}
}

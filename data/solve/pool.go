package solve

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"
)

// PoolOptions bound what all streams of a pool take together.
type PoolOptions struct {
	// Workers is the number of simulations that run at the same time; 0 is the number of
	// processors.
	Workers int
	// Ahead is the number of micro-batches by which simulations run ahead of a
	// data.Mixture; 0 is 32.
	Ahead int
	// Memory bounds the bytes of the trajectories in memory; 0 is 1 GiB. Trajectories
	// that a reader waits for always find room.
	Memory int64
	// CacheDir, if set, is a folder that keeps simulated trajectories, for a run that is
	// repeated or resumed. CacheBytes bounds its size; 0 is 4 GiB. The oldest files are
	// removed first.
	CacheDir   string
	CacheBytes int64
	// Log receives warnings about lost simulations, slow simulations and unusable files.
	// Nil discards them.
	Log *slog.Logger
}

// Pool simulates the trajectories of streams with a bounded number of workers, and keeps
// them in memory and in a folder. It is safe for concurrent use.
type Pool struct {
	o      PoolOptions
	cache  *cache
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	work    *sync.Cond
	entries map[key]*entry
	// urgent are the trajectories that readers wait for, queue those announced; both are
	// in the order in which workers take them.
	urgent, queue []*entry
	bytes         int64 // of the trajectories in memory and those that are being simulated
	clock         int64 // counts reads
	evicted       map[key]bool
	stats         PoolStats
}

// PoolStats counts what a pool did.
type PoolStats struct {
	// Simulated counts simulated trajectories, Cached those read from the folder.
	Simulated, Cached int
	// Lost counts simulations that were lost and drawn again.
	Lost int
	// Again counts trajectories that had been in memory and had to leave it before all
	// their windows were read: more memory would save their simulation.
	Again int
	// Waited is how long readers waited, added up.
	Waited time.Duration
}

// key names a trajectory of a pool.
type key struct {
	stream     *Stream
	trajectory int
}

// entry is a trajectory of a pool: announced, being simulated or ready.
type entry struct {
	key
	ready  chan struct{} // closed when there is a recording or an error
	result *recording
	err    error
	// taken says that a worker has it; kept that it counts as one in memory.
	taken, kept bool
	reads       int
	used        int64 // the clock at the last read
}

// NewPool starts the workers. Close the pool when its streams are not read any more.
func NewPool(o PoolOptions) (*Pool, error) {
	if o.Workers < 0 || o.Ahead < 0 || o.Memory < 0 || o.CacheBytes < 0 {
		return nil, errors.New("solve: pool: expected no negative number of workers, micro-batches ahead and bytes")
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Ahead == 0 {
		o.Ahead = 32
	}
	if o.Memory == 0 {
		o.Memory = 1 << 30
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 4 << 30
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p := &Pool{o: o, entries: map[key]*entry{}, evicted: map[key]bool{}}
	if o.CacheDir != "" {
		var err error
		if p.cache, err = openCache(o.CacheDir, o.CacheBytes, o.Log); err != nil {
			return nil, err
		}
	}
	p.work = sync.NewCond(&p.mu)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for range o.Workers {
		p.done.Go(p.worker)
	}
	return p, nil
}

// Stats returns what the pool did so far.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Close stops the workers, each after the frame that it computes. Reads end with an error.
func (p *Pool) Close() {
	p.cancel()
	p.mu.Lock()
	p.work.Broadcast()
	p.mu.Unlock()
	p.done.Wait()
}

// errClosed is what readers of a closed pool get.
var errClosed = errors.New("the pool of its simulations is closed")

// prefetch queues a trajectory unless it is known.
func (p *Pool) prefetch(k key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries[k] != nil {
		return
	}
	p.queue = append(p.queue, p.enter(k))
	p.work.Signal()
}

// enter makes the entry of a trajectory.
func (p *Pool) enter(k key) *entry {
	if p.evicted[k] {
		delete(p.evicted, k)
		if p.stats.Again++; p.stats.Again == 1 {
			p.o.Log.Warn("the memory for simulations is too small: a trajectory that is still needed had left it", "stream", k.stream.o.Name, "bytes", p.o.Memory)
		}
	}
	e := &entry{key: k, ready: make(chan struct{})}
	p.entries[k] = e
	return e
}

// read waits for a trajectory.
func (p *Pool) read(ctx context.Context, k key) (*recording, error) {
	e := p.demand(k)
	begin := time.Now()
	select {
	case <-e.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.ctx.Done():
		return nil, errClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Waited += time.Since(begin)
	p.clock++
	e.reads, e.used = e.reads+1, p.clock
	if e.reads >= k.stream.o.Windows {
		k.stream.done = max(k.stream.done, k.trajectory)
	}
	p.work.Broadcast() // the trajectory may leave memory now
	return e.result, e.err
}

// demand returns the entry of a trajectory, which comes before all that are announced
// unless a worker has it.
func (p *Pool) demand(k key) *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[k]
	if e == nil {
		e = p.enter(k)
	} else if e.taken || !unqueue(&p.queue, e) {
		return e
	}
	p.urgent = append(p.urgent, e)
	p.work.Signal()
	return e
}

// worker simulates until the pool is closed.
func (p *Pool) worker() {
	for e := p.take(); e != nil; e = p.take() {
		r, cached, err := p.produce(e.key)
		p.mu.Lock()
		e.result, e.err = r, err
		switch {
		case err != nil:
			p.drop(e)
		case cached:
			p.stats.Cached++
		default:
			p.stats.Simulated++
		}
		close(e.ready)
		p.mu.Unlock()
	}
}

// take waits for the next trajectory to simulate; nil is the end.
func (p *Pool) take() *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.ctx.Err() == nil {
		var e *entry
		if len(p.urgent) > 0 {
			e = p.urgent[0]
			p.room(e.stream.bytes, true)
			p.urgent = p.urgent[1:]
		} else if len(p.queue) > 0 && p.room(p.queue[0].stream.bytes, false) {
			e = p.queue[0]
			p.queue = p.queue[1:]
		}
		if e != nil {
			e.taken, e.kept = true, true
			p.bytes += e.stream.bytes
			return e
		}
		p.work.Wait()
	}
	return nil
}

// produce reads a trajectory from the folder or simulates it.
func (p *Pool) produce(k key) (r *recording, cached bool, err error) {
	if p.cache != nil {
		if r = p.cache.load(k); r != nil {
			return r, true, nil
		}
	}
	if r, err = k.stream.simulate(p.ctx, k.trajectory); err != nil {
		return nil, false, err
	}
	if p.cache != nil {
		p.cache.store(k, r)
	}
	return r, false, nil
}

// lost counts a simulation that was lost. Every time that their number has doubled it is
// logged.
func (p *Pool) lost(s *Stream, trajectory, attempt int, err error) {
	p.mu.Lock()
	p.stats.Lost++
	n := p.stats.Lost
	p.mu.Unlock()
	if n&(n-1) == 0 {
		p.o.Log.Warn("simulations were lost and are drawn again", "lost", n, "last", s.o.Name, "trajectory", trajectory, "attempt", attempt+1, "error", err)
	}
}

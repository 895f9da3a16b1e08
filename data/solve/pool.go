package solve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"
)

// PoolOptions bounds the resources of all streams of a pool together.
type PoolOptions struct {
	// Workers is the number of simulations that run at the same time. 0 means the number of
	// processors.
	Workers int
	// Ahead is the number of micro-batches by which simulations run ahead of a
	// data.Mixture. 0 means 32.
	Ahead int
	// Memory bounds the bytes of trajectories in memory. 0 means 1 GiB. A trajectory for
	// which a reader waits is always admitted.
	Memory int64
	// CacheDir, if set, is a folder in which simulated trajectories are stored, for runs
	// that are repeated or resumed. CacheBytes bounds its size; 0 means 4 GiB. The oldest
	// files are removed first.
	CacheDir   string
	CacheBytes int64
	// Log receives warnings about lost simulations, slow simulations and unusable files.
	// nil discards them.
	Log *slog.Logger
}

// Pool simulates the trajectories of streams with a bounded number of workers and stores
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
	// urgent holds the trajectories for which readers wait, queue the announced
	// trajectories, both in the order in which workers simulate them.
	urgent, queue []*entry
	bytes         int64 // of trajectories in memory or being simulated
	clock         int64 // number of reads so far
	evicted       map[key]bool
	stats         PoolStats
}

// PoolStats counts the work of a pool.
type PoolStats struct {
	// Simulated counts simulated trajectories, Cached those read from CacheDir.
	Simulated, Cached int
	// Lost counts simulations that were lost and repeated with other draws.
	Lost int
	// Again counts trajectories that were evicted from memory before all their windows were
	// read, and requested again. More memory would avoid their second simulation.
	Again int
	// Waited is the total time that readers waited.
	Waited time.Duration
}

// key identifies a trajectory of a pool.
type key struct {
	stream     *Stream
	trajectory int
}

// entry is a trajectory of a pool: announced, being simulated, or ready.
type entry struct {
	key
	ready  chan struct{} // closed when the recording or an error is set
	result *recording
	err    error
	// taken is true once a worker has started to simulate the entry, kept while its bytes
	// count as memory.
	taken, kept bool
	reads       int
	used        int64 // value of clock at the last read
}

// maxWorkers bounds the workers of a pool.
const maxWorkers = 1 << 12

// NewPool starts the workers of a pool. Close the pool when its streams are no longer read.
func NewPool(o PoolOptions) (*Pool, error) {
	if o.Workers < 0 || o.Ahead < 0 || o.Memory < 0 || o.CacheBytes < 0 {
		return nil, errors.New("solve: pool: expected no negative number of workers, micro-batches ahead and bytes")
	}
	if o.Workers > maxWorkers || o.Ahead > maxFrames {
		return nil, fmt.Errorf("solve: pool: expected at most %d workers and %d micro-batches ahead, got %d and %d", maxWorkers, maxFrames, o.Workers, o.Ahead)
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

// Stats returns the counts so far.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Close stops the workers, each after its current frame. Pending and later reads return an
// error.
func (p *Pool) Close() {
	p.cancel()
	p.mu.Lock()
	p.work.Broadcast()
	p.mu.Unlock()
	p.done.Wait()
}

// errClosed is returned to readers of a closed pool.
var errClosed = errors.New("the pool of its simulations is closed")

// prefetch queues a trajectory unless the pool has it already.
func (p *Pool) prefetch(k key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries[k] != nil {
		return
	}
	p.queue = append(p.queue, p.enter(k))
	p.work.Signal()
}

// enter creates the entry of a trajectory.
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

// read waits for a trajectory and returns it.
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
	p.work.Broadcast() // the trajectory may be evictable now
	return e.result, e.err
}

// demand returns the entry of a trajectory. Unless a worker already simulates it, demand
// puts it before all announced trajectories.
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

// worker simulates trajectories until the pool is closed.
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

// take waits for the next trajectory to simulate. It returns nil if the pool is closed.
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

// produce reads a trajectory from the cache folder or simulates it.
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

// lost counts a lost simulation. It logs the count each time it has doubled.
func (p *Pool) lost(s *Stream, trajectory, attempt int, err error) {
	p.mu.Lock()
	p.stats.Lost++
	n := p.stats.Lost
	p.mu.Unlock()
	if n&(n-1) == 0 {
		p.o.Log.Warn("simulations were lost and are drawn again", "lost", n, "last", s.o.Name, "trajectory", trajectory, "attempt", attempt+1, "error", err)
	}
}

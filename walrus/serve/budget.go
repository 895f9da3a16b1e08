package serve

import (
	"errors"
	"sync"
)

// budget bounds the memory for the values of all requests in flight.
type budget struct {
	total, share int64 // of all clients and of one

	mu      sync.Mutex
	used    int64
	clients map[string]int64
}

// errMemory is the reason why a request is refused whose values exceed the budget.
var errMemory = errors.New("memory")

func newBudget(o Options) *budget {
	return &budget{total: o.MaxMemory, share: max(o.MaxMemory*int64(o.Share)/int64(o.Queue), o.largest()), clients: map[string]int64{}}
}

// lease is the part of the budget that one request holds. A nil lease has no bound.
type lease struct {
	b    *budget
	name string
	held int64
}

func (b *budget) lease(client string) *lease { return &lease{b: b, name: client} }

// charge adds bytes to the lease, or returns errMemory if they exceed the budget.
func (l *lease) charge(bytes int) error {
	if l == nil {
		return nil
	}
	b, n := l.b, int64(bytes)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used+n > b.total || b.clients[l.name]+n > b.share {
		return errMemory
	}
	b.used += n
	b.clients[l.name] += n
	l.held += n
	return nil
}

// release returns all bytes of the lease.
func (l *lease) release() {
	b := l.b
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= l.held
	if b.clients[l.name] -= l.held; b.clients[l.name] <= 0 {
		delete(b.clients, l.name)
	}
	l.held = 0
}

// bytes returns the memory in use.
func (b *budget) bytes() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

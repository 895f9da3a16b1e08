package solve

import "slices"

// Classes of trajectories in memory: no reader will need it, it has unread windows, it
// waits for its first reader. Trajectories are evicted in this order of classes, within a
// class the least recently read first.
const (
	finished = iota
	begun
	awaited
)

// class returns the class of an entry. A mixture reads trajectories in order, so all
// trajectories before a finished one count as finished, too: a resumed run reads fewer of
// their windows.
func (e *entry) class() int {
	switch {
	case e.reads >= e.stream.o.Windows || e.trajectory < e.stream.done:
		return finished
	case e.reads == 0:
		return awaited
	}
	return begun
}

// room evicts trajectories until there is room for the given bytes, and reports whether
// there is. It evicts trajectories that are still needed only if urgent is set.
func (p *Pool) room(bytes int64, urgent bool) bool {
	for p.bytes+bytes > p.o.Memory {
		e := p.victim()
		if e == nil || (e.class() != finished && !urgent) {
			return p.bytes == 0 // one trajectory is always allowed
		}
		if e.class() != finished {
			p.forgive(e.key)
		}
		p.drop(e)
	}
	return true
}

// victim returns the trajectory to evict next, or nil if there is none.
func (p *Pool) victim() *entry {
	var least *entry
	for _, e := range p.entries {
		if e.result == nil {
			continue
		}
		if least == nil || e.class() < least.class() || (e.class() == least.class() && e.used < least.used) {
			least = e
		}
	}
	return least
}

// forgive records that a trajectory was evicted before it was finished.
func (p *Pool) forgive(k key) {
	if len(p.evicted) >= 4096 { // old records are no longer needed
		clear(p.evicted)
	}
	p.evicted[k] = true
}

// drop removes a trajectory from the pool. Readers that hold it are not affected.
func (p *Pool) drop(e *entry) {
	delete(p.entries, e.key)
	if e.kept {
		e.kept = false
		p.bytes -= e.stream.bytes
	}
}

// unqueue removes an entry from a queue and reports whether the queue contained it.
func unqueue(queue *[]*entry, e *entry) bool {
	i := slices.Index(*queue, e)
	if i < 0 {
		return false
	}
	*queue = slices.Delete(*queue, i, i+1)
	return true
}

package solve

import "slices"

// How little a trajectory in memory is needed: nobody will read it any more; it has
// windows left; it waits for its first reader. Trajectories leave memory in this order, of
// each class the one that was read longest ago first.
const (
	finished = iota
	begun
	awaited
)

// class returns how little an entry is needed. A mixture goes through the trajectories in
// their order, so those before one that is finished are, too: a run that was resumed reads
// fewer windows of them.
func (e *entry) class() int {
	switch {
	case e.reads >= e.stream.o.Windows || e.trajectory < e.stream.done:
		return finished
	case e.reads == 0:
		return awaited
	}
	return begun
}

// room removes trajectories from memory until there is room for a number of bytes, and
// reports whether there is. Trajectories that are still needed are only removed for one
// that a reader waits for.
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

// victim returns the trajectory in memory that is needed least, nil if there is none.
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

// forgive remembers that a trajectory had to leave memory too early.
func (p *Pool) forgive(k key) {
	if len(p.evicted) >= 4096 { // those of long ago are not needed any more
		clear(p.evicted)
	}
	p.evicted[k] = true
}

// drop forgets a trajectory. Readers that have it keep it.
func (p *Pool) drop(e *entry) {
	delete(p.entries, e.key)
	if e.kept {
		e.kept = false
		p.bytes -= e.stream.bytes
	}
}

// unqueue takes an entry out of a queue and reports whether it was there.
func unqueue(queue *[]*entry, e *entry) bool {
	i := slices.Index(*queue, e)
	if i < 0 {
		return false
	}
	*queue = slices.Delete(*queue, i, i+1)
	return true
}

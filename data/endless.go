package data

import (
	"math/rand/v2"
	"slices"
)

// Endless is a data set that makes a trajectory when it is needed, such as a stream of
// simulations (package data/solve). A Mixture takes the trajectories of an endless data
// set in their order: it draws some windows from each and never comes back to it, until
// all of Trajectories are used up.
type Endless interface {
	Dataset
	// Serving says how a Mixture uses the trajectories.
	Serving() Serving
	// Prefetch announces that a trajectory will be read. It returns at once and may be
	// called again for the same trajectory.
	Prefetch(trajectory int)
}

// Serving says how a Mixture uses the trajectories of an endless data set.
type Serving struct {
	// Windows is the number of windows that are drawn from a trajectory, from different
	// parts of it where it is long enough; 0 is 1.
	Windows int
	// Ahead is the number of micro-batches, of all systems, by which Prefetch runs ahead
	// of Mixture.Next.
	Ahead int
}

// windows returns the number of windows of a trajectory.
func (s Serving) windows() int { return max(s.Windows, 1) }

// drawPart draws a window that begins in one of several equal parts of a trajectory.
func (w *Windows) drawPart(rng *rand.Rand, trajectory, part, parts int) Span {
	first, n := w.windowsOf(trajectory)
	low := part * n / parts
	high := max((part+1)*n/parts, low+1)
	return w.Draw(rng, first+low+rng.IntN(high-low))
}

// serve returns the trajectory of window k of an endless system, and the part of it that
// the window begins in. The windows of a micro-batch are from different trajectories,
// which the following micro-batches of the system use again until each has given all its
// windows. Groups use different trajectories.
func (m *Mixture) serve(i, k int) (trajectory, part int) {
	s, o := m.systems[i], m.options
	together, parts := s.Batch*o.Members, m.endless[i].Serving().windows()
	block, r := k/(together*parts), k%(together*parts)
	number := block*together + r%together
	n := len(s.Windows.ds.Trajectories())
	return (number*int(o.Groups) + int(o.Group)) % n, (r/together + number) % parts
}

// course is a place in the sequence of systems that a mixture draws.
type course struct {
	epoch  uint64
	step   int
	source *rand.PCG
	// served counts the windows drawn of each system, from the first epoch on.
	served []int
}

// start returns the beginning of an epoch. The windows that earlier epochs served are
// counted by drawing their systems again.
func (m *Mixture) start(epoch uint64) course {
	c := course{served: make([]int, len(m.systems))}
	if m.endless == nil { // nothing depends on the count
		c.epoch = epoch
		c.source = m.source(epoch, 0)
		return c
	}
	for c.source = m.source(0, 0); c.epoch < epoch; {
		m.advance(&c)
	}
	return c
}

// advance draws the system of the next micro-batch. It returns how many windows the
// system had served before. After the last micro-batch of an epoch it begins the next
// epoch.
func (m *Mixture) advance(c *course) (system, served int) {
	system = m.system(rand.New(c.source))
	served = c.served[system]
	c.served[system] += m.systems[system].Batch * m.options.Members
	if c.step++; c.step == m.options.Length {
		c.epoch, c.step = c.epoch+1, 0
		c.source = m.source(c.epoch, 0)
	}
	return system, served
}

// announce tells the endless data sets which trajectories the micro-batches after the
// current place need, this one included, in the order of their need.
func (m *Mixture) announce() {
	if m.endless == nil {
		return
	}
	if d := m.distance(m.scout); d < 0 || d > m.ahead {
		m.scout = m.here.clone()
	}
	for m.distance(m.scout) < m.ahead {
		i, served := m.advance(&m.scout)
		if m.endless[i] == nil {
			continue
		}
		for j := range m.systems[i].Batch {
			t, _ := m.serve(i, served+m.options.Member*m.systems[i].Batch+j)
			m.endless[i].Prefetch(t)
		}
	}
}

// distance returns the number of micro-batches from the current place to c.
func (m *Mixture) distance(c course) int {
	if c.source == nil {
		return -1
	}
	return (int(c.epoch)-int(m.here.epoch))*m.options.Length + c.step - m.here.step
}

// clone returns a course that advances on its own.
func (c course) clone() course {
	source := *c.source
	c.source = &source
	c.served = slices.Clone(c.served)
	return c
}

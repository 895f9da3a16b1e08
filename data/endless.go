package data

import (
	"math/rand/v2"
	"slices"
)

// Endless is a data set that generates each trajectory when it is needed, such as a stream
// of simulations (package data/solve). A Mixture uses the trajectories of an endless data
// set in order: it draws some windows from each and does not return to it until all of
// Trajectories have been used.
type Endless interface {
	Dataset
	// Serving says how a Mixture uses the trajectories.
	Serving() Serving
	// Prefetch announces that a trajectory will be read. It returns without waiting and may
	// be called more than once for a trajectory.
	Prefetch(trajectory int)
}

// Serving says how a Mixture uses the trajectories of an endless data set.
type Serving struct {
	// Windows is the number of windows drawn from each trajectory, from different parts of
	// it if it is long enough. 0 means 1.
	Windows int
	// Ahead is the number of micro-batches of all systems between the call of Prefetch
	// and the micro-batch that needs the trajectory.
	Ahead int
}

// windows returns the number of windows drawn from each trajectory.
func (s Serving) windows() int { return max(s.Windows, 1) }

// drawPart draws a window that starts in the given one of several equal parts of a
// trajectory.
func (w *Windows) drawPart(rng *rand.Rand, trajectory, part, parts int) Span {
	first, n := w.windowsOf(trajectory)
	low := part * n / parts
	high := max((part+1)*n/parts, low+1)
	return w.Draw(rng, first+low+rng.IntN(high-low))
}

// serve returns the trajectory of window k of endless system i, and the part of the
// trajectory in which the window starts. The windows of a micro-batch come from different
// trajectories. The system's next micro-batches use the same trajectories until each has
// served all its windows. Groups use different trajectories.
func (m *Mixture) serve(i, k int) (trajectory, part int) {
	s, o := m.systems[i], m.options
	together, parts := s.Batch*o.Members, m.endless[i].Serving().windows()
	block, r := k/(together*parts), k%(together*parts)
	number := block*together + r%together
	n := len(s.Windows.ds.Trajectories())
	return (number*int(o.Groups) + int(o.Group)) % n, (r/together + number) % parts
}

// course is a position in the sequence of systems that a mixture draws.
type course struct {
	epoch  uint64
	step   int
	source *rand.PCG
	// served counts the windows drawn from each system since the first epoch.
	served []int
}

// start returns the beginning of an epoch. It counts the windows of earlier epochs by
// drawing the systems of those epochs again.
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

// advance draws the system of the next micro-batch and returns the number of windows that
// the system had served before. After the last micro-batch of an epoch it starts the next
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

// announce calls Prefetch for the trajectories of the micro-batches from the current
// position on, in the order in which they are needed.
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

// distance returns the number of micro-batches from the current position to c.
func (m *Mixture) distance(c course) int {
	if c.source == nil {
		return -1
	}
	return (int(c.epoch)-int(m.here.epoch))*m.options.Length + c.step - m.here.step
}

// clone returns an independent copy of c.
func (c course) clone() course {
	source := *c.source
	c.source = &source
	c.served = slices.Clone(c.served)
	return c
}

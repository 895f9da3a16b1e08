package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// System is one member of a Mixture.
type System struct {
	Name    string
	Windows *Windows
	// Batch is the number of windows of a micro-batch.
	Batch int
	// Weight says how often the system is drawn, relative to the others; 0 stands
	// for 1.
	Weight float64
}

// MixtureOptions say which of the streams of a mixture is wanted.
type MixtureOptions struct {
	// Seed and the epoch decide all draws.
	Seed, Epoch uint64
	// Group is the sharding group. All members of a group draw the same system at
	// each step, and together every window of a pass just once; other groups draw
	// on their own (paper §4.2, topology-aware sampling).
	Group uint64
	// Groups is their number, which endless data sets are divided among; 0 is the least
	// that Group allows.
	Groups uint64
	// Member of Members is the process within the group; 0 Members stands for 1.
	Member, Members int
	// Length is the number of micro-batches of an epoch; 0 stands for the
	// release's 2000.
	Length int
}

// Draw is one micro-batch: windows of one system.
type Draw struct {
	// System is the index of the system.
	System int
	Spans  []Span
}

// Mixture draws micro-batches of several systems: first a system, all being
// equally likely unless they have weights, then its next windows in random order,
// each with a stride of its own (paper §4.1, SPEC §11). When the windows of a
// system are used up, in the middle of a batch or not, they come in another
// order; so a system with fewer windows than a batch repeats them within it, and
// nothing ever waits. Endless data sets are used in another way, see [Endless].
//
// Streams are seeded with 100·epoch + 10·seed + group as in the release; the
// numbers that follow from it are ours. A Mixture is not safe for concurrent use.
type Mixture struct {
	systems []System
	options MixtureOptions
	total   float64
	here    course // of the next micro-batch
	passes  []pass

	// endless holds the systems that are endless, nil at the others; it is nil if none
	// is. scout is the place up to which trajectories were announced, at most ahead
	// micro-batches after here.
	endless []Endless
	scout   course
	ahead   int
}

// pass is where a system stands: order is the current permutation of its windows
// and next the first one not used.
type pass struct {
	number uint64
	order  []int
	next   int
}

// NewMixture checks the systems and starts at the beginning of the epoch.
func NewMixture(systems []System, o MixtureOptions) (*Mixture, error) {
	m := &Mixture{systems: slices.Clone(systems), options: o}
	if m.options.Members == 0 {
		m.options.Members = 1
	}
	if m.options.Length == 0 {
		m.options.Length = 2000
	}
	m.options.Groups = max(o.Groups, o.Group+1)
	if len(systems) == 0 {
		return nil, fmt.Errorf("data: mixture: expected at least one system, got none")
	}
	if o := m.options; o.Members < 0 || o.Member < 0 || o.Member >= o.Members || o.Length < 0 {
		return nil, fmt.Errorf("data: mixture: expected a member below %d and a positive length, got %d and %d", o.Members, o.Member, o.Length)
	}
	for i := range m.systems {
		s := &m.systems[i]
		if s.Windows == nil || s.Windows.Len() == 0 {
			return nil, fmt.Errorf("data: mixture: system %q has no windows", s.Name)
		}
		if s.Batch < 1 {
			return nil, fmt.Errorf("data: mixture: system %q: expected a batch of at least 1, got %d", s.Name, s.Batch)
		}
		if s.Weight == 0 {
			s.Weight = 1
		}
		if !(s.Weight > 0) || math.IsInf(s.Weight, 0) {
			return nil, fmt.Errorf("data: mixture: system %q: expected a positive weight, got %v", s.Name, s.Weight)
		}
		m.total += s.Weight
		if e, ok := s.Windows.ds.(Endless); ok {
			if m.endless == nil {
				m.endless = make([]Endless, len(systems))
			}
			m.endless[i] = e
			m.ahead = max(m.ahead, e.Serving().Ahead)
		}
	}
	m.SetEpoch(o.Epoch)
	return m, nil
}

// Systems returns the systems, weights filled in.
func (m *Mixture) Systems() []System { return m.systems }

// SetEpoch starts an epoch.
func (m *Mixture) SetEpoch(epoch uint64) {
	m.options.Epoch = epoch
	m.here = m.start(epoch)
	m.passes = make([]pass, len(m.systems))
}

// stream returns a generator of the epoch and group; equal tags give equal ones.
func (m *Mixture) stream(tag uint64) *rand.Rand {
	return rand.New(m.source(m.options.Epoch, tag))
}

// source returns the source of stream for any epoch.
func (m *Mixture) source(epoch, tag uint64) *rand.PCG {
	o := m.options
	return rand.NewPCG(100*epoch+10*o.Seed+o.Group, tag)
}

// Next returns the next micro-batch of the epoch, false at its end.
func (m *Mixture) Next() (Draw, bool) {
	if m.ended() {
		return Draw{}, false
	}
	m.announce()
	o, step := m.options, m.here.step
	i, served := m.advance(&m.here)
	s := m.systems[i]
	strides := m.stream(uint64(1+step*o.Members+o.Member)<<32 | 1)
	d := Draw{System: i}
	for k := range o.Members * s.Batch {
		mine := k/s.Batch == o.Member
		switch {
		case m.endless == nil || m.endless[i] == nil:
			if window := m.window(i); mine {
				d.Spans = append(d.Spans, s.Windows.Draw(strides, window))
			}
		case mine:
			trajectory, part := m.serve(i, served+k)
			d.Spans = append(d.Spans, s.Windows.drawPart(strides, trajectory, part, m.endless[i].Serving().windows()))
		}
	}
	return d, true
}

// system draws a system.
func (m *Mixture) system(rng *rand.Rand) int {
	x := rng.Float64() * m.total
	for i, s := range m.systems {
		if x -= s.Weight; x < 0 {
			return i
		}
	}
	return len(m.systems) - 1
}

// window returns the next window of a system, beginning a new pass if need be.
func (m *Mixture) window(i int) int {
	p := &m.passes[i]
	if p.next == len(p.order) {
		p.number++
		p.order = m.stream(uint64(i)<<32 | p.number<<1).Perm(m.systems[i].Windows.Len())
		p.next = 0
	}
	p.next++
	return p.order[p.next-1]
}

// MixtureState is a place in the stream of a mixture, to go on from after a
// restart.
type MixtureState struct {
	Epoch uint64 `json:"epoch"`
	// Step is the number of micro-batches drawn in this epoch.
	Step int `json:"step"`
	// Fingerprint describes the systems and the options that the place belongs to.
	Fingerprint string `json:"fingerprint"`
}

// State returns the current place.
func (m *Mixture) State() MixtureState {
	return MixtureState{Epoch: m.options.Epoch, Step: m.step(), Fingerprint: m.fingerprint()}
}

// ended reports whether all micro-batches of the epoch were drawn.
func (m *Mixture) ended() bool { return m.here.epoch != m.options.Epoch }

// step is the number of micro-batches drawn in this epoch.
func (m *Mixture) step() int {
	if m.ended() {
		return m.options.Length
	}
	return m.here.step
}

func (m *Mixture) fingerprint() string {
	o := m.options
	text := fmt.Sprintf("seed %d group %d members %d length %d", o.Seed, o.Group, o.Members, o.Length)
	for i, s := range m.systems {
		text += fmt.Sprintf("; %s %d windows %+v batch %d weight %v", s.Name, s.Windows.Len(), s.Windows.Cut(), s.Batch, s.Weight)
		if m.endless != nil && m.endless[i] != nil {
			text += fmt.Sprintf(" %d of each trajectory", m.endless[i].Serving().windows())
		}
	}
	return text
}

// Restore goes to a place: what follows is what followed there. A place of a
// mixture with other systems or options is an error.
func (m *Mixture) Restore(s MixtureState) error {
	if want := m.fingerprint(); s.Fingerprint != want {
		return fmt.Errorf("data: mixture: the saved place belongs to another mixture: expected %q, got %q", want, s.Fingerprint)
	}
	if s.Step < 0 || s.Step > m.options.Length {
		return fmt.Errorf("data: mixture: expected a step of at most %d, got %d", m.options.Length, s.Step)
	}
	m.SetEpoch(s.Epoch)
	for m.step() < s.Step {
		i, _ := m.advance(&m.here)
		if m.endless != nil && m.endless[i] != nil {
			continue
		}
		for range m.systems[i].Batch * m.options.Members {
			m.window(i)
		}
	}
	return nil
}

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
// nothing ever waits.
//
// Streams are seeded with 100·epoch + 10·seed + group as in the release; the
// numbers that follow from it are ours. A Mixture is not safe for concurrent use.
type Mixture struct {
	systems []System
	options MixtureOptions
	total   float64
	step    int
	choose  *rand.Rand
	passes  []pass
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
	}
	m.SetEpoch(o.Epoch)
	return m, nil
}

// Systems returns the systems, weights filled in.
func (m *Mixture) Systems() []System { return m.systems }

// SetEpoch starts an epoch.
func (m *Mixture) SetEpoch(epoch uint64) {
	m.options.Epoch, m.step = epoch, 0
	m.choose = m.stream(0)
	m.passes = make([]pass, len(m.systems))
}

// stream returns a generator of the epoch and group; equal tags give equal ones.
func (m *Mixture) stream(tag uint64) *rand.Rand {
	o := m.options
	return rand.New(rand.NewPCG(100*o.Epoch+10*o.Seed+o.Group, tag))
}

// Next returns the next micro-batch of the epoch, false at its end.
func (m *Mixture) Next() (Draw, bool) {
	if m.step >= m.options.Length {
		return Draw{}, false
	}
	i := m.system()
	s, o := m.systems[i], m.options
	strides := m.stream(uint64(1+m.step*o.Members+o.Member)<<32 | 1)
	d := Draw{System: i}
	for member := range o.Members {
		for range s.Batch {
			window := m.window(i)
			if member == o.Member {
				d.Spans = append(d.Spans, s.Windows.Draw(strides, window))
			}
		}
	}
	m.step++
	return d, true
}

// system draws a system.
func (m *Mixture) system() int {
	x := m.choose.Float64() * m.total
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
	return MixtureState{Epoch: m.options.Epoch, Step: m.step, Fingerprint: m.fingerprint()}
}

func (m *Mixture) fingerprint() string {
	o := m.options
	text := fmt.Sprintf("seed %d group %d members %d length %d", o.Seed, o.Group, o.Members, o.Length)
	for _, s := range m.systems {
		text += fmt.Sprintf("; %s %d windows %+v batch %d weight %v", s.Name, s.Windows.Len(), s.Windows.Cut(), s.Batch, s.Weight)
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
	for m.step < s.Step {
		i := m.system()
		for range m.systems[i].Batch * m.options.Members {
			m.window(i)
		}
		m.step++
	}
	return nil
}

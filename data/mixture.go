package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// System is one data set of a Mixture.
type System struct {
	Name    string
	Windows *Windows
	// Batch is the number of windows per micro-batch.
	Batch int
	// Weight is the relative frequency with which the system is drawn. 0 means 1.
	Weight float64
}

// MixtureOptions selects one stream of micro-batches of a mixture.
type MixtureOptions struct {
	// Seed and Epoch determine all draws.
	Seed, Epoch uint64
	// Group is the index of the sharding group. All members of a group draw the same system
	// at each step, and every window of a pass is drawn by exactly one of them. Groups draw
	// independently of each other (paper §4.2, topology-aware sampling).
	Group uint64
	// Groups is the number of groups, among which the trajectories of endless data sets are
	// divided. 0 means the smallest number that Group allows.
	Groups uint64
	// Member is the index of the process within its group of Members processes. 0 Members
	// means 1.
	Member, Members int
	// Length is the number of micro-batches per epoch. 0 means the release's 2000.
	Length int
}

// Draw is one micro-batch: spans of windows of one system.
type Draw struct {
	// System is the index of the system.
	System int
	Spans  []Span
}

// Mixture draws micro-batches from several systems. For each micro-batch it draws a system,
// with equal probability or by weight, then takes the next windows of the system's random
// order, each at a random stride (paper §4.1, docs/reference.md §11). When all windows of a
// system have been used, also within a batch, a new random order starts. A system with
// fewer windows than a batch therefore repeats windows within it. Endless data sets are
// used differently; see [Endless].
//
// Streams are seeded with 100·epoch + 10·seed + group as in the release, but the generator
// differs, and so do the numbers drawn. A Mixture is not safe for concurrent use.
type Mixture struct {
	systems []System
	options MixtureOptions
	total   float64
	here    course // position of the next micro-batch
	passes  []pass

	// endless holds the endless systems, with nil in place of the others; it is nil if no
	// system is endless. scout is the position up to which trajectories have been
	// announced, at most ahead micro-batches after here.
	endless []Endless
	scout   course
	ahead   int
}

// pass is the state of one pass over a system: order is the random order of its windows,
// next the index of the first unused one.
type pass struct {
	number uint64
	order  []int
	next   int
}

// maxMixture bounds batches, members and groups, so that their products fit an int.
const maxMixture = 1 << 24

// NewMixture checks the systems and returns their mixture at the beginning of the epoch.
func NewMixture(systems []System, o MixtureOptions) (*Mixture, error) {
	m := &Mixture{systems: slices.Clone(systems), options: o}
	if m.options.Members == 0 {
		m.options.Members = 1
	}
	if m.options.Length == 0 {
		m.options.Length = 2000
	}
	m.options.Groups = max(o.Groups, o.Group+1)
	if o.Group >= maxMixture || m.options.Groups > maxMixture || m.options.Members > maxMixture {
		return nil, fmt.Errorf("data: mixture: expected at most 2^24 groups and members, got group %d of %d with %d members", o.Group, o.Groups, o.Members)
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
		if s.Batch < 1 || s.Batch > maxMixture {
			return nil, fmt.Errorf("data: mixture: system %q: expected a batch of 1 to 2^24, got %d", s.Name, s.Batch)
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

// Systems returns the systems with their default weights filled in.
func (m *Mixture) Systems() []System { return m.systems }

// SetEpoch moves to the beginning of an epoch.
func (m *Mixture) SetEpoch(epoch uint64) {
	m.options.Epoch = epoch
	m.here = m.start(epoch)
	m.passes = make([]pass, len(m.systems))
}

// stream returns a generator for the current epoch, the group and a tag.
func (m *Mixture) stream(tag uint64) *rand.Rand {
	return rand.New(m.source(m.options.Epoch, tag))
}

// source returns the source of stream for any epoch.
func (m *Mixture) source(epoch, tag uint64) *rand.PCG {
	o := m.options
	return rand.NewPCG(100*epoch+10*o.Seed+o.Group, tag)
}

// Next returns the next micro-batch of the epoch, or false at its end.
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

// system draws the index of a system.
func (m *Mixture) system(rng *rand.Rand) int {
	x := rng.Float64() * m.total
	for i, s := range m.systems {
		if x -= s.Weight; x < 0 {
			return i
		}
	}
	return len(m.systems) - 1
}

// window returns the next window of system i and starts a new pass if all are used.
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

// MixtureState is a position in the stream of a mixture, from which [Mixture.Restore]
// continues.
type MixtureState struct {
	Epoch uint64 `json:"epoch"`
	// Step is the number of micro-batches drawn in this epoch.
	Step int `json:"step"`
	// Fingerprint describes the systems and options of the mixture.
	Fingerprint string `json:"fingerprint"`
}

// State returns the current position.
func (m *Mixture) State() MixtureState {
	return MixtureState{Epoch: m.options.Epoch, Step: m.step(), Fingerprint: m.fingerprint()}
}

// ended reports whether all micro-batches of the epoch have been drawn.
func (m *Mixture) ended() bool { return m.here.epoch != m.options.Epoch }

// step returns the number of micro-batches drawn in this epoch.
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

// Restore moves to a saved position; Next then returns the micro-batches that followed it.
// A position saved by a mixture with other systems or options is an error.
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

package walrus

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gowalrus/gowalrus/csm"
)

// Coverage counts the windows that weights were trained on, by the properties that decide
// whether the weights were trained for the plan of another window. A training adds its
// windows to the Coverage of its weights; finetuning adds to the counts of the training
// before it. Checkpoints keep the Coverage in their manifest.
//
// Its methods are safe for concurrent use.
type Coverage struct {
	// Dims holds the counts by dimensionality: 1, 2 or 3 axes longer than one.
	Dims map[int]*Seen `json:"dims,omitempty"`
	// Partial is true if the weights were trained on further windows that are not counted,
	// because the training began with weights that had no record.
	Partial bool `json:"partial,omitempty"`

	mu sync.Mutex
}

// Seen counts the training windows of one dimensionality. Patterns name the property
// of every axis longer than one, in the order of the axes, joined by spaces.
type Seen struct {
	// Windows is the number of all windows.
	Windows int64 `json:"windows"`
	// Strides counts patterns of s1×s2: "2×2 1×2".
	Strides map[string]int64 `json:"strides"`
	// Histories counts numbers of frames before the target.
	Histories map[int]int64 `json:"histories"`
	// Boundaries counts patterns of boundaries: "periodic wall/open". A periodic axis
	// that its patches do not divide is "periodic-uneven": points are copied from the
	// opposite ends, and the tokens do not form a closed ring.
	Boundaries map[string]int64 `json:"boundaries"`
	// Lengths holds the least and the greatest number of points of an axis, Points the
	// least and the greatest number of points of a grid.
	Lengths [2]int `json:"lengths"`
	Points  [2]int `json:"points"`
}

// Count adds a number of windows with the same plan and history, where history is the
// number of frames before the target. It counts nothing without a plan or windows.
func (c *Coverage) Count(plan *csm.Plan, history, windows int) {
	if windows < 1 || plan == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.of(plan.Dims)
	n, points := int64(windows), 1
	s.Windows += n
	s.Strides[join(plan, strideText)] += n
	s.Histories[history] += n
	s.Boundaries[join(plan, boundaryText)] += n
	for _, a := range plan.Axes {
		points *= a.Length
		if a.Length > 1 {
			s.Lengths = widen(s.Lengths, a.Length)
		}
	}
	s.Points = widen(s.Points, points)
}

// Add adds the counts of another Coverage. nil has none.
func (c *Coverage) Add(other *Coverage) {
	if other == nil {
		return
	}
	other = other.Clone()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Partial = c.Partial || other.Partial
	for dims, o := range other.Dims {
		s := c.of(dims)
		s.Windows += o.Windows
		add(s.Strides, o.Strides)
		add(s.Histories, o.Histories)
		add(s.Boundaries, o.Boundaries)
		for i := range 2 {
			s.Lengths, s.Points = widen(s.Lengths, o.Lengths[i]), widen(s.Points, o.Points[i])
		}
	}
}

func add[K comparable](sum, table map[K]int64) {
	for k, n := range table {
		sum[k] += n
	}
}

// Continue returns a copy that counts the windows of a further training. The copy of
// nil, for weights without a record, is partial.
func (c *Coverage) Continue() *Coverage {
	if c == nil {
		return &Coverage{Partial: true}
	}
	return c.Clone()
}

// of returns the counts of a dimensionality, which it adds if they are missing.
func (c *Coverage) of(dims int) *Seen {
	if c.Dims == nil {
		c.Dims = map[int]*Seen{}
	}
	if c.Dims[dims] == nil {
		c.Dims[dims] = &Seen{}
	}
	c.Dims[dims].fill()
	return c.Dims[dims]
}

// fill makes the tables that are missing.
func (s *Seen) fill() {
	if s.Strides == nil {
		s.Strides = map[string]int64{}
	}
	if s.Histories == nil {
		s.Histories = map[int]int64{}
	}
	if s.Boundaries == nil {
		s.Boundaries = map[string]int64{}
	}
}

// widen extends a range to include a value. Zeros are an empty range.
func widen(r [2]int, v int) [2]int {
	if r[0] == 0 {
		return [2]int{v, v}
	}
	return [2]int{min(r[0], v), max(r[1], v)}
}

// join returns the pattern of a plan: of(axis) for every axis longer than one, joined by
// spaces.
func join(plan *csm.Plan, of func(csm.Axis) string) string {
	var words []string
	for _, a := range plan.Axes {
		if a.Length > 1 {
			words = append(words, of(a))
		}
	}
	return strings.Join(words, " ")
}

// Windows returns the number of windows of all dimensionalities.
func (c *Coverage) Windows() int64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var n int64
	for _, s := range c.Dims {
		if s != nil {
			n += s.Windows
		}
	}
	return n
}

// Clone returns a copy. The copy of nil is nil.
func (c *Coverage) Clone() *Coverage {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &Coverage{Partial: c.Partial}
	for dims, s := range c.Dims {
		if s == nil {
			continue
		}
		if out.Dims == nil {
			out.Dims = map[int]*Seen{}
		}
		t := *s
		t.Strides, t.Histories, t.Boundaries = maps.Clone(s.Strides), maps.Clone(s.Histories), maps.Clone(s.Boundaries)
		out.Dims[dims] = &t
	}
	return out
}

// seen returns a copy of the counts of one dimensionality, or nil.
func (c *Coverage) seen(dims int) *Seen { return c.Clone().Dims[dims] }

// trained lists the dimensionalities that were trained.
func (c *Coverage) trained() []int { return slices.Sorted(maps.Keys(c.Clone().Dims)) }

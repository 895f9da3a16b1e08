package solve

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// Variety holds the choices from which [System.Vary] draws a [Case]. They are wider than
// the default ranges in the fields of the System. Variety is meant for pretraining, where
// breadth decides how well weights transfer (paper §5.3).
type Variety struct {
	// Grids lists the grids, square and oblong. Every number of points is even.
	Grids [][]int
	// Boundaries lists boundaries that the solver supports.
	Boundaries []data.Boundaries
	// Starts names the kinds of initial states. [System.Start] draws the first one.
	Starts []string
	// Interval bounds the time between two frames, which is drawn log-uniformly.
	Interval [2]float64
	// Parameters lists parameters with their whole physical range. A parameter that is not
	// listed keeps its default range.
	Parameters []Parameter
	// Resolve adapts a drawn case to its grid. It may set the box, and change parameters
	// and interval to values for which the grid resolves the solution. nil changes nothing.
	Resolve func(*Case)
}

// Case holds the choices that determine one trajectory, except its random initial state.
// The zero value of a field means the system's default.
type Case struct {
	Grid       []int
	Boundaries data.Boundaries
	// Length is the size of the box along each axis.
	Length []float64
	// Start is one of [Variety].Starts.
	Start string
	// Interval is the time between two frames.
	Interval float64
	// Values holds the parameters by name.
	Values map[string]float64
}

// variety returns the system's Variety with defaults for empty fields.
func (s *System) variety() Variety {
	v := s.Variety
	if len(v.Grids) == 0 {
		v.Grids = [][]int{s.Grid}
	}
	if len(v.Boundaries) == 0 {
		v.Boundaries = []data.Boundaries{s.Boundaries}
	}
	if len(v.Starts) == 0 {
		v.Starts = []string{""}
	}
	if v.Interval == [2]float64{} {
		v.Interval = [2]float64{s.Interval, s.Interval}
	}
	own := v.Parameters
	v.Parameters = nil
	for _, p := range s.Parameters {
		if i := slices.IndexFunc(own, func(q Parameter) bool { return q.Name == p.Name }); i >= 0 {
			p = own[i]
		}
		v.Parameters = append(v.Parameters, p)
	}
	return v
}

// Vary draws a case from the system's [Variety]. It keeps the choices set in fixed,
// including individual parameters.
func (s *System) Vary(rng *rand.Rand, fixed Case) (Case, error) {
	if err := s.check(); err != nil {
		return Case{}, err
	}
	v, c := s.variety(), fixed
	// Draw every choice in any case, so that fixing one does not change the others.
	grid, bcs, start := v.Grids[rng.IntN(len(v.Grids))], v.Boundaries[rng.IntN(len(v.Boundaries))], v.Starts[rng.IntN(len(v.Starts))]
	interval := logUniform(rng, v.Interval[0], v.Interval[1])
	if c.Grid == nil {
		c.Grid = grid
	}
	if c.Boundaries == nil {
		c.Boundaries = bcs
	}
	if c.Start == "" {
		c.Start = start
	}
	if c.Interval == 0 {
		c.Interval = interval
	}
	wide := *s
	wide.Parameters = v.Parameters
	values, err := wide.Draw(rng, fixed.Values)
	if err != nil {
		return Case{}, err
	}
	c.Values = values
	if v.Resolve != nil {
		v.Resolve(&c)
		c.keep(fixed)
	}
	return c, nil
}

// keep sets the choices that fixed contains.
func (c *Case) keep(fixed Case) {
	maps.Copy(c.Values, fixed.Values)
	if fixed.Interval != 0 {
		c.Interval = fixed.Interval
	}
	if fixed.Length != nil {
		c.Length = fixed.Length
	}
}

// StartCase starts the simulation of a case, with an initial state drawn from rng.
func (s *System) StartCase(c Case, rng *rand.Rand) (Run, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	u, err := s.setup(c, rng)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	r, err := s.start(u)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return r, nil
}

// setup checks a case and fills in the system's defaults.
func (s *System) setup(c Case, rng *rand.Rand) (Setup, error) {
	if c.Grid == nil {
		c.Grid = s.Grid
	}
	if c.Boundaries == nil {
		c.Boundaries = s.Boundaries
	}
	if err := c.Boundaries.Validate(len(s.Grid)); err != nil {
		return Setup{}, err
	}
	if !s.takes(c.Boundaries) {
		return Setup{}, fmt.Errorf("boundaries: expected some that its solver knows, such as %v, got %v", s.Boundaries, c.Boundaries)
	}
	if starts := s.variety().Starts; c.Start != "" && !slices.Contains(starts, c.Start) {
		return Setup{}, fmt.Errorf("start: expected one of %q, got %q", starts, c.Start)
	}
	if err := s.checkGrid(c.Grid); err != nil {
		return Setup{}, err
	}
	for name, v := range c.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Setup{}, fmt.Errorf("parameter %q: expected a finite number, got %v", name, v)
		}
	}
	if c.Length == nil {
		c.Length = s.Length
	}
	if len(c.Length) != len(s.Grid) || !(slices.Min(c.Length) > 0) || math.IsInf(slices.Max(c.Length), 0) {
		return Setup{}, fmt.Errorf("length: expected a positive number along each of %d axes, got %v", len(s.Grid), c.Length)
	}
	start := c.Start
	if start == "" {
		start = s.variety().Starts[0]
	}
	return Setup{Grid: c.Grid, Length: c.Length, Boundaries: c.Boundaries, Start: start, Values: c.Values, Rng: rng, system: s}, nil
}

// takes reports whether the solver supports the boundaries.
func (s *System) takes(b data.Boundaries) bool {
	if slices.Equal(b, s.Boundaries) || s.TakesBoundaries() {
		return true
	}
	return slices.ContainsFunc(s.Variety.Boundaries, func(own data.Boundaries) bool { return slices.Equal(own, b) })
}

// logUniform draws a number whose logarithm is uniform.
func logUniform(rng *rand.Rand, low, high float64) float64 {
	return low * math.Exp(rng.Float64()*math.Log(high/low))
}

package solve

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// System is a family of equations on a box, with ranges of parameters and random initial
// conditions. Its exported fields describe it; see [Systems].
type System struct {
	// Name is the name in files: "gray_scott".
	Name string
	// Title and Equation describe the system for readers.
	Title, Equation string
	// Method describes the numerical method.
	Method string
	// Fields lists the fields of a frame in the order of its channels.
	Fields []data.Field
	// Boundaries holds the default boundary of each axis.
	Boundaries data.Boundaries
	// Grid is the default number of points along each axis, Length the size of the box.
	Grid   []int
	Length []float64
	// Frames is the default number of frames, Interval the default time between two frames.
	Frames   int
	Interval float64
	// Parameters lists the parameters, which are drawn for each trajectory.
	Parameters []Parameter
	// Variety holds the wider ranges used in pretraining; see [System.Vary].
	Variety Variety

	start func(Setup) (Run, error)
}

// Parameter is a parameter of the equations, drawn uniformly from [Low, High], or
// log-uniformly if Log is set.
type Parameter struct {
	Name, Doc string
	Low, High float64
	Log       bool
}

// Setup determines one trajectory.
type Setup struct {
	Grid []int
	// Length is the size of the box along each axis.
	Length     []float64
	Boundaries data.Boundaries
	// Start is the kind of the initial state, one of Variety.Starts, or "" if the system
	// lists none.
	Start string
	// Values holds the parameters by name.
	Values map[string]float64
	// Rng draws the initial condition.
	Rng *rand.Rand

	system *System
}

// Run is one simulation. It is not safe for concurrent use.
type Run interface {
	// Advance advances the solution by a time. An error means that the solution is lost.
	Advance(time float64) error
	// Frame fills dst with the channels of the variable fields, [C·points].
	Frame(dst []float32)
	// Constants fills dst with the channels of the constant fields, [C·points].
	Constants(dst []float32)
}

// Draw draws the parameters. Values in fixed replace drawn values and may be out of range.
// A name that the system does not have is an error.
func (s *System) Draw(rng *rand.Rand, fixed map[string]float64) (map[string]float64, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, p := range s.Parameters {
		// Draw in any case, so that fixing one parameter does not change the others.
		if p.Log {
			out[p.Name] = logUniform(rng, p.Low, p.High)
		} else {
			out[p.Name] = p.Low + rng.Float64()*(p.High-p.Low)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		if _, ok := out[name]; !ok {
			return nil, fmt.Errorf("%s: unknown parameter %q: expected some of %s", s.Name, name, strings.Join(s.parameterNames(), ", "))
		}
		if v := fixed[name]; math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s: parameter %q: expected a finite number, got %v", s.Name, name, v)
		}
		out[name] = fixed[name]
	}
	return out, nil
}

// check returns an error unless the system has a solver.
func (s *System) check() error {
	if s == nil {
		return errors.New("expected a system, got none")
	}
	if s.start == nil {
		return errors.New("expected a system of Systems or Lookup, got one without a solver")
	}
	return nil
}

// checkGrid checks the number of points along each axis.
func (s *System) checkGrid(grid []int) error {
	if len(grid) != len(s.Grid) {
		return fmt.Errorf("expected a grid of %d axes, got %v", len(s.Grid), grid)
	}
	points := 1
	for _, n := range grid {
		if n < minPoints || n%2 != 0 {
			return fmt.Errorf("expected an even number of at least %d points along each axis, got %v", minPoints, grid)
		}
		if n > maxPoints/points {
			return fmt.Errorf("expected a grid of at most 2^30 points, got %v", grid)
		}
		points *= n
	}
	return nil
}

func (s *System) parameterNames() []string {
	out := make([]string, len(s.Parameters))
	for i, p := range s.Parameters {
		out[i] = p.Name
	}
	return out
}

// minPoints is the smallest number of points along an axis, maxPoints the largest number of
// points of a grid. maxFrames bounds the frames of a trajectory and maxTrajectories the
// trajectories of a data set.
const (
	minPoints       = 8
	maxPoints       = 1 << 30
	maxFrames       = 1 << 24
	maxTrajectories = 1 << 24
)

// Start starts a simulation on a grid (nil means the default grid).
func (s *System) Start(grid []int, values map[string]float64, rng *rand.Rand) (Run, error) {
	return s.StartCase(Case{Grid: grid, Values: values}, rng)
}

// Coordinates returns the cell centres along each axis of a grid, or nil for a grid that the
// system cannot be simulated on.
func (s *System) Coordinates(grid []int) [][]float32 {
	if s.checkGrid(grid) != nil || len(s.Length) != len(grid) {
		return nil
	}
	out := make([][]float32, len(grid))
	for a, n := range grid {
		for i := range n {
			out[a] = append(out[a], float32((float64(i)+0.5)*s.Length[a]/float64(n)))
		}
	}
	return out
}

// Systems lists all systems, sorted by name.
func Systems() []*System {
	list := []*System{
		advection(), diffusion(), burgers(2), burgers(3), kuramotoSivashinsky(), grayScott(), navierStokes(false), navierStokes(true), navierStokes3D(),
		activeMatter(), viscoelastic(), advectionDiffusion(),
		acoustics(), shallowWater(), euler("euler_periodic", 2, data.Periodic), euler("euler_open", 2, data.Open),
		euler("euler_3d", 3, data.Periodic), rayleighBenard(),
		acoustics3D(), mhd("mhd", 2), mhd("mhd_3d", 3), rayleighTaylor(), radiativeLayer(),
	}
	slices.SortFunc(list, func(a, b *System) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Lookup returns the system with the given name.
func Lookup(name string) (*System, error) {
	var names []string
	for _, s := range Systems() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("solve: unknown system %q: expected one of %s", name, strings.Join(names, ", "))
}

// all returns the same boundary for every axis.
func all(dims int, bc data.BC) data.Boundaries {
	return slices.Repeat(data.Boundaries{data.Both(bc)}, dims)
}

// same returns a slice with the same value for every axis.
func same[T any](dims int, v T) []T { return slices.Repeat([]T{v}, dims) }

// narrow converts src to float32 values in dst and returns the rest of dst.
func narrow(dst []float32, src []float64) []float32 {
	for i, v := range src {
		dst[i] = float32(v)
	}
	return dst[len(src):]
}

// tooMany returns an error unless a number of time steps is finite and can be computed.
func tooMany(steps float64) error {
	if !(steps <= 1<<30) {
		return fmt.Errorf("the solution needs %v time steps to the next frame: it needs milder parameters or a shorter interval", steps)
	}
	return nil
}

// lost returns an error if a value is not finite.
func lost(fields ...[]float64) error {
	for _, f := range fields {
		for i, v := range f {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("the solution is %v at point %d: it needs a finer grid or milder parameters", v, i)
			}
		}
	}
	return nil
}

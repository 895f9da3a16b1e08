package recipe

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Simulated describes the simulated trajectories of a system. Each pair of a grid and
// boundaries becomes a separate data set with an equal part of the entry's weight. XLA
// compiles the network for each pair.
type Simulated struct {
	// Grids are the numbers of points along the axes. By default they are the grids of the
	// system's solve.Variety.
	Grids [][]int `yaml:"grids"`
	// Boundaries are texts for data.ParseBoundaries, with one condition per axis:
	// "periodic,wall". By default they are the boundaries of the system's solve.Variety.
	Boundaries []string `yaml:"boundaries"`
	// Combinations is the number of pairs of grid and boundaries, negative for all
	// pairs. By default each grid and each set of boundaries occurs at least once: the
	// number is the larger of the two. Fewer pairs differ in both as far as possible.
	Combinations int `yaml:"combinations"`
	// Start is the kind of the initial state, Interval the time between two frames and
	// Parameters are parameters by name. Values that are left out are drawn for each
	// trajectory.
	Start      string             `yaml:"start"`
	Interval   float64            `yaml:"interval"`
	Parameters map[string]float64 `yaml:"parameters"`
	// Frames is the number of frames of a trajectory; 0 means 24. WindowsPerRun is the
	// number of windows that are drawn from a trajectory before it is discarded; 0
	// means 4.
	Frames        int `yaml:"frames"`
	WindowsPerRun int `yaml:"windows_per_run"`
	// Runs is the number of trajectories of each data set, which then repeat; 0 means
	// without end (65536).
	Runs int `yaml:"runs"`
	// Valid is the number of validation trajectories of each data set, which are never
	// trained on; 0 means 2, a negative number none.
	Valid int `yaml:"valid"`
}

// Simulation sets limits for all simulated data sets together: solve.PoolOptions.
type Simulation struct {
	// Seed determines the trajectories; 0 means the seed of the recipe.
	Seed uint64 `yaml:"seed"`
	// Workers is the number of simulations that run at the same time; 0 means the
	// number of processors. Ahead is the number of micro-batches by which they run
	// ahead of training; 0 means 32.
	Workers int `yaml:"workers"`
	Ahead   int `yaml:"ahead"`
	// MemoryBytes limits the trajectories in memory; 0 means 1 GiB.
	MemoryBytes int64 `yaml:"memory_bytes"`
	// Cache is a folder that keeps trajectories for other runs with the same seed and
	// systems; by default nothing is kept. CacheBytes limits the folder's size; 0 means
	// 4 GiB. Empty the folder after a change of a solver.
	Cache      string `yaml:"cache"`
	CacheBytes int64  `yaml:"cache_bytes"`
}

// isZero reports whether no key is given.
func (s Simulated) isZero() bool {
	return s.Grids == nil && s.Boundaries == nil && s.Parameters == nil && s.Start == "" && s.Interval == 0 &&
		s.Combinations == 0 && s.Frames == 0 && s.WindowsPerRun == 0 && s.Runs == 0 && s.Valid == 0
}

// check checks that an entry has either a path or a system.
func (d Data) check() error {
	switch {
	case d.TrainSet != nil:
		return d.checkGiven()
	case d.ValidSet != nil:
		return errors.New("expected training data with the validation data (TrainSet), got none")
	case d.Path == "" && d.Simulate == "":
		return errors.New("expected a path, or a system to simulate, got none")
	case d.Path != "" && d.Simulate != "":
		return fmt.Errorf("expected either a path or a system to simulate, got %s and %s", d.Path, d.Simulate)
	case d.Simulate == "" && !d.Simulated.isZero():
		return fmt.Errorf("%s: grids, boundaries, combinations, start, interval, parameters, frames, windows_per_run, runs and valid belong to entries with simulate", d.Path)
	case d.Simulate != "" && d.Transforms != nil:
		return fmt.Errorf("%s: expected no transforms of a simulated system, got %v", d.Simulate, d.Transforms)
	case d.Runs < 0:
		return fmt.Errorf("%s: runs: expected a positive number, or 0 for runs without end, got %d", d.Simulate, d.Runs)
	}
	return nil
}

// simulated adds the data sets of an entry.
func (o *Opened) simulated(r *Recipe, d Data) error {
	switch r.Objective.Statistics {
	case "", "history":
	default:
		return fmt.Errorf("objective: statistics: expected history, because simulated systems have no others, got %q", r.Objective.Statistics)
	}
	system, err := solve.Lookup(d.Simulate)
	if err != nil {
		return err
	}
	if err := o.startPool(r); err != nil {
		return err
	}
	cases, err := d.cases(system)
	if err != nil {
		return err
	}
	for _, c := range cases {
		if err := o.stream(r, d, system, c, len(cases)); err != nil {
			return err
		}
	}
	return nil
}

// startPool starts the workers that all simulated data sets share.
func (o *Opened) startPool(r *Recipe) (err error) {
	if o.pool != nil {
		return nil
	}
	s := r.Simulation
	options := solve.PoolOptions{Workers: s.Workers, Ahead: s.Ahead, Memory: s.MemoryBytes, CacheBytes: s.CacheBytes, Log: r.Log}
	if s.Cache != "" {
		options.CacheDir = r.path(s.Cache)
	}
	if o.pool, err = solve.NewPool(options); err != nil {
		return fmt.Errorf("simulation: %w", err)
	}
	return nil
}

// stream adds one of n data sets of an entry.
func (o *Opened) stream(r *Recipe, d Data, system *solve.System, c solve.Case, n int) (err error) {
	s := train.System{Name: caseName(d, c), Weight: d.Weight / float64(n)}
	if d.Weight == 0 {
		s.Weight = 1 / float64(n)
	}
	for _, other := range o.Options.Systems {
		if other.Name == s.Name {
			return fmt.Errorf("expected data sets of different names, got %s twice: give the entries a name", s.Name)
		}
	}
	seed := r.Simulation.Seed
	if seed == 0 {
		seed = r.Seed
	}
	options := solve.StreamOptions{System: system, Name: s.Name, Case: c, Frames: d.Frames, Trajectories: d.Runs,
		Windows: d.WindowsPerRun, Seed: seed, Split: "train"}
	if s.Train, err = solve.NewStream(o.pool, options); err != nil {
		return err
	}
	if d.Valid >= 0 {
		if options.Trajectories = d.Valid; d.Valid == 0 {
			options.Trajectories = 2
		}
		if options.Split = "valid"; !r.thrifty {
			options.Windows = 1
		}
		if s.Valid, err = solve.NewStream(o.pool, options); err != nil {
			return err
		}
	}
	if s.Rotations, err = rotations(d.Rotations); err != nil {
		return err
	}
	if err := r.sample(&s, d); err != nil {
		return err
	}
	o.Options.Systems = append(o.Options.Systems, s)
	return nil
}

// cases returns the pairs of grids and boundaries of an entry.
func (d Data) cases(system *solve.System) ([]solve.Case, error) {
	grids, boundaries := d.Grids, []data.Boundaries(nil)
	if len(grids) == 0 {
		grids = system.Variety.Grids
	}
	if len(grids) == 0 {
		grids = [][]int{system.Grid}
	}
	for _, text := range d.Boundaries {
		b, err := data.ParseBoundaries(text)
		if err != nil {
			return nil, fmt.Errorf("boundaries: %w", err)
		}
		boundaries = append(boundaries, b)
	}
	if len(boundaries) == 0 {
		boundaries = system.Variety.Boundaries
	}
	if len(boundaries) == 0 {
		boundaries = []data.Boundaries{system.Boundaries}
	}
	grids, boundaries = distinct(grids), distinct(boundaries)
	all := pairs(len(grids), len(boundaries))
	n := d.Combinations
	switch {
	case n == 0:
		n = max(len(grids), len(boundaries))
	case n < 0 || n > len(all):
		n = len(all)
	}
	var out []solve.Case
	for _, pair := range all[:n] {
		out = append(out, solve.Case{Grid: grids[pair[0]], Boundaries: boundaries[pair[1]], Start: d.Start, Interval: d.Interval, Values: d.Parameters})
	}
	return out, nil
}

// distinct returns lists without repetitions.
func distinct[L ~[]T, T comparable](lists []L) []L {
	var out []L
	for _, l := range lists {
		if !slices.ContainsFunc(out, func(o L) bool { return slices.Equal(o, l) }) {
			out = append(out, l)
		}
	}
	return out
}

// pairs returns all pairs of numbers below a and below b. Every number occurs before
// any occurs again, as far as their counts allow.
func pairs(a, b int) [][2]int {
	var out [][2]int
	most, least := max(a, b), min(a, b)
	for shift := range least {
		for i := range most {
			if j := (i + shift) % least; a >= b {
				out = append(out, [2]int{i, j})
			} else {
				out = append(out, [2]int{j, i})
			}
		}
	}
	return out
}

// caseName names a data set: euler_periodic_48x32_wall-open, or euler_periodic_48x32_open
// if all axes have the same boundary.
func caseName(d Data, c solve.Case) string {
	name := d.Name
	if name == "" {
		name = d.Simulate
	}
	var grid, sides []string
	same := true
	for a, n := range c.Grid {
		grid = append(grid, fmt.Sprint(n))
		if a < len(c.Boundaries) {
			sides = append(sides, strings.ReplaceAll(c.Boundaries[a].String(), "/", "+"))
			same = same && c.Boundaries[a] == c.Boundaries[0]
		}
	}
	if same && len(sides) > 0 {
		sides = sides[:1]
	}
	return name + "_" + strings.Join(grid, "x") + "_" + strings.Join(sides, "-")
}

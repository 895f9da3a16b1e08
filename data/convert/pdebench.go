package convert

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/hdf5"
	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// axisLetters names the spatial axes.
const axisLetters = "xyz"

// every returns the same boundary for all axes.
func every(dims int, bc data.BC) data.Boundaries {
	return slices.Repeat(data.Boundaries{data.Both(bc)}, dims)
}

// openPDEBenchCNS opens compressible Navier–Stokes: arrays [n, t, x, y(, z)] of density,
// pressure and velocities. The list of times may have one entry more than there are frames.
func openPDEBenchCNS(path string) (*source, error) {
	return open(path, func(f *hdf5.File, s *source) error {
		names, err := f.Children("/")
		if err != nil {
			return err
		}
		dims := 2
		if slices.Contains(names, "Vz") {
			dims = 3
		}
		var from []channel
		for _, name := range []string{"density", "pressure", "Vx", "Vy", "Vz"}[:2+dims] {
			a, err := openArray(f, "/"+name, "nt"+axisLetters[:dims])
			if err != nil {
				return err
			}
			from = append(from, channel{a, 0})
		}
		if s.frame, err = channels(from); err != nil {
			return err
		}
		first := from[0].from
		h := &s.header
		h.Fields = []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}}
		h.Trajectories = first.size('n')
		for _, axis := range axisLetters[:dims] {
			x, err := coordinate(f, fmt.Sprintf("/%c-coordinate", axis), first.size(axis))
			if err != nil {
				return err
			}
			h.Coordinates = append(h.Coordinates, x)
		}
		times, err := list(f, "/t-coordinate")
		if err != nil {
			return err
		}
		if n := first.size('t'); len(times) < n || len(times) > n+1 {
			return fmt.Errorf("/t-coordinate: expected %d or %d times, got %d", n, n+1, len(times))
		}
		h.Times = times[:first.size('t')]
		if h.Boundaries, err = cnsBoundaries(path, dims); err != nil {
			return err
		}
		return numbers(f, s)
	})
}

// coordinate reads a list of exactly n entries.
func coordinate(f *hdf5.File, path string, n int) ([]float32, error) {
	x, err := list(f, path)
	if err == nil && len(x) != n {
		err = fmt.Errorf("%s: expected %d entries, got %d", path, n, len(x))
	}
	return x, err
}

// cnsBoundaries returns the boundaries that the name of the file contains, the only place
// where PDEBench states them. If the name has none, they stay unset, and Options.Boundaries
// must give them.
func cnsBoundaries(path string, dims int) (data.Boundaries, error) {
	switch name := strings.ToLower(filepath.Base(path)); {
	case strings.Contains(name, "periodic"):
		return every(dims, data.Periodic), nil
	case strings.Contains(name, "trans"):
		return every(dims, data.Open), nil
	}
	return make(data.Boundaries, dims), nil
}

// numbers adds the numeric attributes of the root group as scalars, and a note for each
// other attribute.
func numbers(f *hdf5.File, s *source) error {
	names, err := f.Attributes("/")
	if err != nil {
		return err
	}
	for _, name := range names {
		switch v, err := f.Attribute("/", name); v := v.(type) {
		case float64:
			s.header.Parameters = append(s.header.Parameters, well.Parameter{Name: name, Value: v})
		case int64:
			s.header.Parameters = append(s.header.Parameters, well.Parameter{Name: name, Value: float64(v)})
		default:
			s.note("the attribute %q is not a number and was left out (%v)", name, err)
		}
	}
	return nil
}

// openPDEBenchNS opens incompressible Navier–Stokes with a force: velocity and particles
// [n, t, x, y, c], force [n, x, y, c].
func openPDEBenchNS(path string) (*source, error) {
	return open(path, func(f *hdf5.File, s *source) error {
		velocity, err := openArray(f, "/velocity", "ntxyc")
		if err != nil {
			return err
		}
		particles, err := openArray(f, "/particles", "ntxyc")
		if err != nil {
			return err
		}
		force, err := openArray(f, "/force", "nxyc")
		if err != nil {
			return err
		}
		if s.frame, err = channels([]channel{{particles, 0}, {velocity, 0}, {velocity, 1}}); err != nil {
			return err
		}
		constant, err := channels([]channel{{force, 0}, {force, 1}})
		if err == nil {
			err = force.same(velocity)
		}
		if err != nil {
			return err
		}
		s.constants = func(trajectory int, dst []float32) error { return constant(trajectory, 0, dst) }
		h := &s.header
		h.Fields = []data.Field{{Name: "tracer"}, {Name: "velocity", Order: 1}, {Name: "force", Order: 1, Constant: true}}
		h.Trajectories, h.Boundaries = velocity.size('n'), every(2, data.Wall)
		h.Coordinates = [][]float32{counted(velocity.size('x')), counted(velocity.size('y'))}
		s.note("the file has no coordinates: points are counted from 0")
		if h.Times, err = sharedRow(f, "/t", h.Trajectories, velocity.size('t')); err != nil {
			return err
		}
		return numbers(f, s)
	})
}

// sharedRow reads a dataset [n, k] whose rows must be equal, and returns one row.
func sharedRow(f *hdf5.File, path string, n, k int) ([]float32, error) {
	a, err := openArray(f, path, "nx")
	if err != nil {
		return nil, err
	}
	if a.size('n') != n || a.size('x') != k {
		return nil, fmt.Errorf("%s: expected shape [%d %d], got %v", path, n, k, a.ds.Shape())
	}
	first, row := make([]float32, k), make([]float32, k)
	for i := range n {
		if err := a.read(row, i, 0, 0); err != nil {
			return nil, err
		}
		if i == 0 {
			copy(first, row)
		}
		if !slices.Equal(first, row) {
			return nil, fmt.Errorf("%s: expected the same values for all trajectories, trajectory %d has others", path, i)
		}
	}
	return first, nil
}

// openDiffusionReaction and openDamBreak open files with one group per simulation.
func openDiffusionReaction(path string) (*source, error) {
	return openGroups(path, []data.Field{{Name: "A"}, {Name: "B"}}, data.Wall)
}

func openDamBreak(path string) (*source, error) {
	return openGroups(path, []data.Field{{Name: "height"}}, data.Open)
}

// openGroups opens a file with one group per simulation: data [t, x, y, c], grid/x, grid/y,
// grid/t, and a YAML text with the parameters.
func openGroups(path string, fields []data.Field, bc data.BC) (*source, error) {
	return open(path, func(f *hdf5.File, s *source) error {
		groups, err := f.Children("/")
		if err != nil {
			return err
		}
		if len(groups) == 0 {
			return fmt.Errorf("expected a group for each simulation, got none")
		}
		h := &s.header
		h.Fields, h.Trajectories, h.Boundaries = fields, len(groups), every(2, bc)
		frames := make([]func(trajectory, step int, dst []float32) error, len(groups))
		configs := make([]map[string]float64, len(groups))
		for i, g := range groups {
			a, err := openArray(f, "/"+g+"/data", "txyc")
			if err != nil {
				return err
			}
			if a.size('c') != len(fields) {
				return fmt.Errorf("%s: expected %d channels, got shape %v", a.path, len(fields), a.ds.Shape())
			}
			from := make([]channel, len(fields))
			for c := range from {
				from[c] = channel{a, c}
			}
			if frames[i], err = channels(from); err != nil {
				return err
			}
			if err := sameGrid(f, h, g, a); err != nil {
				return err
			}
			if configs[i], err = config(f, g); err != nil {
				return err
			}
		}
		s.frame = func(trajectory, step int, dst []float32) error { return frames[trajectory](0, step, dst) }
		s.spread(configs)
		return nil
	})
}

// sameGrid stores grid and times of the first group in h and compares those of the others.
func sameGrid(f *hdf5.File, h *well.Header, group string, a *array) error {
	var got [][]float32
	for _, axis := range "txy" {
		x, err := coordinate(f, fmt.Sprintf("/%s/grid/%c", group, axis), a.size(axis))
		if err != nil {
			return err
		}
		got = append(got, x)
	}
	if h.Times == nil {
		h.Times, h.Coordinates = got[0], got[1:]
	}
	if !slices.Equal(got[0], h.Times) || !slices.Equal(got[1], h.Coordinates[0]) || !slices.Equal(got[2], h.Coordinates[1]) {
		return fmt.Errorf("/%s/grid: expected the times and the grid of the first simulation, got others", group)
	}
	return nil
}

// config returns the numbers in the attribute config of a group. The names of sections
// become prefixes.
func config(f *hdf5.File, group string) (map[string]float64, error) {
	text, err := f.Attribute("/"+group, "config")
	if err != nil {
		return nil, err
	}
	s, ok := text.(string)
	if !ok {
		return nil, fmt.Errorf(`/%s: attribute "config": expected a text, got %T`, group, text)
	}
	var tree map[string]any
	doc, err := yamltext.Parse([]byte(s))
	if err == nil {
		err = yamltext.Decode(doc.Root, &tree)
	}
	if err != nil && !errors.Is(err, yamltext.ErrEmpty) {
		return nil, fmt.Errorf(`/%s: attribute "config": expected YAML: %w`, group, err)
	}
	out := map[string]float64{}
	if err := flatten(out, "", tree); err != nil {
		return nil, fmt.Errorf(`/%s: attribute "config": %w`, group, err)
	}
	return out, nil
}

// maxName bounds the names that flatten joins, which repeat the names of their sections.
const maxName = 256

// flatten adds the numbers of a tree to out: {heater: {temp: 97}} becomes heater_temp.
func flatten(out map[string]float64, prefix string, tree map[string]any) error {
	for key, v := range tree {
		name := prefix + key
		if len(name) > maxName {
			return fmt.Errorf("expected names of at most %d bytes with those of their sections, got %.40q…", maxName, name)
		}
		switch v := v.(type) {
		case map[string]any:
			if err := flatten(out, name+"_", v); err != nil {
				return err
			}
		case float64:
			out[name] = v
		case int64:
			out[name] = float64(v)
		case uint64:
			out[name] = float64(v)
		case int:
			out[name] = float64(v)
		}
	}
	return nil
}

// spread adds a scalar for every number that all simulations have.
func (s *source) spread(configs []map[string]float64) {
	s.scalars = map[string][]float32{}
	for _, name := range slices.Sorted(maps.Keys(configs[0])) {
		var values []float32
		for _, c := range configs {
			if v, ok := c[name]; ok {
				values = append(values, float32(v))
			}
		}
		if len(values) < len(configs) {
			s.note("the number %q is not given for all simulations and was left out", name)
			continue
		}
		s.scalars[name] = values
		s.header.Scalars = append(s.header.Scalars, well.ScalarSpec{Name: name, Constant: true})
	}
}

package mapping

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// cartesian lists the axes of Cartesian grids.
var cartesian = []string{"x", "y", "z"}

// reserved lists the axes with a meaning that are no axes of a grid.
var reserved = []string{trajectoryName, timeName, component, component2, "_"}

// schema is a checked mapping: what follows from it without the files.
type schema struct {
	*Mapping
	grid []string
	// fields is sorted as in a window: variable before constant, then by tensor order.
	fields []data.Field
	plans  []*plan
	// channels counts the variable and the constant channels.
	channels [2]int
}

// check checks everything that needs no files.
func (m *Mapping) check() (*schema, error) {
	s := &schema{Mapping: m}
	for _, step := range []func() error{s.checkName, s.setGrid, s.checkBoundaries, s.setFields} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *schema) checkName() error {
	if s.Name == "" || s.Name != strings.Trim(s.Name, ".") || strings.ContainsAny(s.Name, `/\:`) {
		return s.fault("name", "expected the name of the data set, which is also that of its folder, got %q: add a line such as name: channel_flow", s.Name)
	}
	if s.Files == "" {
		return s.fault("files", `expected a pattern of files, got none: add a line such as files: "run_{trajectory}.h5"`)
	}
	if len(s.Fields) == 0 {
		return s.fault("fields", "expected at least one field, got none: add lines such as fields: {density: rho}")
	}
	return nil
}

// axesOf returns the axes of a source.
func (s *schema) axesOf(src Source) []string {
	if src.Axes != nil {
		return src.Axes
	}
	return s.Axes
}

// setGrid sets the axes of the grid.
func (s *schema) setGrid() error {
	curvilinear := s.GridType != "" && s.GridType != data.CartesianGrid
	if curvilinear && len(s.Grid) == 0 {
		return s.fault("grid_type", `expected grid, the names of the axes of a %s grid in the order of the result, got none: add a line such as grid: "theta, phi"`, s.GridType)
	}
	if s.grid = s.Grid; len(s.grid) == 0 {
		for _, axis := range cartesian {
			if s.uses(axis) {
				s.grid = append(s.grid, axis)
			}
		}
	}
	if n := len(s.grid); n < 1 || n > 3 {
		return s.fault("axes", `expected 1 to 3 axes of the grid among the axes of the fields, got %v: list the axes of the arrays in the order of their shape, such as axes: "trajectory, time, y, x"`, s.grid)
	}
	if !curvilinear && !slices.Equal(s.grid, cartesian[:len(s.grid)]) {
		return s.fault("axes", "expected the grid axes %v of a Cartesian grid of %d axes, got %v: call the axes of the arrays by these names, or state grid_type and grid", cartesian[:len(s.grid)], len(s.grid), s.grid)
	}
	for i, axis := range s.grid {
		if slices.Contains(reserved, axis) || slices.Contains(s.grid[:i], axis) {
			return s.fault("grid", "expected the names of axes of the grid, each once, got %v", s.grid)
		}
	}
	return nil
}

// uses reports whether a field varies along an axis.
func (s *schema) uses(axis string) bool {
	for _, f := range s.Fields {
		for _, src := range f.Components {
			if _, fixed := src.At[axis]; !fixed && slices.Contains(s.axesOf(src), axis) {
				return true
			}
		}
	}
	return false
}

func (s *schema) checkBoundaries() error {
	for _, axis := range s.grid {
		b, ok := s.Boundaries[axis]
		if !ok {
			e := s.fault("boundaries", "expected the boundary, got none; there is no default: add a line such as boundaries: {%s: periodic}", strings.Join(s.grid, ": periodic, "))
			e.Axis = axis
			return e
		}
		if err := b.Validate(); err != nil {
			e := s.fault("boundaries."+axis, "%w", err)
			e.Axis = axis
			return e
		}
	}
	for _, axis := range keysOf(s.Boundaries) {
		if !slices.Contains(s.grid, axis) {
			return s.fault("boundaries."+axis, "expected boundaries of the axes %v, got one of %s", s.grid, axis)
		}
	}
	for _, axis := range keysOf(s.Coordinates) {
		if !slices.Contains(s.grid, axis) {
			return s.fault("coordinates."+axis, "expected coordinates of the axes %v, got those of %s", s.grid, axis)
		}
	}
	return nil
}

// setFields checks the fields and plans how to read them.
func (s *schema) setFields() error {
	type item struct {
		field   data.Field
		of      Field
		sources []Source
	}
	var list []item
	for _, f := range s.Fields {
		if strings.ContainsAny(f.Name, "/\x00") {
			return s.fault("fields."+f.Name, "expected the name of a field without a slash, got %q", f.Name)
		}
		order, names, err := s.components(f)
		if err != nil {
			return err
		}
		it := item{field: data.Field{Name: f.Name, Order: order}, of: f}
		for i, name := range names {
			src := f.Components[name]
			if err := s.checkSource(componentKey(f.Name, name), src, s.grid); err != nil {
				return err
			}
			if _, fixed := src.At[timeName]; f.Constant && !fixed && slices.Contains(s.axesOf(src), timeName) {
				return s.fault("fields."+f.Name, "expected a constant field without an axis time, got the axes %v: give an index such as %s[time=0]", s.axesOf(src), src.Array).of("", src)
			}
			constant := f.Constant || !s.varies(src)
			if i > 0 && constant != it.field.Constant {
				return s.fault("fields."+f.Name, "expected components that all have a time axis or all have none, got both")
			}
			it.field.Constant = constant
			it.sources = append(it.sources, src)
		}
		list = append(list, it)
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].field, list[j].field
		if a.Constant != b.Constant {
			return b.Constant
		}
		return a.Order < b.Order
	})
	for _, it := range list {
		_, names, _ := s.components(it.of)
		for i, src := range it.sources {
			s.plan(it.field, it.of, componentKey(it.of.Name, names[i]), src)
		}
		s.fields = append(s.fields, it.field)
	}
	w := data.Window{Fields: s.fields, Grid: slices.Repeat([]int{1}, len(s.grid)), Axes: s.grid, Curvilinear: !s.isCartesian(),
		Boundaries: slices.Repeat(data.Boundaries{data.Both(data.Open)}, len(s.grid))}
	if err := w.ValidateLayout(); err != nil {
		return s.fault("fields", "%w", err)
	}
	return nil
}

func (s *schema) isCartesian() bool { return s.GridType == "" || s.GridType == data.CartesianGrid }

// componentKey returns the key of a component for lines: "fields.velocity.x".
func componentKey(field, name string) string {
	return strings.TrimSuffix("fields."+field+"."+name, ".")
}

// components returns tensor order and component names of a field, in the order of the
// window. The components that a mapping gives are matched by name.
func (s *schema) components(f Field) (order int, names []string, err error) {
	var suffixes [3][]string
	suffixes[0] = []string{""}
	suffixes[1] = s.grid
	for _, a := range s.grid {
		for _, b := range s.grid {
			suffixes[2] = append(suffixes[2], a+b)
		}
	}
	got := keysOf(f.Components)
	for order, names := range suffixes {
		want := slices.Sorted(slices.Values(names))
		if slices.Equal(want, got) {
			return order, names, nil
		}
	}
	return 0, nil, s.fault("fields."+f.Name, "expected one array, the components %v of a vector or %v of a tensor, got %v: name the components by the axes of the grid", suffixes[1], suffixes[2], got)
}

// checkSource checks the axes of a source. grid lists the axes of the grid that it may
// have.
func (s *schema) checkSource(key string, src Source, grid []string) error {
	axes := s.axesOf(src)
	if axes == nil {
		return s.fault(key, `expected the axes of the array, got none: add a line such as axes: "trajectory, time, y, x"`).of("", src)
	}
	for i, axis := range axes {
		_, fixed := src.At[axis]
		e := s.fault(key, "")
		e.Axis = axis
		switch {
		case axis == "_":
			continue
		case slices.Contains(axes[:i], axis):
			e.Err = fmt.Errorf("expected each axis once, got the axes %v", axes)
		case fixed || axis == trajectoryName || axis == timeName || slices.Contains(grid, axis):
			continue
		case axis == component:
			e.Err = fmt.Errorf(`expected components, the names along the axis, such as {array: %s, components: "y, x"}, or an index such as %s[component=0]`, src.Array, src.Array)
		default:
			e.Err = fmt.Errorf("expected trajectory, time, component or an axis of the grid %v, got %s: correct the name (Cartesian axes are x, y and z), or give an index such as %s[%s=0]", grid, axis, src.Array, axis)
		}
		return e.of("", src)
	}
	for _, axis := range keysOf(src.At) {
		if !slices.Contains(axes, axis) {
			return s.fault(key, "expected an index on one of the axes %v, got one on %s: add it to the axes of the array", axes, axis).of("", src)
		}
	}
	return nil
}

// stepwise reports whether a source has one file, or one group of a file, per step.
func (s *schema) stepwise(src Source) bool {
	pattern := src.File
	if pattern == "" {
		pattern = s.Files
	}
	return slices.Contains(patternNames(pattern), timeName) || slices.Contains(patternNames(src.Array), timeName)
}

// groupedByTime reports whether the steps of a unit come from files or groups per step.
func (s *schema) groupedByTime() bool {
	if slices.Contains(patternNames(s.Files), timeName) {
		return true
	}
	return slices.ContainsFunc(s.plans, func(p *plan) bool {
		return p.source.File == "" && slices.Contains(patternNames(p.source.Array), timeName)
	})
}

// varies reports whether a source changes with time.
func (s *schema) varies(src Source) bool {
	_, fixed := src.At[timeName]
	return s.stepwise(src) || (!fixed && slices.Contains(s.axesOf(src), timeName))
}

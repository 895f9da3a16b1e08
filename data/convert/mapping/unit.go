package mapping

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// unit is a group of files that together hold one or more trajectories: all files that
// differ in {time} and {array} only.
type unit struct {
	// captures holds the texts that all files share.
	captures map[string]string
	// steps holds the files in the order of their times, one group per time.
	steps  []stepFiles
	byTime map[string]int

	trajectories, frames int
	// starts holds, for files per step, the first frame of each and the number of frames.
	starts []int
	// times holds one list, or one per trajectory.
	times       [][]float32
	coordinates [][]float32
	scalars     []series
}

// stepFiles holds the files of one time by the array that they hold, "" for all.
type stepFiles struct {
	captures map[string]string
	paths    map[string]string
}

// series holds the values of a scalar: one list, or one per trajectory; of one value if it
// is constant.
type series struct {
	name     string
	constant bool
	values   [][]float32
}

// row returns the values of a trajectory.
func row(lists [][]float32, trajectory int) []float32 { return lists[min(trajectory, len(lists)-1)] }

// first returns the path of a file of the unit, for messages.
func (u *unit) first() string { return u.steps[0].first() }

func (s stepFiles) first() string { return s.paths[keysOf(s.paths)[0]] }

// findUnits finds the files and groups them.
func (d *Dataset) findUnits() ([]*unit, error) {
	s := d.schema
	list, err := glob(s.Dir, s.Files)
	if err != nil {
		return nil, s.fault("files", "%w", err)
	}
	perArray := slices.Contains(patternNames(s.Files), arrayName)
	wanted := s.arrays()
	type numbered struct {
		key []string
		u   *unit
	}
	byKey := map[string]*numbered{}
	var groups []*numbered
	for _, f := range list {
		if perArray && !wanted[f.captures[arrayName]] {
			continue
		}
		shared := maps.Clone(f.captures)
		delete(shared, timeName)
		delete(shared, arrayName)
		var key []string
		for _, name := range keysOf(shared) {
			key = append(key, shared[name])
		}
		id := strings.Join(key, "\x00")
		g := byKey[id]
		if g == nil {
			g = &numbered{key, &unit{captures: shared, byTime: map[string]int{}}}
			byKey[id] = g
			groups = append(groups, g)
		}
		if err := g.u.add(f); err != nil {
			return nil, s.fault("files", "%w", err)
		}
	}
	if len(groups) == 0 {
		return nil, s.fault("files", "expected a file for each of the arrays %v, got none of them: {array} stands for the names that fields has", keysOf(wanted))
	}
	for i := 0; i < len(groups); i++ {
		more, err := d.perGroup(groups[i].u)
		if err != nil {
			return nil, err
		}
		if more == nil {
			continue
		}
		var list []*numbered
		for _, u := range more {
			list = append(list, &numbered{append(slices.Clone(groups[i].key), u.captures[groupName]), u})
		}
		groups = slices.Replace(groups, i, i+1, list...)
		i += len(list) - 1
	}
	slices.SortStableFunc(groups, func(a, b *numbered) int { return slices.CompareFunc(a.key, b.key, natural) })
	out := make([]*unit, len(groups))
	for i, g := range groups {
		slices.SortStableFunc(g.u.steps, func(a, b stepFiles) int { return natural(a.captures[timeName], b.captures[timeName]) })
		out[i] = g.u
	}
	return out, nil
}

// groupName is the capture that orders the groups of a file.
const groupName = "*group"

// perGroup returns a unit for each text that the names in braces of an array match, if an
// array of the mapping has such names: one trajectory, or one step, per group of an HDF5 file.
func (d *Dataset) perGroup(u *unit) ([]*unit, error) {
	s := d.schema
	var p *plan // the array with the most names
	for _, q := range s.plans {
		n := len(patternNames(q.source.Array))
		if n > 0 && q.source.File == "" && (p == nil || n > len(patternNames(p.source.Array))) {
			p = q
		}
	}
	if p == nil {
		return nil, nil
	}
	if slices.Contains(patternNames(s.Files), arrayName) {
		return nil, s.fault(p.key, "expected an array without names in braces, as files has {array}").of("", p.source)
	}
	var arrays []info
	err := d.pool.with(u.first(), func(f *handle) (err error) {
		arrays, _, err = f.list()
		return err
	})
	if err != nil {
		return nil, s.fault("files", "%w", err)
	}
	re, names, err := compile(p.source.Array)
	if err != nil {
		return nil, s.fault(p.key, "%w", err).of("", p.source)
	}
	var out []*unit
	byGroup := map[string]*unit{}
	for _, a := range arrays {
		texts := re.FindStringSubmatch(a.name)
		if texts == nil {
			continue
		}
		f, ok := found{captures: u.captures}.extend(names, texts[1:])
		if !ok {
			continue
		}
		// Groups that differ in {time} alone are the steps of one unit.
		var key []string
		for i, name := range names {
			if name != timeName {
				key = append(key, texts[1+i])
			}
		}
		group := strings.Join(key, " ")
		one := byGroup[group]
		if one == nil {
			one = &unit{captures: maps.Clone(f.captures)}
			delete(one.captures, timeName)
			one.captures[groupName] = group
			byGroup[group] = one
			out = append(out, one)
		}
		for _, step := range u.steps {
			captures := maps.Clone(step.captures)
			maps.Copy(captures, f.captures)
			one.steps = append(one.steps, stepFiles{captures, step.paths})
		}
	}
	if len(out) == 0 {
		return nil, s.fault(p.key, "expected arrays that match, got none among %s: correct the name", few(namesOf(arrays))).of(u.first(), p.source)
	}
	return out, nil
}

// namesOf returns the names of arrays.
func namesOf(arrays []info) []string {
	names := make([]string, len(arrays))
	for i, a := range arrays {
		names[i] = a.name
	}
	return names
}

// arrays returns the names of all arrays in the files of the mapping.
func (s *schema) arrays() map[string]bool {
	out := map[string]bool{}
	add := func(src *Source) {
		if src != nil && src.File == "" {
			out[src.Array] = true
		}
	}
	for _, p := range s.plans {
		add(&p.source)
	}
	for _, v := range s.Coordinates {
		add(v.Source)
	}
	add(s.Times.Source)
	for _, q := range s.Parameters {
		add(q.Source)
	}
	return out
}

// add adds a file.
func (u *unit) add(f found) error {
	time, array := f.captures[timeName], f.captures[arrayName]
	i, ok := u.byTime[time]
	if !ok {
		i = len(u.steps)
		u.byTime[time] = i
		u.steps = append(u.steps, stepFiles{f.captures, map[string]string{}})
	}
	if old, dup := u.steps[i].paths[array]; dup {
		return fmt.Errorf("expected one file for each time, got %s and %s: give the parts of the names in which they differ names in braces", old, f.path)
	}
	u.steps[i].paths[array] = f.path
	return nil
}

// path returns the file that holds a source at a step, and whether the name of the file is
// that of the array.
func (s *schema) path(u *unit, step int, src Source) (path string, named bool, err error) {
	files := u.steps[step]
	if src.File != "" {
		captures := maps.Clone(files.captures)
		captures[arrayName] = src.Array
		if path, err = substitute(src.File, captures); err != nil {
			return "", false, err
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.Dir, filepath.FromSlash(path))
		}
		return path, slices.Contains(patternNames(src.File), arrayName), nil
	}
	if path, ok := files.paths[""]; ok {
		return path, false, nil
	}
	path, ok := files.paths[src.Array]
	if !ok {
		return "", true, fmt.Errorf("expected a file of the array, got none beside %s", u.first())
	}
	return path, true, nil
}

// open calls do with the array of a source at a step. Errors of the file are of type
// [*Error]; those of do are not changed.
func (d *Dataset) open(u *unit, step int, key string, src Source, do func(path string, a driver.Dataset) error) error {
	path, named, err := d.schema.path(u, step, src)
	if err == nil {
		src.Array, err = substitute(src.Array, u.steps[step].captures)
	}
	if err != nil {
		return d.schema.fault(key, "%w", err).of("", src)
	}
	inner := false
	err = d.pool.with(path, func(h *handle) error {
		a, err := h.array(src.Array, named)
		if err != nil {
			return err
		}
		inner = true
		return do(path, a)
	})
	if err == nil || inner {
		return err
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return d.schema.fault(key, "%w", err).of(path, src)
}

// lengths collects the lengths of axes and says which array gave each.
type lengths map[string]length

type length struct {
	n           int
	file, array string
}

// set sets or compares the length of an axis.
func (l lengths) set(s *schema, key, file string, src Source, axis string, n int) error {
	old, ok := l[axis]
	if !ok {
		l[axis] = length{n, file, src.Array}
		return nil
	}
	if old.n != n {
		e := s.fault(key, "expected the length %d, as in array %s of %s, got %d: correct the order of the axes, or leave the array out", old.n, old.array, slash(s.Dir, old.file), n).of(file, src)
		e.Axis = axis
		return e
	}
	return nil
}

// inspect reads the shapes of all arrays of a unit. grid collects the lengths of the axes of
// the grid over all units.
func (d *Dataset) inspect(u *unit, grid lengths) error {
	s := d.schema
	own := lengths{}
	stepwise := s.groupedByTime()
	for step := range u.steps {
		time := lengths{}
		for _, p := range s.plans {
			perStep := s.stepwise(p.source) && !p.constant
			if step > 0 && !perStep {
				continue
			}
			err := d.open(u, step, p.key, p.source, func(path string, a driver.Dataset) error {
				return d.shape(p, path, a.Shape(), perStep, own, time, grid)
			})
			if err != nil {
				return err
			}
		}
		if stepwise {
			u.starts = append(u.starts, u.frames)
			u.frames += time[timeName].n
		}
	}
	if stepwise {
		u.starts = append(u.starts, u.frames)
		if whole, ok := own[timeName]; ok && whole.n != u.frames {
			return s.fault("files", "expected %d steps in array %s, as the files have, got %d", u.frames, whole.array, whole.n)
		}
	} else {
		u.frames = own[timeName].n
	}
	if u.frames < 1 {
		return s.fault("files", "expected at least one step, got none in %s", u.first())
	}
	u.trajectories = 1
	if n, ok := own[trajectoryName]; ok {
		u.trajectories = n.n
		return d.needTrajectories(u)
	}
	return nil
}

// shape records the lengths of the axes of an array.
func (d *Dataset) shape(p *plan, path string, shape []int, perStep bool, own, time, grid lengths) error {
	s := d.schema
	// The parts share array and axes, so each index is checked on the shape.
	for _, c := range p.parts {
		src := p.source
		src.At = c.at
		if err := s.checkShape(p.key, path, src, shape); err != nil {
			return err
		}
	}
	hasTime := false
	for i, axis := range p.axes {
		if _, fixed := p.low[axis]; fixed || axis == "_" {
			continue
		}
		into := grid
		switch axis {
		case trajectoryName:
			into = own
		case timeName:
			hasTime = true
			if into = own; perStep {
				into = time
			}
		}
		if err := into.set(s, p.key, path, p.source, axis, shape[i]); err != nil {
			return err
		}
	}
	if perStep && !hasTime {
		return time.set(s, p.key, path, p.source, timeName, 1)
	}
	return nil
}

// needTrajectories returns an error for a field that changes with time and has no axis of
// trajectories where others have more than one.
func (d *Dataset) needTrajectories(u *unit) error {
	for _, p := range d.schema.plans {
		if _, fixed := p.low[trajectoryName]; u.trajectories > 1 && !p.constant && (fixed || !slices.Contains(p.axes, trajectoryName)) {
			return d.schema.fault(p.key, "expected an axis trajectory of length %d, as other fields have, got the axes %v", u.trajectories, p.axes).of(u.first(), p.source)
		}
	}
	return nil
}

// maxSmall bounds the numbers of coordinates, times and scalars of a file.
const maxSmall = 1 << 24

// small reads an array of coordinates, times or a scalar whole. defaults holds the axes of
// an array that states none, by its rank.
func (d *Dataset) small(u *unit, step int, key string, src Source, defaults [][]string, allowed ...string) (values []float64, axes []string, shape []int, err error) {
	s := d.schema
	err = d.open(u, step, key, src, func(path string, a driver.Dataset) error {
		full := a.Shape()
		if src.Axes == nil {
			if len(full) >= len(defaults) || defaults[len(full)] == nil {
				return s.fault(key, `expected an array of at most %d axes, got shape %v: state its axes, such as {array: %s, axes: "…"}`, len(defaults)-1, full, src.Array).of(path, src)
			}
			src.Axes = defaults[len(full)]
		}
		if err := s.checkSource(key, src, s.grid); err != nil {
			return err
		}
		if err := s.checkShape(key, path, src, full); err != nil {
			return err
		}
		offset, count := make([]int, len(full)), slices.Clone(full)
		for i, axis := range src.Axes {
			at, fixed := src.At[axis]
			switch {
			case fixed:
				offset[i], count[i] = at, 1
			case axis == "_":
			case !slices.Contains(allowed, axis):
				e := s.fault(key, "expected the axes %v, got %v: give an index on the other axes, such as %s[%s=0]", allowed, src.Axes, src.Array, axis).of(path, src)
				e.Axis = axis
				return e
			default:
				axes, shape = append(axes, axis), append(shape, full[i])
			}
		}
		n := 1
		for _, c := range count {
			if n *= c; n > maxSmall {
				return s.fault(key, "expected at most %d numbers, got shape %v", maxSmall, full).of(path, src)
			}
		}
		if err := d.keep(u, n); err != nil {
			return err
		}
		values = make([]float64, n)
		return a.Float64(values, offset, count)
	})
	if err != nil {
		if _, ok := errors.AsType[*Error](err); !ok {
			err = s.fault(key, "%w", err).of("", src)
		}
		return nil, nil, nil, err
	}
	return values, axes, shape, nil
}

// coordinate returns the coordinates of an axis with n points.
func (d *Dataset) coordinate(u *unit, axis string, n int) ([]float32, error) {
	s, key := d.schema, "coordinates."+axis
	v, ok := s.Coordinates[axis]
	out := make([]float32, n)
	check := func(got int, src Source) error {
		if got == n {
			return nil
		}
		e := s.fault(key, "expected %d coordinates, one per point of the fields, got %d", n, got).of("", src)
		e.Axis = axis
		return e
	}
	switch {
	case !ok:
		d.note("the mapping has no coordinates for %s: its points are counted from 0", axis)
		for i := range out {
			out[i] = float32(i)
		}
	case v.Range != nil:
		for i := range out {
			out[i] = float32(v.Range.at(i, n))
		}
	case v.List != nil:
		if err := check(len(v.List), Source{}); err != nil {
			return nil, err
		}
		for i, x := range v.List {
			out[i] = float32(x)
		}
	case v.Source != nil:
		values, _, _, err := d.small(u, 0, key, *v.Source, [][]string{nil, {axis}}, axis)
		if err == nil {
			err = check(len(values), *v.Source)
		}
		if err != nil {
			return nil, err
		}
		for i, x := range values {
			out[i] = float32(x)
		}
	default:
		return nil, s.fault(key, "expected an array, a list, or a range such as {from: 0, to: 1}")
	}
	for i, x := range out {
		if !finite(x) {
			e := s.fault(key, "expected finite coordinates, got %v at point %d: use a range such as {from: 0, to: 1}", x, i)
			e.Axis, e.File = axis, u.first()
			return nil, e
		}
	}
	return out, nil
}

// readTimes sets the times of a unit.
func (d *Dataset) readTimes(u *unit) error {
	s, v := d.schema, d.schema.Times
	switch {
	case v.Range != nil:
		u.times = [][]float32{make([]float32, u.frames)}
		for i := range u.times[0] {
			u.times[0][i] = float32(v.Range.at(i, u.frames))
		}
	case v.List != nil:
		u.times = [][]float32{make([]float32, len(v.List))}
		for i, x := range v.List {
			u.times[0][i] = float32(x)
		}
	case v.Source != nil:
		var err error
		if u.times, err = d.table(u, "times", *v.Source, true); err != nil {
			return err
		}
	case v.Name != "" || v.Attribute != "":
		list := make([]float32, len(u.steps))
		for i, step := range u.steps {
			var x float64
			var err error
			if v.Name != "" {
				x, err = number(step.captures, v.Name)
			} else {
				x, err = d.attribute(u, i, v.Attribute)
			}
			if err != nil {
				e := s.fault("times", "%w", err)
				e.File = step.first()
				return e
			}
			list[i] = float32(x)
		}
		u.times = [][]float32{list}
	default:
		d.note("the mapping has no times: steps are counted from 0")
		u.times = [][]float32{make([]float32, u.frames)}
		for i := range u.times[0] {
			u.times[0][i] = float32(i)
		}
	}
	for _, list := range u.times {
		if len(list) != u.frames {
			e := s.fault("times", "expected %d times, one per step, got %d: correct the array, or state times: {from: 0, step: …}", u.frames, len(list))
			e.File = u.first()
			return e
		}
		for i, t := range list {
			if !finite(t) || i > 0 && t <= list[i-1] {
				e := s.fault("times", "expected finite, increasing numbers as float32, got %v after %v at step %d: state times: {from: 0, step: …} if the files have none that increase", t, list[max(i-1, 0)], i)
				e.File = u.first()
				return e
			}
		}
	}
	return nil
}

// table reads an array with the axes trajectory and time: one list of values, or one per
// trajectory. Files with one step each give one part of the lists each.
func (d *Dataset) table(u *unit, key string, src Source, byTime bool) ([][]float32, error) {
	s := d.schema
	steps := 1
	if s.stepwise(src) && byTime {
		steps = len(u.steps)
	}
	rank1 := []string{trajectoryName}
	if byTime {
		rank1 = []string{timeName}
	}
	var out [][]float32
	for step := range steps {
		values, axes, shape, err := d.small(u, step, key, src, [][]string{{}, rank1}, trajectoryName, timeName)
		if err != nil {
			return nil, err
		}
		rows, columns := 1, 1
		at := slices.Index(axes, trajectoryName)
		for i, axis := range axes {
			if axis == trajectoryName {
				rows = shape[i]
			} else {
				columns = shape[i]
			}
		}
		if at >= 0 && rows != u.trajectories {
			e := s.fault(key, "expected %d numbers, one per trajectory, got %d", u.trajectories, rows).of(u.first(), src)
			e.Axis = trajectoryName
			return nil, e
		}
		if out == nil {
			out = make([][]float32, rows)
		}
		for r := range rows {
			for c := range columns {
				i := r*columns + c
				if at == 1 { // [time, trajectory]
					i = c*rows + r
				}
				out[r] = append(out[r], float32(values[i]))
			}
		}
	}
	return out, nil
}

// readScalars sets the parameters of a unit that are no plain numbers.
func (d *Dataset) readScalars(u *unit) error {
	s := d.schema
	for _, q := range s.Parameters {
		key := "parameters." + q.Name
		var values [][]float32
		constant := true
		switch {
		case q.Placeholder != "":
			v, err := number(u.captures, q.Placeholder)
			if err != nil {
				return s.fault(key, "%w", err)
			}
			values = [][]float32{{float32(v)}}
		case q.Attribute != "":
			v, err := d.attribute(u, 0, q.Attribute)
			if err != nil {
				e := s.fault(key, "%w", err)
				e.File = u.first()
				return e
			}
			values = [][]float32{{float32(v)}}
		case q.Source != nil:
			axes := q.Source.Axes
			_, fixed := q.Source.At[timeName]
			constant = fixed || !slices.Contains(axes, timeName)
			var err error
			if values, err = d.table(u, key, *q.Source, !constant); err != nil {
				return err
			}
		default:
			continue
		}
		want := u.frames
		if constant {
			want = 1
		}
		for _, list := range values {
			if len(list) != want {
				e := s.fault(key, "expected %d numbers, got %d", want, len(list))
				e.File = u.first()
				return e
			}
			for _, v := range list {
				if !finite(v) {
					e := s.fault(key, "expected finite numbers, got %v", v)
					e.File = u.first()
					return e
				}
			}
		}
		u.scalars = append(u.scalars, series{q.Name, constant, values})
	}
	return nil
}

// attribute returns a numeric attribute of the first file of a step. In HDF5 the name may
// be that of an attribute of an object: "group/name".
func (d *Dataset) attribute(u *unit, step int, name string) (v float64, err error) {
	if name, err = substitute(name, u.steps[step].captures); err != nil {
		return 0, err
	}
	err = d.pool.with(u.steps[step].first(), func(f *handle) error {
		raw, ok := f.attribute(name)
		if !ok {
			return fmt.Errorf("expected an attribute %q of the %s file, got none", name, f.format())
		}
		if v, ok = scalar(raw); !ok {
			return fmt.Errorf("attribute %q: expected a number, got %v", name, raw)
		}
		return nil
	})
	return v, err
}

// number parses the text that a name in braces matched.
func number(captures map[string]string, name string) (float64, error) {
	text, ok := captures[name]
	if !ok {
		return 0, fmt.Errorf("expected a name in braces of the pattern of the files, got {%s}", name)
	}
	v, err := parseFloat(text)
	if err != nil {
		return 0, fmt.Errorf("expected a number for {%s} in the names of the files, got %q", name, text)
	}
	return v, nil
}

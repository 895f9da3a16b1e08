package mapping

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// series holds the values of a scalar: one list, or one per trajectory; of one value if it
// is constant.
type series struct {
	name     string
	constant bool
	values   [][]float32
}

// row returns the values of a trajectory.
func row(lists [][]float32, trajectory int) []float32 { return lists[min(trajectory, len(lists)-1)] }

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
	return d.checkTimes(u)
}

// checkTimes returns an error unless there is a time for each step and they increase.
func (d *Dataset) checkTimes(u *unit) error {
	s := d.schema
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

package mapping

import (
	"slices"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

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

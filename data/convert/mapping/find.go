package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

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

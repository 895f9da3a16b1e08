package mapping

import (
	"math"
	"math/rand/v2"
	"path"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// divide assigns a split to each trajectory.
func (d *Dataset) divide() error {
	count := map[string]int{}
	for _, u := range d.units {
		file := u.first()
		for own := range u.trajectories {
			d.all = append(d.all, place{u, own, count[file]})
			count[file]++
		}
	}
	d.split = make([]string, len(d.all))
	s := d.schema
	switch {
	case len(s.Split.Ratios) > 0:
		return d.divideByRatio()
	case len(s.Split.Patterns) > 0:
		return d.divideByPattern()
	case len(s.Split.Numbers) > 0:
		return d.divideByNumber()
	case slices.Contains(patternNames(s.Files), splitName):
		return d.divideByFolder()
	}
	d.note("the mapping has no split: 80, 10 and 10 percent of the trajectories are drawn at random with seed %d", s.Split.Seed)
	train, valid, test := data.SplitTrajectories(len(d.all), s.Split.Seed)
	for i, numbers := range [][]int{train, valid, test} {
		for _, n := range numbers {
			d.split[n] = splitNames[i]
		}
	}
	return nil
}

// divideByRatio draws trajectories at random. The sizes of valid and test are rounded down,
// to at least one trajectory if enough are there.
func (d *Dataset) divideByRatio() error {
	s, n := d.schema, len(d.all)
	sum, parts := 0.0, 0
	for _, name := range keysOf(s.Split.Ratios) {
		r := s.Split.Ratios[name]
		if !slices.Contains(splitNames, name) || !(r >= 0 && r <= 1) {
			return s.fault("split."+name, "expected shares of 0 to 1 for train, valid and test, got %v for %q", r, name)
		}
		if sum += r; r > 0 {
			parts++
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		return s.fault("split", "expected shares that add up to 1, got %v", sum)
	}
	order := rand.New(rand.NewPCG(s.Split.Seed, 0x73706c6974)).Perm(n)
	for _, name := range []string{"test", "valid", "train"} {
		r := s.Split.Ratios[name]
		if r == 0 {
			continue
		}
		parts--
		// The small term makes 0.1 · 10 one trajectory.
		k := int(r*float64(n) + 1e-9)
		if k = max(k, 1); parts == 0 {
			k = len(order)
		}
		k = min(k, max(len(order)-parts, 0))
		for _, i := range order[:k] {
			d.split[i] = name
		}
		order = order[k:]
	}
	return nil
}

func (d *Dataset) divideByPattern() error {
	s := d.schema
	for i, p := range d.all {
		name := slash(s.Dir, p.u.first())
		for _, split := range keysOf(s.Split.Patterns) {
			ok, err := path.Match(s.Split.Patterns[split], name)
			if err != nil || !slices.Contains(splitNames, split) {
				return s.fault("split."+split, "expected a pattern such as \"runs/a*.h5\" for train, valid or test, got %q: %w", s.Split.Patterns[split], errPattern(err))
			}
			if ok && d.split[i] != "" {
				e := s.fault("split."+split, "expected each file in one split, got it in %s and %s", d.split[i], split)
				e.File = name
				return e
			}
			if ok {
				d.split[i] = split
			}
		}
		if d.split[i] == "" {
			e := s.fault("split", "expected a pattern that matches the file, got %v", s.Split.Patterns)
			e.File = name
			return e
		}
	}
	return nil
}

func errPattern(err error) error {
	if err == nil {
		return path.ErrBadPattern
	}
	return err
}

func (d *Dataset) divideByNumber() error {
	s := d.schema
	for _, split := range keysOf(s.Split.Numbers) {
		for _, n := range s.Split.Numbers[split] {
			switch {
			case !slices.Contains(splitNames, split):
				return s.fault("split", "expected train, valid and test, got %q", split)
			case n < 0 || n >= len(d.all):
				return s.fault("split."+split, "expected trajectories below %d, got %d", len(d.all), n)
			case d.split[n] != "":
				return s.fault("split."+split, "expected each trajectory in one split, got %d in %s and %s", n, d.split[n], split)
			}
			d.split[n] = split
		}
	}
	if i := slices.Index(d.split, ""); i >= 0 {
		e := s.fault("split", "expected every trajectory from 0 to %d in a split, got none for %d", len(d.all)-1, i)
		e.File = d.all[i].u.first()
		return e
	}
	return nil
}

// divideByFolder uses the text that {split} matched.
func (d *Dataset) divideByFolder() error {
	for i, p := range d.all {
		switch text := p.u.captures[splitName]; text {
		case "train", "training":
			d.split[i] = "train"
		case "valid", "val", "validation":
			d.split[i] = "valid"
		case "test", "testing":
			d.split[i] = "test"
		default:
			e := d.schema.fault("files", "expected train, valid or test for {split}, got %q", text)
			e.File = p.u.first()
			return e
		}
	}
	return nil
}

package mapping

import (
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
	d.assign(data.SplitTrajectories(len(d.all), s.Split.Seed))
	return nil
}

// divideByRatio draws trajectories at random.
func (d *Dataset) divideByRatio() error {
	s := d.schema
	for _, name := range keysOf(s.Split.Ratios) {
		if !slices.Contains(splitNames, name) {
			return s.fault("split."+name, "expected shares of train, valid and test, got one of %q", name)
		}
	}
	r := data.Ratios{Train: s.Split.Ratios["train"], Valid: s.Split.Ratios["valid"], Test: s.Split.Ratios["test"]}
	if err := r.Validate(); err != nil {
		return s.fault("split", "%w", err)
	}
	train, valid, test, err := data.SplitByRatios(len(d.all), r, s.Split.Seed)
	if err != nil {
		return s.fault("split", "%w", err)
	}
	d.assign(train, valid, test)
	return nil
}

// assign sets the splits of trajectories.
func (d *Dataset) assign(sets ...[]int) {
	for i, numbers := range sets {
		for _, n := range numbers {
			d.split[n] = splitNames[i]
		}
	}
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

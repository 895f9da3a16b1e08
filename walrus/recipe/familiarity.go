package recipe

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Familiarity describes the windows that a training by the recipe sees, for warnings of
// windows that are unlike them; see [eval.RecordFamiliarity]. Windows are drawn as the training
// draws them, with its strides and rotations. The grids and boundaries of a simulated entry
// count as one data set.
//
// o.Windows is the number of windows of each entry (0 means 96), and a quarter of it the number
// of validation windows. They come from the validation split of the entry or, for simulated
// systems, from further trajectories. o.Input is not used. Weights are not read.
func (r *Recipe) Familiarity(ctx context.Context, o eval.FamiliarityOptions) (*walrus.Familiarity, error) {
	f, err := r.familiarity(ctx, o)
	if err != nil && r.file != "" {
		err = fmt.Errorf("%s: %w", r.file, err)
	}
	if err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	return f, nil
}

func (r *Recipe) familiarity(ctx context.Context, o eval.FamiliarityOptions) (*walrus.Familiarity, error) {
	o.Windows = cmp.Or(o.Windows, 96)
	if o.Windows < 1 {
		return nil, fmt.Errorf("familiarity: expected a positive number of windows, or 0 for 96, got %d", o.Windows)
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	c := *r
	c.Weights = "" // whose kind would restrict the data
	c.thrifty = true
	c.Simulation.Ahead = 2 // further trajectories would be simulated for nothing
	opened := &Opened{}
	defer opened.Close()
	var err error
	if opened.Options, err = c.options(); err != nil {
		return nil, err
	}
	var sets []eval.FamiliarWindows
	for _, d := range c.Data {
		if d.Simulate != "" {
			d.Valid = max(o.Windows/4, 1) // also if the training has none
		}
		before := len(opened.Options.Systems)
		if err := opened.entry(&c, d); err != nil {
			return nil, err
		}
		mine := opened.Options.Systems[before:]
		s := eval.FamiliarWindows{Name: cmp.Or(d.Name, d.Simulate, mine[0].Name)}
		taken := func(x eval.FamiliarWindows) bool { return x.Name == s.Name }
		if d.Simulate != "" && slices.ContainsFunc(sets, taken) {
			s.Name += "_simulated" // in contrast to a data set of the same system
		}
		if slices.ContainsFunc(sets, taken) {
			return nil, fmt.Errorf("data: expected entries of different names, got %s twice: give them a name", s.Name)
		}
		s.Train = drawn(ctx, mine, c.Seed, o.Windows)
		for i := range mine {
			mine[i].Train = mine[i].Valid
		}
		s.Valid = drawn(ctx, mine, c.Seed, max(o.Windows/4, 1))
		sets = append(sets, s)
	}
	return eval.FamiliarityOf(sets, o)
}

// drawn returns about n windows of the training data of systems, drawn as in a training, and
// nil if no system has such data.
func drawn(ctx context.Context, systems []train.System, seed uint64, n int) iter.Seq2[*data.Window, error] {
	var some []train.System
	for _, s := range systems {
		if s.Train != nil {
			some = append(some, s)
		}
	}
	if len(some) == 0 {
		return nil
	}
	each := (n + len(some) - 1) / len(some)
	return func(yield func(*data.Window, error) bool) {
		rng := rand.New(rand.NewPCG(seed, 0x66616d696c696172)) // "familiar"
		for _, s := range some {
			m, err := mixtureOf(s, seed, each)
			if err != nil {
				yield(nil, err)
				return
			}
			for d, ok := m.Next(); ok; d, ok = m.Next() {
				w, err := historyOf(ctx, s, d.Spans[0], rng)
				if !yield(w, err) || err != nil {
					return
				}
			}
		}
	}
}

// mixtureOf returns the draws of n windows of a system.
func mixtureOf(s train.System, seed uint64, n int) (*data.Mixture, error) {
	s.Cut.Input, s.Cut.Output = cmp.Or(s.Cut.Input, s.Train.Metadata().History()), max(s.Cut.Output, 1)
	w, err := data.NewWindows(s.Train, s.Cut)
	if err != nil {
		return nil, err
	}
	return data.NewMixture([]data.System{{Name: s.Name, Windows: w, Batch: 1}}, data.MixtureOptions{Seed: seed, Length: n})
}

// historyOf reads the history of a window and rotates it.
func historyOf(ctx context.Context, s train.System, span data.Span, rng *rand.Rand) (*data.Window, error) {
	span.Frames -= max(s.Cut.Output, 1)
	w, err := s.Train.Read(ctx, span, nil)
	if err != nil || s.Rotations == nil {
		return w, err
	}
	return augment.Random(rng, s.Rotations).Window(w)
}

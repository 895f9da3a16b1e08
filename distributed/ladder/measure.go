package ladder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	backend "github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// TwoBlocks returns a network that is small enough to measure on any machine: two blocks of
// one head with the paper's head width.
func TwoBlocks() walrus.Config {
	c := walrus.Walrus()
	c.Name, c.Hidden, c.Intermediate, c.Blocks, c.Heads, c.Groups = "two blocks of width 88", 88, 22, 2, 1, 2
	c.DropPath, c.CheckpointEvery = 0, 0
	return c
}

// Measurement times the micro-batches of a network on one device.
type Measurement struct {
	Config  walrus.Config
	Systems []data.Entry
	Backend backend.Backend
	// Source says how and on which device the times are measured, as [Times.Source].
	Source string
	// Clock returns seconds; nil means wall-clock time. CPU seconds are disturbed less by
	// other programs.
	Clock func() (float64, error)
	// Observe, if not nil, is called with every shape that was measured.
	Observe func(e data.Entry, frames, windows int, seconds float64)
}

// Run times forward and backward pass of every system with adaptive patches and
// differential batches, each as the smaller of two times after a first one. Systems of equal
// shape are measured once. Systems that known holds with the same source are not measured
// again; known may be nil.
func (m Measurement) Run(ctx context.Context, known *Times) (*Times, error) {
	if m.Backend == nil {
		return nil, errors.New("ladder: measurement: expected a backend, got none")
	}
	if m.Clock == nil {
		m.Clock = wallClock()
	}
	t := &Times{Config: m.Config, Source: m.Source}
	if known != nil && known.Source == t.Source {
		t.Classes = slices.Clone(known.Classes)
	}
	form, shapes := Form{Adaptive: true, Differential: true}, map[string]float64{}
	for _, e := range m.Systems {
		if slices.ContainsFunc(t.Classes, func(c Time) bool { return c.System == e.Name && c.Form == form }) {
			continue
		}
		k, err := NewClass(m.Config, e, form, Rates{1, 1, 1})
		if err != nil {
			return nil, err
		}
		batch, err := waves(e, k, k.shape.Size)
		if err != nil {
			return nil, fmt.Errorf("ladder: measurement: %s: %w", e.Name, err)
		}
		w := batch.Windows[0]
		shape := fmt.Sprint(w.Grid, w.Boundaries, len(w.Channels(false)), len(w.Channels(true)), len(w.Frames), len(batch.Windows))
		seconds, ok := shapes[shape]
		if !ok {
			if seconds, err = m.step(ctx, batch); err != nil {
				return nil, fmt.Errorf("ladder: measurement: %s: %w", e.Name, err)
			}
			shapes[shape] = seconds
			if m.Observe != nil {
				m.Observe(e, len(w.Frames)-1, len(batch.Windows), seconds)
			}
		}
		t.Classes = append(t.Classes, Time{System: e.Name, Form: form, Seconds: seconds})
	}
	return t, nil
}

// step times a micro-batch.
func (m Measurement) step(ctx context.Context, batch *train.Batch) (float64, error) {
	w, err := walrus.InitWeights(m.Config, 1)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	tr, err := train.New(w, train.Options{Backend: m.Backend, Seed: 1})
	if err != nil {
		return 0, err
	}
	defer tr.Close()
	least := 0.0
	for i := range 3 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		begin, err := m.Clock()
		if err != nil {
			return 0, err
		}
		_, err = tr.Accumulate(batch)
		end, late := m.Clock()
		if err := cmp.Or(err, late); err != nil {
			return 0, err
		}
		if s := end - begin; i > 0 && (least == 0 || s < least) {
			least = s
		}
	}
	return least, nil
}

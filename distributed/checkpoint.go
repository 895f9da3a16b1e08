package distributed

import (
	"fmt"
	"maps"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Checkpoint returns a checkpoint from which training can resume on this mesh, on
// another mesh, or on a single device with a train.Trainer. It holds whole tensors
// under their names. One process writes it; each part is fetched from the devices as it
// is written.
func (t *Trainer) Checkpoint() (walrus.Checkpoint, error) {
	w, err := t.Weights()
	if err != nil {
		return walrus.Checkpoint{}, err
	}
	g := t.groups[0]
	s := train.Snapshot{Steps: maps.Clone(t.steps), Owned: true, Moments: func(key string) (first, second *tensors.Tensor, err error) {
		both := [2]*tensors.Tensor{}
		for i, list := range []map[string][]*tensors.Tensor{g.first, g.second} {
			slot := g.slots[g.index[key]]
			values := make([]float32, slot.Size())
			if err := g.layout.gather(slot, list[key], values); err != nil {
				return nil, nil, err
			}
			both[i] = tensors.FromFlatDataAndDimensions(values, slot.Dims...)
		}
		return both[0], both[1], nil
	}}
	// A trainer of a single device that resumes from this checkpoint draws from a
	// stream.
	if s.Source, err = rand.NewPCG(t.opts.Trainer.Seed, uint64(t.step)).MarshalBinary(); err != nil {
		return walrus.Checkpoint{}, fmt.Errorf("distributed: checkpoint: %w", err)
	}
	c, err := s.Checkpoint(w, w.Params(), t.step)
	if err == nil && t.averaged != nil {
		c.Parts = append(c.Parts, walrus.Part{Name: train.AverageFile, Write: func(path string) error { return t.averaged.Save(path, nil) }})
	}
	return c, err
}

// Restore sets the state to a checkpoint of the same network. The checkpoint may come
// from any number of devices.
func (t *Trainer) Restore(m *walrus.Manifest) error {
	fail := func(err error) error { return fmt.Errorf("distributed: checkpoint %s: %w", m.Dir, err) }
	s, err := train.OpenSnapshot(m, t.weights.Params())
	if err != nil {
		return fail(err)
	}
	defer s.Close()
	if _, ok := m.Part(train.AverageFile); ok != (t.averaged != nil) {
		return fail(fmt.Errorf("moving average: the checkpoint has one: %v, options ask for one: %v", ok, t.averaged != nil))
	}
	if _, ok := m.Part(train.AdapterFile); ok {
		return fail(fmt.Errorf("expected no low-rank adapters, which are trained on one device, got some"))
	}
	if err := train.ReplaceWeights(t.weights, m.Path(walrus.WeightsFile)); err != nil {
		return fail(err)
	}
	if t.averaged != nil {
		if err := train.ReplaceWeights(t.averaged, m.Path(train.AverageFile)); err != nil {
			return fail(err)
		}
	}
	for _, g := range t.groups {
		if err := t.restore(g, s); err != nil {
			return fail(err)
		}
	}
	t.record(m.Coverage)
	t.steps, t.step, t.fresh = maps.Clone(s.Steps), m.Step, m.Step
	return nil
}

// restore copies weights and moments to the devices of a group.
func (t *Trainer) restore(g *group, s train.Snapshot) error {
	g.drop()
	if err := g.setWeights(t.weights); err != nil {
		return err
	}
	if t.averaged != nil {
		if err := g.startAverage(t.averaged); err != nil {
			return err
		}
	}
	for _, slot := range g.slots {
		if _, ok := s.Steps[slot.Key]; !ok {
			free(g.first[slot.Key])
			free(g.second[slot.Key])
			delete(g.first, slot.Key)
			delete(g.second, slot.Key)
			continue
		}
		first, second, err := s.Moments(slot.Key)
		if err != nil {
			return err
		}
		for x, list := range map[*tensors.Tensor]map[string][]*tensors.Tensor{first: g.first, second: g.second} {
			values, err := tensors.CopyFlatData[float32](x)
			if err == nil {
				err = g.set(list, slot, values)
			}
			x.FinalizeAll()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// startAverage sets the moving average to w.
func (g *group) startAverage(w *walrus.Weights) error {
	for _, s := range g.slots {
		x, ok := w.Tensor(s.Key)
		if !ok {
			return fmt.Errorf("distributed: moving average: expected a value of %s, got none", s.Key)
		}
		values, err := tensors.CopyFlatData[float32](x)
		if err != nil {
			return fmt.Errorf("distributed: moving average: %s: %w", s.Key, err)
		}
		if err := g.set(g.average, s, values); err != nil {
			return err
		}
	}
	return nil
}

package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// AverageFile is the part of a checkpoint with the moving average of the weights.
const AverageFile = "average.safetensors"

// AdapterFile is the part of a checkpoint with low-rank adapters and the tensors W₀ that
// they adapt.
const AdapterFile = "adapters.safetensors"

// stateKey is the key of a trainer's state in the manifest of a checkpoint.
const stateKey = "trainer"

// Prefixes of the tensors in walrus.OptimizerFile.
const (
	firstMoment  = "first."
	secondMoment = "second."
)

// trainerState is the state that training needs, in addition to tensors, to resume. It is
// the same for all meshes.
type trainerState struct {
	// Source is the state of the generator of jitter, rolls and dropped paths.
	Source []byte `json:"source"`
	// Steps holds the number of updates of each tensor that has moments.
	Steps map[string]int `json:"steps"`
}

// Checkpoint returns a checkpoint of the current state, from which Restore can resume on
// this mesh or on another: weights, moments, moving average and the state of the random
// numbers. It holds whole tensors, which are fetched from the devices as they are written.
// It does not hold accumulated gradients, so a call between Accumulate and Update is an
// error. Of several processes one writes the checkpoint.
func (t *Trainer) Checkpoint() (walrus.Checkpoint, error) {
	fail := func(err error) (walrus.Checkpoint, error) {
		return walrus.Checkpoint{}, fmt.Errorf("train: checkpoint: %w", err)
	}
	if err := t.enter(); err != nil {
		return fail(err)
	}
	defer t.uses.Leave()
	for _, g := range t.groups {
		if g.micro != 0 {
			return fail(fmt.Errorf("expected no gradients waiting for an update, got those of %d micro-batches", g.micro))
		}
	}
	net, err := t.Network()
	if err != nil {
		return fail(err)
	}
	s := trainerState{Steps: maps.Clone(t.steps)}
	if s.Source, err = t.source.MarshalBinary(); err != nil {
		return fail(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fail(err)
	}
	c, err := net.Checkpoint()
	if err != nil {
		return fail(err)
	}
	c.Step, c.Extra = t.step, map[string]json.RawMessage{stateKey: text}
	c.Parts = append(c.Parts, walrus.Part{Name: walrus.OptimizerFile, Write: t.saveMoments})
	if t.mean != nil {
		c.Parts = append(c.Parts, walrus.Part{Name: AverageFile, Write: func(path string) error { return t.mean.Tensors().Save(path, nil) }})
	}
	if t.lora != nil {
		c.Parts = append(c.Parts, walrus.Part{Name: AdapterFile, Write: t.saveAdapters})
	}
	return c, nil
}

// saved is a tensor of the first group in a file.
type saved struct {
	name, key string
	list      stored
}

// save writes tensors of the first group, one after the other.
func (t *Trainer) save(path string, list []saved, metadata map[string]string) error {
	infos := make([]safetensors.Info, len(list))
	for i, x := range list {
		infos[i] = safetensors.Info{Name: x.name, DType: safetensors.F32, Shape: t.index[x.key].Dims}
	}
	out, err := safetensors.Create(path, infos, metadata)
	if err != nil {
		return err
	}
	defer out.Abort()
	for _, x := range list {
		values, err := t.groups[0].get(x.list, x.key)
		if err == nil {
			err = out.WriteFloat32(x.name, values)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
	}
	return out.Close()
}

// saveMoments writes the moments of all tensors that have some.
func (t *Trainer) saveMoments(path string) error {
	var list []saved
	for _, p := range t.params() {
		if t.steps[p.Key] > 0 {
			list = append(list, saved{firstMoment + p.Key, p.Key, t.groups[0].first}, saved{secondMoment + p.Key, p.Key, t.groups[0].second})
		}
	}
	return t.save(path, list, nil)
}

// Restore sets the trainer to the state of a checkpoint of a trainer of the same network,
// on any mesh. On the same backend and mesh the following updates are, bit for bit, those
// that followed the checkpoint. After an error the state is undefined.
func (t *Trainer) Restore(m *walrus.Manifest) error {
	if m == nil {
		return errors.New("train: expected a checkpoint, got nil")
	}
	if err := t.enter(); err != nil {
		return fmt.Errorf("train: checkpoint %s: %w", m.Dir, err)
	}
	defer t.uses.Leave()
	if err := t.restore(m); err != nil {
		return fmt.Errorf("train: checkpoint %s: %w", m.Dir, err)
	}
	return nil
}

func (t *Trainer) restore(m *walrus.Manifest) error {
	s, err := readState(m)
	if err != nil {
		return err
	}
	if _, ok := m.Part(AverageFile); ok != (t.mean != nil) {
		return fmt.Errorf("moving average: the checkpoint has one: %v, options ask for one: %v", ok, t.mean != nil)
	}
	if _, ok := m.Part(AdapterFile); ok != (t.lora != nil) {
		return fmt.Errorf("adapters: the checkpoint has them: %v, options ask for them: %v", ok, t.lora != nil)
	}
	t.Drop()
	if err := t.restoreTensors(m); err != nil {
		return err
	}
	if t.mean != nil {
		if err := replaceTensors(t.mean.Tensors(), m.Path(AverageFile)); err != nil {
			return err
		}
	}
	for _, g := range t.groups {
		if err := g.load(); err != nil {
			return err
		}
	}
	if t.lora != nil {
		if err := t.loadAdapters(m.Path(AdapterFile)); err != nil {
			return err
		}
	}
	if err := t.loadMoments(m.Path(walrus.OptimizerFile), s.Steps); err != nil {
		return err
	}
	if err := t.source.UnmarshalBinary(s.Source); err != nil {
		return fmt.Errorf("state of the random numbers: %w", err)
	}
	t.steps, t.step, t.fresh = s.Steps, m.Step, m.Step
	if t.weights != nil {
		t.startRecord(m.Coverage)
	}
	return nil
}

// readState reads the state of a trainer from a manifest.
func readState(m *walrus.Manifest) (trainerState, error) {
	s := trainerState{Steps: map[string]int{}}
	text, ok := m.Extra[stateKey]
	if !ok {
		return s, fmt.Errorf("expected the state of a training, got weights alone")
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("state of the training: %w", err)
	}
	return s, nil
}

// loadMoments reads the moments of the tensors in steps into all groups.
func (t *Trainer) loadMoments(path string, steps map[string]int) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, name := range f.Names() {
		if key := strings.TrimPrefix(name, firstMoment); key != name && steps[key] == 0 {
			return fmt.Errorf("%s: expected the number of updates of %s, got none", path, key)
		}
	}
	for _, g := range t.groups {
		g.first.free()
		g.second.free()
	}
	for _, p := range t.params() {
		if _, ok := steps[p.Key]; !ok {
			continue
		}
		if err := t.loadInto(f, path, firstMoment+p.Key, p, func(g *group) stored { return g.first }); err != nil {
			return err
		}
		if err := t.loadInto(f, path, secondMoment+p.Key, p, func(g *group) stored { return g.second }); err != nil {
			return err
		}
	}
	return nil
}

// loadInto reads a tensor into a list of every group.
func (t *Trainer) loadInto(f *safetensors.File, path, name string, p walrus.Param, list func(g *group) stored) error {
	values, shape, err := f.Float32(name)
	if err != nil {
		return err
	}
	if !slices.Equal(shape, p.Dims) {
		return fmt.Errorf("%s: %s: expected %v, got %v", path, name, p.Dims, shape)
	}
	for _, g := range t.groups {
		if err := g.set(list(g), p.Key, values); err != nil {
			return err
		}
	}
	return nil
}

// restoreTensors reads the values of the network's tensors from a checkpoint.
func (t *Trainer) restoreTensors(m *walrus.Manifest) error {
	c, err := t.net.Checkpoint()
	if err != nil {
		return err
	}
	if got, want := m.Design.Of(), c.Design.Of(); got != want {
		return fmt.Errorf("expected the checkpoint of a %s network, got that of a %s network", want, got)
	}
	return replaceTensors(t.net.Tensors(), m.Path(m.Design.File()))
}

// replaceTensors reads the values of all tensors from a file of the same network.
func replaceTensors(w *walrus.TensorSet, path string) error {
	read, _, err := walrus.LoadTensors(path, w.Params(), walrus.LoadOptions{AllowNonFinite: true})
	if err != nil {
		return err
	}
	for _, p := range w.Params() {
		x, ok := read.Tensor(p.Key)
		if !ok {
			return fmt.Errorf("%s: expected a value, got none", p.Key)
		}
		if err := w.Set(p.Key, x); err != nil { // w now owns x
			return err
		}
	}
	return nil
}

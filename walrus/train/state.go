package train

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// AverageFile is the part of a checkpoint with the moving average of the weights.
const AverageFile = "average.safetensors"

// AdapterFile is the part of a checkpoint with low-rank adapters and what they adapt.
const AdapterFile = "adapters.safetensors"

// stateKey is where the manifest of a checkpoint keeps a trainer's state.
const stateKey = "trainer"

// Prefixes of the tensors in walrus.OptimizerFile.
const (
	firstMoment  = "first."
	secondMoment = "second."
)

// state is what a trainer needs besides tensors to go on.
type state struct {
	// Source is the state of the generator of jitter, rolls and dropped paths.
	Source []byte `json:"source"`
	// Steps counts the updates of each tensor that has moments.
	Steps map[string]int `json:"steps"`
}

// Checkpoint returns what a checkpoint must hold for Restore to go on from here:
// weights, moments, moving average, random numbers. Accumulated gradients are not
// part of it: between Accumulate and Update it is an error.
func (t *Trainer) Checkpoint() (walrus.Checkpoint, error) {
	c := walrus.Checkpoint{Weights: t.weights, Step: t.step,
		Scaling: walrus.Scaling{Normalization: t.opts.Objective.Normalization, Eps: t.opts.Objective.Eps}}
	if t.micro != 0 {
		return c, fmt.Errorf("train: checkpoint: expected no gradients waiting for an update, got those of %d micro-batches", t.micro)
	}
	s := state{Steps: map[string]int{}}
	for key, m := range t.state {
		s.Steps[key] = m.steps
	}
	var err error
	if s.Source, err = t.source.MarshalBinary(); err != nil {
		return c, fmt.Errorf("train: checkpoint: %w", err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return c, fmt.Errorf("train: checkpoint: %w", err)
	}
	c.Extra = map[string]json.RawMessage{stateKey: text}
	c.Parts = []walrus.Part{{Name: walrus.OptimizerFile, Write: t.saveMoments}}
	if t.average != nil {
		c.Parts = append(c.Parts, walrus.Part{Name: AverageFile, Write: func(path string) error { return t.average.weights.Save(path, nil) }})
	}
	if t.lora != nil {
		c.Parts = append(c.Parts, walrus.Part{Name: AdapterFile, Write: t.lora.save})
	}
	return c, nil
}

// saveMoments writes the moments of all tensors that have any.
func (t *Trainer) saveMoments(path string) error {
	var infos []safetensors.Info
	var values []*tensors.Tensor
	for _, p := range t.params() {
		if m := t.state[p.Key]; m != nil {
			infos = append(infos, safetensors.Info{Name: firstMoment + p.Key, DType: safetensors.F32, Shape: p.Dims},
				safetensors.Info{Name: secondMoment + p.Key, DType: safetensors.F32, Shape: p.Dims})
			values = append(values, m.first, m.second)
		}
	}
	return saveTensors(path, infos, values)
}

// saveTensors writes tensors to a file.
func saveTensors(path string, infos []safetensors.Info, values []*tensors.Tensor) error {
	out, err := safetensors.Create(path, infos, nil)
	if err != nil {
		return err
	}
	defer out.Abort()
	for i, x := range values {
		flat, err := tensors.CopyFlatData[float32](x)
		if err == nil {
			err = out.WriteFloat32(infos[i].Name, flat)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", infos[i].Name, err)
		}
	}
	return out.Close()
}

// readTensor reads a tensor of known shape.
func readTensor(f *safetensors.File, path, name string, dims []int) (*tensors.Tensor, error) {
	values, shape, err := f.Float32(name)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(shape, dims) {
		return nil, fmt.Errorf("%s: %s: expected %v, got %v", path, name, dims, shape)
	}
	return tensors.FromFlatDataAndDimensions(values, dims...), nil
}

// Restore goes to the state of a checkpoint of a trainer of the same network: what
// follows is, on the same backend, bit for bit what followed there.
func (t *Trainer) Restore(m *walrus.Manifest) error {
	fail := func(err error) error { return fmt.Errorf("train: checkpoint %s: %w", m.Dir, err) }
	var s state
	text, ok := m.Extra[stateKey]
	if !ok {
		return fail(fmt.Errorf("expected the state of a training, got weights alone"))
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return fail(fmt.Errorf("state of the training: %w", err))
	}
	if _, ok := m.Part(AverageFile); ok != (t.average != nil) {
		return fail(fmt.Errorf("moving average: the checkpoint has one: %v, options ask for one: %v", ok, t.average != nil))
	}
	if _, ok := m.Part(AdapterFile); ok != (t.lora != nil) {
		return fail(fmt.Errorf("adapters: the checkpoint has them: %v, options ask for them: %v", ok, t.lora != nil))
	}
	if err := replace(t.weights, m.Path(walrus.WeightsFile)); err != nil {
		return fail(err)
	}
	if t.lora != nil {
		if err := t.lora.load(m.Path(AdapterFile)); err != nil {
			return fail(err)
		}
	}
	if t.average != nil {
		if err := replace(t.average.weights, m.Path(AverageFile)); err != nil {
			return fail(err)
		}
	}
	if err := t.loadMoments(m.Path(walrus.OptimizerFile), s.Steps); err != nil {
		return fail(err)
	}
	if err := t.source.UnmarshalBinary(s.Source); err != nil {
		return fail(fmt.Errorf("state of the random numbers: %w", err))
	}
	t.step = m.Step
	return nil
}

// replace reads the values of all tensors from a file.
func replace(w *walrus.Weights, path string) error {
	read, _, err := walrus.LoadWeights(path, w.Config(), walrus.LoadOptions{AllowNonFinite: true})
	if err != nil {
		return err
	}
	for _, p := range w.Params() {
		x, ok := read.Tensor(p.Key)
		if !ok {
			return fmt.Errorf("%s: expected a value, got none", p.Key)
		}
		if err := w.Set(p.Key, x); err != nil { // which takes x over
			return err
		}
	}
	return nil
}

// loadMoments reads what saveMoments wrote.
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
	for _, p := range t.params() {
		n, ok := steps[p.Key]
		if !ok {
			continue
		}
		m := &moments{steps: n}
		for prefix, into := range map[string]**tensors.Tensor{firstMoment: &m.first, secondMoment: &m.second} {
			if *into, err = readTensor(f, path, prefix+p.Key, p.Dims); err != nil {
				return err
			}
		}
		t.state[p.Key] = m
	}
	return nil
}

package train

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// AverageFile is the part of a checkpoint with the moving average of the weights.
const AverageFile = "average.safetensors"

// AdapterFile is the part of a checkpoint with low-rank adapters and the tensors W₀ that
// they adapt.
const AdapterFile = "adapters.safetensors"

// Checkpoint returns a checkpoint of the current state, from which Restore can resume:
// weights, moments, moving average and the state of the random numbers. It does not hold
// accumulated gradients, so a call between Accumulate and Update is an error.
func (t *Trainer) Checkpoint() (walrus.Checkpoint, error) {
	if t.micro != 0 {
		return walrus.Checkpoint{}, fmt.Errorf("train: checkpoint: expected no gradients waiting for an update, got those of %d micro-batches", t.micro)
	}
	s := Snapshot{Steps: map[string]int{}, Moments: func(key string) (first, second *tensors.Tensor, err error) {
		return t.state[key].first, t.state[key].second, nil
	}}
	for key, m := range t.state {
		s.Steps[key] = m.steps
	}
	var err error
	if s.Source, err = t.source.MarshalBinary(); err != nil {
		return walrus.Checkpoint{}, fmt.Errorf("train: checkpoint: %w", err)
	}
	c, err := s.Checkpoint(t.weights, t.params(), t.step)
	if err != nil {
		return c, err
	}
	if t.average != nil {
		c.Parts = append(c.Parts, walrus.Part{Name: AverageFile, Write: func(path string) error { return t.average.weights.Save(path, nil) }})
	}
	if t.lora != nil {
		c.Parts = append(c.Parts, walrus.Part{Name: AdapterFile, Write: t.lora.save})
	}
	return c, nil
}

// saveTensors writes tensors to a file.
func saveTensors(path string, infos []safetensors.Info, values []*tensors.Tensor, metadata map[string]string) error {
	out, err := safetensors.Create(path, infos, metadata)
	if err != nil {
		return err
	}
	defer out.Abort()
	for i, x := range values {
		if err := writeTensor(out, infos[i].Name, x); err != nil {
			return err
		}
	}
	return out.Close()
}

func writeTensor(out *safetensors.Writer, name string, x *tensors.Tensor) error {
	flat, err := tensors.CopyFlatData[float32](x)
	if err == nil {
		err = out.WriteFloat32(name, flat)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
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

// Restore sets the trainer to the state of a checkpoint of a trainer of the same network.
// On the same backend the following updates are, bit for bit, those that followed the
// checkpoint.
func (t *Trainer) Restore(m *walrus.Manifest) error {
	fail := func(err error) error { return fmt.Errorf("train: checkpoint %s: %w", m.Dir, err) }
	s, err := OpenSnapshot(m, t.params())
	if err != nil {
		return fail(err)
	}
	defer s.Close()
	if _, ok := m.Part(AverageFile); ok != (t.average != nil) {
		return fail(fmt.Errorf("moving average: the checkpoint has one: %v, options ask for one: %v", ok, t.average != nil))
	}
	if _, ok := m.Part(AdapterFile); ok != (t.lora != nil) {
		return fail(fmt.Errorf("adapters: the checkpoint has them: %v, options ask for them: %v", ok, t.lora != nil))
	}
	if err := ReplaceWeights(t.weights, m.Path(walrus.WeightsFile)); err != nil {
		return fail(err)
	}
	if t.lora != nil {
		if err := t.lora.load(m.Path(AdapterFile)); err != nil {
			return fail(err)
		}
	}
	if t.average != nil {
		if err := ReplaceWeights(t.average.weights, m.Path(AverageFile)); err != nil {
			return fail(err)
		}
	}
	if err := t.loadMoments(s); err != nil {
		return fail(err)
	}
	if err := t.source.UnmarshalBinary(s.Source); err != nil {
		return fail(fmt.Errorf("state of the random numbers: %w", err))
	}
	t.step = m.Step
	t.weights.SetCoverage(m.Coverage.Continue())
	if t.average != nil {
		t.average.weights.SetCoverage(t.weights.Coverage())
	}
	return nil
}

// ReplaceWeights reads the values of all tensors from a file of the same network.
func ReplaceWeights(w *walrus.Weights, path string) error {
	read, _, err := walrus.LoadWeights(path, w.Config(), walrus.LoadOptions{AllowNonFinite: true})
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

// loadMoments loads the moments of a snapshot into the trainer.
func (t *Trainer) loadMoments(s Snapshot) error {
	for _, p := range t.params() {
		n, ok := s.Steps[p.Key]
		if !ok {
			continue
		}
		m := &moments{steps: n}
		var err error
		if m.first, m.second, err = s.Moments(p.Key); err != nil {
			return err
		}
		t.state[p.Key] = m
	}
	return nil
}

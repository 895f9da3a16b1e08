package walrus

import (
	"errors"
	"fmt"
	"io"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// LoadWeights reads weights for the network c from a PyTorch checkpoint (.pt) or a
// .safetensors file. The content of the file decides which, not its name. In a .pt
// file LoadWeights looks for the state dict at app.model (the release's checkpoints),
// model, state_dict, model_state and the top level. Names may have one of the prefixes "model.",
// "module." and "_orig_mod.". Half and double precision become float32.
//
// LoadWeights reads tensors one by one, so the whole file is never in memory. If the
// rotary frequencies are weights of the network and constants in the file, they get
// the constant values, which gives the same function.
//
// Unless the options allow them, one [LoadError] lists every tensor that is missing,
// unexpected or of another shape. No memory stays allocated after an error. The report
// is returned with an error, too, unless the file could not be opened.
func LoadWeights(path string, c Config, o LoadOptions) (*Weights, *LoadReport, error) {
	f, err := openWeightFile(path, o)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return f.weights(c, o)
}

// ReadWeights is [LoadWeights] for the content of a .safetensors file of the given size,
// for example embedded in a program. Errors use name in place of the path.
func ReadWeights(r io.ReaderAt, size int64, name string, c Config, o LoadOptions) (*Weights, *LoadReport, error) {
	f, err := safetensors.NewFile(r, size, name)
	if err != nil {
		return nil, nil, fmt.Errorf("walrus: weights: %w", err)
	}
	defer f.Close()
	return weightsIn(f, f, name).weights(c, o)
}

// weights loads the weights of the network c.
func (f *weightFile) weights(c Config, o LoadOptions) (*Weights, *LoadReport, error) {
	if err := o.Weights.checkWeights(); err != nil {
		return nil, nil, fmt.Errorf("walrus: loading %s: %w", f.path, err)
	}
	w, err := newWeights(c)
	if err != nil {
		return nil, nil, err
	}
	w.as = o.Weights
	report, err := f.fill(&w.TensorSet, c.Registry, o)
	if err != nil {
		return nil, report, err
	}
	return w, report, nil
}

// fill reads the tensors of a network with the given field registry, which is empty for
// other networks than Walrus.
func (f *weightFile) fill(w *TensorSet, registry data.Registry, o LoadOptions) (*LoadReport, error) {
	m := match(f, w, registry, o)
	if err := m.report.check(o); err != nil {
		return m.report, err
	}
	if err := m.load(); err != nil {
		w.Close()
		return m.report, fmt.Errorf("walrus: loading %s: %w", f.path, err)
	}
	return m.report, nil
}

// LoadTensors reads the tensors of any network from a PyTorch checkpoint or a .safetensors
// file as [LoadWeights] does, with the same options and errors. params lists the tensors.
// LoadOptions.Source must be empty and LoadOptions.Weights Float32.
func LoadTensors(path string, params []Param, o LoadOptions) (*TensorSet, *LoadReport, error) {
	if o.Source.Len() > 0 {
		return nil, nil, errors.New("walrus: loading tensors: expected an empty LoadOptions.Source: only Walrus has a registry")
	}
	if o.Weights != Float32 {
		return nil, nil, fmt.Errorf("walrus: loading tensors: expected float32 in LoadOptions.Weights, got %v: only emulators of Walrus widen weights", o.Weights)
	}
	if err := checkParams(params); err != nil {
		return nil, nil, err
	}
	f, err := openWeightFile(path, o)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	w := newTensorSet(params)
	report, err := f.fill(&w, data.Registry{}, o)
	if err != nil {
		return nil, report, err
	}
	return &w, report, nil
}

// CheckWeights compares a weight file with a network as [LoadWeights] does, but reads
// only names, types and shapes. It returns the error that LoadWeights returns for them.
func CheckWeights(path string, c Config, o LoadOptions) (*LoadReport, error) {
	w, err := newWeights(c)
	if err != nil {
		return nil, err
	}
	f, err := openWeightFile(path, o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := match(f, &w.TensorSet, c.Registry, o)
	return m.report, m.report.check(o)
}

// load reads the matched tensors in the file's order and gives the others initial
// values.
func (m *matching) load() error {
	s := stager{backend: m.options.Backend}
	for e := range m.file.entries {
		for _, i := range m.users[e] {
			if err := m.place(&s, i, func(dst []float32) error { return m.read(e, i, dst) }); err != nil {
				return err
			}
		}
	}
	for i, p := range m.weights.params {
		if m.weights.values[i] != nil {
			continue
		}
		if err := m.place(&s, i, func(dst []float32) error { return p.Init.Fill(dst, m.options.Seed, p.Key) }); err != nil {
			return err
		}
	}
	return nil
}

func (m *matching) place(s *stager, i int, fill func([]float32) error) error {
	p := m.weights.params[i]
	h, err := s.held(p, m.weights.as, fill)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", p.Key, err)
	}
	m.weights.values[i], m.weights.scales[i] = h.values, h.scale
	return nil
}

// read reads entry e as parameter i and aligns its field columns if the registries
// differ.
func (m *matching) read(e, i int, dst []float32) error {
	p, entry := m.weights.params[i], m.file.entries[e]
	axis, scaled := fieldAxis(p.Key)
	if axis < 0 || m.columns == nil {
		return m.readPlain(entry, dst)
	}
	src := make([]float32, entry.size())
	if err := m.readPlain(entry, src); err != nil {
		return err
	}
	if err := p.Init.Fill(dst, m.options.Seed, p.Key); err != nil {
		return err
	}
	alignColumns(dst, src, p.Dims, entry.Shape[axis], axis, m.columns, m.scale(scaled))
	return nil
}

func (m *matching) readPlain(entry weightEntry, dst []float32) error {
	if err := entry.read(dst); err != nil {
		return err
	}
	if m.options.AllowNonFinite {
		return nil
	}
	return checkFinite(dst, entry.Shape)
}

package walrus

import (
	"fmt"
	"io"

	"github.com/gomlx/compute"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// LoadOptions configure [LoadWeights]. The zero value loads into host memory
// and accepts only a file that holds exactly the network's tensors.
type LoadOptions struct {
	// Backend receives each tensor as it is read, on its first device, so that
	// the peak is the network, one tensor and little more. Nil keeps the
	// weights in host memory, from where programs move them when first used.
	Backend compute.Backend

	// Source is the field registry that the file was written with, if it is
	// not the configuration's. The columns of the fields in both are then
	// carried over to their new indices, those of the encoder scaled by
	// √(states in the file / states in the network) as in the release; fields
	// only in the configuration start fresh (SPEC §12). The zero value is the
	// configuration's registry.
	Source data.Registry

	// AllowMissing gives tensors that the file lacks their initial values,
	// AllowMismatched those whose shape differs; AllowUnexpected ignores
	// tensors that the network does not have. Otherwise these are errors.
	AllowMissing, AllowUnexpected, AllowMismatched bool
	// AllowNonFinite accepts NaN and infinities.
	AllowNonFinite bool

	// Seed draws the initial values of whatever starts fresh.
	Seed uint64
}

// LoadWeights reads weights for the network c from a checkpoint of torch (.pt)
// or from a .safetensors file; the content decides, not the name. In a .pt
// file the state dict is looked for at app.model (the release's checkpoints),
// model, state_dict and the top level; names may carry one of the prefixes
// "model.", "module." and "_orig_mod.". Half and double precision become
// float32.
//
// Tensors are read one by one; the file is never in memory as a whole. A
// network whose rotary frequencies are weights takes them from a file with the
// fixed ones, which is the same function.
//
// Every tensor that is missing, unexpected or of another shape is listed in one
// [LoadError], unless allowed; nothing stays allocated after an error. The
// report is returned in either case once the file could be opened.
func LoadWeights(path string, c Config, o LoadOptions) (*Weights, *LoadReport, error) {
	f, err := openWeightFile(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return f.weights(c, o)
}

// ReadWeights is [LoadWeights] for the content of a .safetensors file of the given
// size, embedded in a program for example; errors call it name.
func ReadWeights(r io.ReaderAt, size int64, name string, c Config, o LoadOptions) (*Weights, *LoadReport, error) {
	f, err := safetensors.NewFile(r, size, name)
	if err != nil {
		return nil, nil, fmt.Errorf("walrus: weights: %w", err)
	}
	defer f.Close()
	return weightsIn(f, name).weights(c, o)
}

// weights loads the weights of the network c.
func (f *weightFile) weights(c Config, o LoadOptions) (*Weights, *LoadReport, error) {
	w, err := newWeights(c)
	if err != nil {
		return nil, nil, err
	}
	m := match(f, w, o)
	if err := m.report.check(o); err != nil {
		return nil, m.report, err
	}
	if err := m.load(); err != nil {
		w.Finalize()
		return nil, m.report, fmt.Errorf("walrus: loading %s: %w", f.path, err)
	}
	return w, m.report, nil
}

// CheckWeights compares a weight file with a network as [LoadWeights] does,
// reading names, types and shapes only. The error is what LoadWeights would
// return for them.
func CheckWeights(path string, c Config, o LoadOptions) (*LoadReport, error) {
	w, err := newWeights(c)
	if err != nil {
		return nil, err
	}
	f, err := openWeightFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := match(f, w, o)
	return m.report, m.report.check(o)
}

// load reads the matched tensors in the file's order and draws the rest.
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
	t, err := s.tensor(p, fill)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", p.Key, err)
	}
	m.weights.values[i] = t
	return nil
}

// read reads entry e as parameter i, aligning its field columns if the
// registries differ.
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

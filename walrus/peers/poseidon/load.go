package poseidon

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
	"github.com/gowalrus/gowalrus/walrus"
)

// Names of the files of a published folder.
const (
	ConfigFile  = "config.json"
	WeightsFile = "model.safetensors"
	// TorchFile is read if there is no WeightsFile.
	TorchFile = "pytorch_model.bin"
)

// Load reads a folder of the published layout: config.json, and model.safetensors or
// pytorch_model.bin. path may also name a weight file in such a folder. Names of tensors may
// have the prefix "module.".
//
// Unless the options allow them, one [walrus.LoadError] lists every tensor that is missing,
// unexpected or of another shape. The report is returned with an error, too, unless a file
// could not be read.
func Load(path string, o walrus.LoadOptions) (*Weights, *walrus.LoadReport, error) {
	file, err := weightsIn(path)
	if err != nil {
		return nil, nil, err
	}
	c, err := ReadConfig(filepath.Join(filepath.Dir(file), ConfigFile))
	if err != nil {
		return nil, nil, err
	}
	return LoadAs(file, c, o)
}

// LoadAs is [Load] for a given configuration in place of config.json, for example with the
// Grid of another data set.
func LoadAs(path string, c Config, o walrus.LoadOptions) (*Weights, *walrus.LoadReport, error) {
	params, err := c.Params()
	if err != nil {
		return nil, nil, err
	}
	file, err := weightsIn(path)
	if err != nil {
		return nil, nil, err
	}
	asked := o.AllowUnexpected
	o.AllowUnexpected = asked || c.SkipBlock == SkipResNet
	set, report, err := walrus.LoadTensors(file, params, o)
	if err != nil {
		return nil, report, err
	}
	if !asked && !onlyCounters(report.Unexpected) {
		set.Close()
		return nil, report, &walrus.LoadError{Report: report}
	}
	return &Weights{TensorSet: set, config: c}, report, nil
}

// onlyCounters reports whether all tensors are the counters of torch's batch norms, which
// have no effect on fixed statistics.
func onlyCounters(names []string) bool {
	for _, name := range names {
		if !strings.HasSuffix(name, ".num_batches_tracked") {
			return false
		}
	}
	return true
}

// weightsIn returns the weight file of a folder, or path itself if it is a file.
func weightsIn(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("poseidon: weights: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, name := range []string{WeightsFile, TorchFile} {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return filepath.Join(path, name), nil
		}
	}
	return "", fmt.Errorf("poseidon: weights: %s: expected %s or %s beside %s, got neither", path, WeightsFile, TorchFile, ConfigFile)
}

// Save writes the weights as a folder of the published layout, config.json and
// model.safetensors, which the original reads. The folder must be new or empty and appears
// only when it is complete.
func (w *Weights) Save(dir string) error {
	if w.TensorSet == nil {
		return errors.New("poseidon: saving weights: expected tensors, got none")
	}
	err := atomicfile.Folder(dir, func(dir string) error {
		for _, p := range w.Parts() {
			if err := p.Write(filepath.Join(dir, p.Name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("poseidon: saving weights to %s: %w", dir, err)
	}
	return nil
}

// Parts returns the files that [Weights.Save] writes, for a checkpoint.
func (w *Weights) Parts() []walrus.Part {
	return []walrus.Part{
		{Name: WeightsFile, Write: func(path string) error {
			if w.TensorSet == nil {
				return errors.New("poseidon: saving weights: expected tensors, got none")
			}
			return w.TensorSet.Save(path, map[string]string{"format": "pt"})
		}},
		{Name: ConfigFile, Write: func(path string) error {
			text, err := json.MarshalIndent(w.config, "", "  ")
			if err != nil {
				return fmt.Errorf("poseidon: configuration: %w", err)
			}
			return atomicfile.WriteBytes(path, append(text, '\n'))
		}},
	}
}

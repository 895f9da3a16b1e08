package walrus

import (
	"fmt"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
)

// StatisticsFile is the name of the file with the statistics of a data set. [Load]
// reads it next to weights that need one, and [Export] writes it.
const StatisticsFile = "stats.yaml"

// Scaling returns the scaling of the weights' training: that of the checkpoint, or the
// last one given to SetScaling. For initial weights and for files of weights alone it is
// the scaling of the release's pretraining.
func (w *Weights) Scaling() Scaling { return w.scaling }

// SetScaling records how fields are normalised for the weights.
func (w *Weights) SetScaling(s Scaling) { w.scaling, w.missing = s, nil }

// Adopt copies the scaling and the record of training windows from a manifest to the
// weights. Without a manifest it changes nothing.
func (w *Weights) Adopt(m *Manifest) {
	if m == nil {
		return
	}
	w.SetScaling(m.Scaling)
	w.SetCoverage(m.Coverage.Clone())
	part, _ := m.Part(WeightsFile)
	w.sum = part.SHA256
}

// scalingFor returns the scaling of an emulator of the weights.
func (w *Weights) scalingFor(o EmulatorOptions) (Scaling, error) {
	return scalingFor(o, w.scaling, w.missing)
}

// scalingFor returns the scaling of the options, or else that of the training. If that is
// incomplete it returns the error missing or, if missing is nil, an error without a path.
func scalingFor(o EmulatorOptions, trained Scaling, missing error) (Scaling, error) {
	switch {
	case o.Scaling != nil:
		return *o.Scaling, nil // Validate has checked it
	case !trained.incomplete():
		if err := trained.Validate(); err != nil {
			return trained, fmt.Errorf("walrus: scaling of the weights: %w", err)
		}
	case missing == nil:
		return trained, fmt.Errorf("walrus: scaling: the weights were trained with the statistics of data sets (%s), which are not recorded: expected those of your data set in EmulatorOptions.Scaling", trained.tables())
	default:
		return trained, missing
	}
	return trained, nil
}

// readRelease reads the configuration of a checkpoint of the release, and the
// statistics next to the weights if the scaling needs them.
func (f *Found) readRelease(dir string) error {
	r, err := ReadRecipe(f.ConfigPath)
	if err != nil {
		return err
	}
	f.Config = r.Config
	if r.Scaling == nil {
		f.Scaling.Statistics = &data.Statistics{}
		f.missing = fmt.Errorf("walrus: scaling: %s: expected a class of normalisation as trainer.revin, got none: add it or set EmulatorOptions.Scaling", f.ConfigPath)
		return nil
	}
	f.Scaling = *r.Scaling
	if !f.Scaling.incomplete() {
		return nil
	}
	path := filepath.Join(dir, StatisticsFile)
	if !exists(path) {
		f.missing = fmt.Errorf("walrus: scaling: %s: trainer.revin is %s, which takes the statistics of a data set (%s): expected them in %s or in EmulatorOptions.Scaling with Normalization: %s, Eps: %v",
			f.ConfigPath, f.Scaling.class(), f.Scaling.tables(), path, f.Scaling.Normalization.goName(), f.Scaling.eps())
		return nil
	}
	if f.Scaling.Statistics, err = data.ReadStatistics(path); err != nil {
		return fmt.Errorf("walrus: checkpoint: %w", err)
	}
	return nil
}

package walrus

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
	"github.com/gowalrus/gowalrus/internal/torchpt"
)

// ExportFile is the name of the weight file that [Export] writes, as in the release.
const ExportFile = "walrus.pt"

// Export writes weights as a folder of the release, which the reference and [Load] read:
//
//   - walrus.pt, a file of torch with {"app": {"model": state dict}} in float32, which
//     torch.load(path, weights_only=True) reads;
//   - extended_config.yaml with the sections from which the reference builds the network
//     and its normalisation: model, trainer.revin, trainer.epsilon,
//     trainer.prediction_type, data.field_index_map_override, finetuning_mods;
//   - stats.yaml, if the weights take the statistics of a data set.
//
// The configuration records the normalisation of [Weights.Scaling]. Exported weights give
// the same forecasts in the reference. If the reference cannot express the weights, Export
// returns an [ExportError] that lists the reasons. The folder must be new or empty and
// appears only when it is complete.
func Export(dir string, w *Weights) error {
	if w == nil {
		return errors.New("walrus: export: expected weights, got none")
	}
	if reasons := w.unexportable(); reasons != nil {
		return &ExportError{Reasons: reasons}
	}
	done, err := w.Use()
	if err != nil {
		return fmt.Errorf("walrus: export: %w", err)
	}
	defer done()
	dir = filepath.Clean(dir)
	entries, err := os.ReadDir(dir)
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("walrus: export: expected a folder: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("walrus: export: expected a new folder or an empty one, got %s with %q", dir, entries[0].Name())
	}
	if err := atomicfile.Folder(dir, w.exportTo); err != nil {
		return fmt.Errorf("walrus: export to %s: %w", dir, err)
	}
	return nil
}

// exportTo writes the files into an empty folder.
func (w *Weights) exportTo(dir string) error {
	r, err := NewRecipe(w.config, w.scaling)
	if err != nil {
		return err
	}
	text, err := r.Bytes()
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, ConfigFile), text); err != nil {
		return err
	}
	if s := w.scaling.Statistics; s != nil {
		text, err := formatStatistics(s)
		if err != nil {
			return err
		}
		if err := atomicfile.WriteBytes(filepath.Join(dir, StatisticsFile), text); err != nil {
			return err
		}
	}
	if err := w.saveTorch(filepath.Join(dir, ExportFile), nil, "app", "model"); err != nil {
		return err
	}
	return atomicfile.SyncFolder(dir)
}

// saveTorch writes the weights to a PyTorch file, one tensor at a time: the state dict under
// the given keys, and more entries in the outermost dictionary. The file appears under its
// name only when it is complete.
func (w *TensorSet) saveTorch(path string, more []torchpt.Entry, keys ...string) error {
	return atomicfile.Write(path, func(out io.Writer) error {
		buffered := bufio.NewWriterSize(out, 1<<20)
		if err := w.writeTorch(buffered, more, keys); err != nil {
			return err
		}
		return buffered.Flush()
	})
}

func (w *TensorSet) writeTorch(out io.Writer, more []torchpt.Entry, keys []string) error {
	done, err := w.Use()
	if err != nil {
		return err
	}
	defer done()
	infos := make([]torchpt.Info, len(w.params))
	for i, p := range w.params {
		infos[i] = torchpt.Info{Name: p.Key, Shape: p.Dims}
	}
	file, err := torchpt.NewWriterWith(out, "walrus", infos, more, keys...)
	if err != nil {
		return err
	}
	for i, p := range w.params {
		if err := w.visit(i, file.WriteFloat32); err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
	}
	return file.Close()
}

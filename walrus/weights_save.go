package walrus

import (
	"fmt"

	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// Save writes the weights to a .safetensors file under their keys,
// with free-text metadata, which may be nil. It writes tensors one at a time, so that
// at most one tensor of a device with separate memory has a copy on the host. The file
// appears under its name only when it is complete.
func (w *TensorSet) Save(path string, metadata map[string]string) error {
	return w.SaveAs(path, StoreFloat32, metadata)
}

// SaveAs is [TensorSet.Save] with the given storage type.
func (w *TensorSet) SaveAs(path string, s Storage, metadata map[string]string) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("walrus: saving weights to %s: %w", path, err)
	}
	done, err := w.Use()
	if err != nil {
		return fmt.Errorf("walrus: saving weights to %s: %w", path, err)
	}
	defer done()
	infos := make([]safetensors.Info, len(w.params))
	for i, p := range w.params {
		infos[i] = safetensors.Info{Name: p.Key, DType: s.dtype(p), Shape: p.Dims}
	}
	out, err := safetensors.Create(path, infos, metadata)
	if err != nil {
		return fmt.Errorf("walrus: saving weights: %w", err)
	}
	defer out.Abort()
	for i, p := range w.params {
		write := func(v []float32) error {
			if err := s.checkRange(p, v); err != nil {
				return err
			}
			return out.WriteFloat32(p.Key, v)
		}
		if err := w.visit(i, write); err != nil {
			return fmt.Errorf("walrus: saving weights to %s: %s: %w", path, p.Key, err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("walrus: saving weights: %w", err)
	}
	return nil
}

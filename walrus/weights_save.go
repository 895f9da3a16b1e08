package walrus

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// Save writes the weights to a .safetensors file under the release's keys,
// with free-text metadata, which may be nil. It writes tensors one at a time, so that
// at most one tensor of a device with separate memory has a copy on the host. The file
// appears under its name only when it is complete.
func (w *Weights) Save(path string, metadata map[string]string) error {
	return w.SaveAs(path, StoreFloat32, metadata)
}

// SaveAs is [Weights.Save] with the given storage type.
func (w *Weights) SaveAs(path string, s Storage, metadata map[string]string) error {
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
		if err := withValues(w.values[i], write); err != nil {
			return fmt.Errorf("walrus: saving weights to %s: %s: %w", path, p.Key, err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("walrus: saving weights: %w", err)
	}
	return nil
}

// withValues calls visit with a tensor's values and then frees the host copy that it
// made, if any. visit must not keep the slice.
func withValues(t *tensors.Tensor, visit func([]float32) error) error {
	kept := t.HasLocal() || t.IsShared()
	var failed error
	err := tensors.ConstFlatData(t, func(v []float32) { failed = visit(v) })
	if !kept {
		t.FinalizeLocal()
	}
	if err != nil {
		return err
	}
	return failed
}

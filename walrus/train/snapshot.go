package train

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// stateKey is the key of a trainer's state in the manifest of a checkpoint.
const stateKey = "trainer"

// Prefixes of the tensors in walrus.OptimizerFile.
const (
	firstMoment  = "first."
	secondMoment = "second."
)

// Snapshot is the state that training needs, in addition to the weights, to resume. It has
// the same form in the checkpoints of all trainers and on all devices.
type Snapshot struct {
	// Source is the state of the generator of jitter, rolls and dropped paths.
	Source []byte `json:"source"`
	// Steps holds the number of updates of each tensor that has moments.
	Steps map[string]int `json:"steps"`
	// Moments returns the unsharded moments of a tensor in Steps. If Owned is true, the
	// caller owns them.
	Moments func(key string) (first, second *tensors.Tensor, err error) `json:"-"`
	Owned   bool                                                        `json:"-"`

	file *safetensors.File
}

// Checkpoint returns a checkpoint of weights and snapshot; params are the tensors that
// may have moments, in order.
func (s Snapshot) Checkpoint(w *walrus.Weights, params []walrus.Param, step int64) (walrus.Checkpoint, error) {
	c := walrus.Checkpoint{Weights: w, Step: step}
	text, err := json.Marshal(s)
	if err != nil {
		return c, fmt.Errorf("train: checkpoint: %w", err)
	}
	c.Extra = map[string]json.RawMessage{stateKey: text}
	c.Parts = []walrus.Part{{Name: walrus.OptimizerFile, Write: func(path string) error { return s.save(path, params) }}}
	return c, nil
}

// save writes the moments, one tensor after the other.
func (s Snapshot) save(path string, params []walrus.Param) error {
	var infos []safetensors.Info
	var keys []string
	for _, p := range params {
		if _, ok := s.Steps[p.Key]; ok {
			infos = append(infos, safetensors.Info{Name: firstMoment + p.Key, DType: safetensors.F32, Shape: p.Dims},
				safetensors.Info{Name: secondMoment + p.Key, DType: safetensors.F32, Shape: p.Dims})
			keys = append(keys, p.Key)
		}
	}
	out, err := safetensors.Create(path, infos, nil)
	if err != nil {
		return err
	}
	defer out.Abort()
	for i, key := range keys {
		first, second, err := s.Moments(key)
		if err != nil {
			return fmt.Errorf("train: moments of %s: %w", key, err)
		}
		for k, x := range []*tensors.Tensor{first, second} {
			if err := writeTensor(out, infos[2*i+k].Name, x); err != nil {
				return err
			}
			if s.Owned {
				x.FinalizeAll()
			}
		}
	}
	return out.Close()
}

// OpenSnapshot reads the state of a training from a checkpoint. Snapshot.Moments reads
// moments from the file, so it works until Close. params are the tensors that may have
// moments.
func OpenSnapshot(m *walrus.Manifest, params []walrus.Param) (Snapshot, error) {
	s := Snapshot{Owned: true}
	text, ok := m.Extra[stateKey]
	if !ok {
		return s, fmt.Errorf("expected the state of a training, got weights alone")
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("state of the training: %w", err)
	}
	path := m.Path(walrus.OptimizerFile)
	var err error
	if s.file, err = safetensors.Open(path); err != nil {
		return s, err
	}
	for _, name := range s.file.Names() {
		if key := strings.TrimPrefix(name, firstMoment); key != name && s.Steps[key] == 0 {
			s.file.Close()
			return s, fmt.Errorf("%s: expected the number of updates of %s, got none", path, key)
		}
	}
	dims := map[string][]int{}
	for _, p := range params {
		dims[p.Key] = p.Dims
	}
	s.Moments = func(key string) (first, second *tensors.Tensor, err error) {
		if first, err = readTensor(s.file, path, firstMoment+key, dims[key]); err != nil {
			return nil, nil, err
		}
		second, err = readTensor(s.file, path, secondMoment+key, dims[key])
		return first, second, err
	}
	return s, nil
}

// Close closes the file of an opened snapshot.
func (s Snapshot) Close() error { return s.file.Close() }

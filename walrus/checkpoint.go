package walrus

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// Names of the files of a checkpoint folder. Other parts are named by who
// writes them: the trainer's is OptimizerFile.
const (
	ManifestFile  = "manifest.json"
	WeightsFile   = "model.safetensors"
	OptimizerFile = "optimizer.safetensors"
)

// Checkpoint is what [SaveCheckpoint] writes: a network with the scaling of its fields
// and the record of its training windows, and the state of a training.
type Checkpoint struct {
	Weights *Weights
	// Storage is the type in which the weights are written; the zero value is float32.
	Storage Storage
	// Step counts the updates made so far.
	Step int64
	// Extra are further values to keep, such as the states of random
	// generators, each as JSON.
	Extra map[string]json.RawMessage
	// Parts are further files.
	Parts []Part
}

// Part is a file of a checkpoint besides the weights. Write creates it at the
// path it is given, whose last element is Name.
type Part struct {
	Name  string
	Write func(path string) error
}

// OpenCheckpoint reads the manifest of a checkpoint folder and verifies length
// and SHA-256 of every part. The weights are then loaded with
//
//	w, _, err := walrus.LoadWeights(m.Path(walrus.WeightsFile), m.Config, o)
//	w.Adopt(m)
//
// To find any kind of checkpoint, and to verify the weights alone, see
// [FindCheckpoint].
func OpenCheckpoint(dir string) (*Manifest, error) {
	m, err := readManifest(present(dir))
	if err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		if err := f.verify(m.Dir); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// beside returns the path of a folder's temporary neighbour.
func beside(dir, what string) string {
	parent, base := filepath.Split(filepath.Clean(dir))
	return filepath.Join(parent, "."+base+"."+what)
}

// present returns the folder to read for dir: dir itself, or the previous
// checkpoint beside it when a save was interrupted after moving that aside.
func present(dir string) string {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return dir
	}
	if aside := beside(dir, "previous"); exists(filepath.Join(aside, ManifestFile)) {
		return aside
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

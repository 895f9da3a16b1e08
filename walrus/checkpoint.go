package walrus

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// Names of the files of a checkpoint folder. The code that writes further parts
// names them: the trainer's part is OptimizerFile.
const (
	ManifestFile  = "manifest.json"
	WeightsFile   = "model.safetensors"
	OptimizerFile = "optimizer.safetensors"
)

// Checkpoint holds the content of a checkpoint folder: the weights of a network with
// their scaling and the record of their training windows, and the state of a training.
type Checkpoint struct {
	Weights *Weights
	// Storage is the type in which the weights are written; the zero value is float32.
	Storage Storage
	// Step counts the updates made so far.
	Step int64
	// Extra holds further values, each as JSON, such as the states of random
	// generators.
	Extra map[string]json.RawMessage
	// Parts are further files.
	Parts []Part
}

// Part is a file of a checkpoint other than the weights. Write creates the file
// at the given path, whose last element is Name.
type Part struct {
	Name  string
	Write func(path string) error
}

// OpenCheckpoint reads the manifest of a checkpoint folder and verifies the length
// and the SHA-256 of every part. The caller then loads the weights:
//
//	w, _, err := walrus.LoadWeights(m.Path(walrus.WeightsFile), m.Config, o)
//	w.Adopt(m)
//
// [FindCheckpoint] finds any kind of checkpoint and verifies the weights alone.
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

// beside returns .<dir>.<what>, the path of a temporary folder with the same parent.
func beside(dir, what string) string {
	parent, base := filepath.Split(filepath.Clean(dir))
	return filepath.Join(parent, "."+base+"."+what)
}

// present returns the folder to read for dir: dir itself, or .<dir>.previous if
// an interrupted save moved the checkpoint there and did not put a new one at dir.
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

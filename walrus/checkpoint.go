package walrus

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
)

// Names of the files of a checkpoint folder. Other parts are named by who
// writes them: the trainer's is OptimizerFile.
const (
	ManifestFile  = "manifest.json"
	WeightsFile   = "model.safetensors"
	OptimizerFile = "optimizer.safetensors"
)

// Checkpoint is what [SaveCheckpoint] writes: a network, how fields were
// normalised for it, and where in a training it stands.
type Checkpoint struct {
	Weights *Weights
	// Storage is the type in which the weights are written; the zero value is float32.
	Storage Storage
	Scaling Scaling
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

// Scaling records how fields were normalised in training, which whoever uses
// the weights must repeat.
type Scaling struct {
	Normalization Normalization `json:"normalization"`
	// Eps is the floor of sample statistics; 0 is DefaultStatEps.
	Eps float64 `json:"eps,omitempty"`
	// Statistics replace those of the history by a data set's, if not nil.
	Statistics *data.Statistics `json:"statistics,omitempty"`
}

var normalizationNames = []string{"rms", "mean_std"}

// String returns "rms" or "mean_std".
func (n Normalization) String() string { return enumName(normalizationNames, n) }

// MarshalText returns [Normalization.String], or an error for an unknown value.
func (n Normalization) MarshalText() ([]byte, error) {
	return enumText("normalization", normalizationNames, n)
}

// UnmarshalText reads what MarshalText writes.
func (n *Normalization) UnmarshalText(b []byte) error {
	return enumParse("normalization", normalizationNames, b, n)
}

// OpenCheckpoint reads the manifest of a checkpoint folder and verifies length
// and SHA-256 of every part. The weights are then loaded with
//
//	w, _, err := walrus.LoadWeights(m.Path(walrus.WeightsFile), m.Config, o)
//	w.SetCoverage(m.Coverage)
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

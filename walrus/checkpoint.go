package walrus

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// Checkpoint holds the content of a checkpoint folder: the weights of a network with
// their scaling and the record of their training windows, and the state of a training.
type Checkpoint struct {
	// Weights are the weights of a Walrus network, else nil.
	Weights *Weights
	// Design describes a network of another kind, whose weights are among Parts; nil with
	// Weights.
	Design *Design
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
// and the SHA-256 of every part. The caller then reads the parts:
//
//	w, _, err := walrus.LoadWeights(m.Path(walrus.WeightsFile), m.Config, o)
//	w.Adopt(m)
//
// A save to the folder may replace the parts at any time; OpenCheckpoint itself never
// mixes two saves. To load weights from a folder that another process writes, use
// [FindCheckpoint], which finds any kind of checkpoint and verifies the weights alone.
func OpenCheckpoint(dir string) (m *Manifest, err error) {
	err = settled(dir, func() error {
		if m, err = readManifest(present(dir)); err != nil {
			return err
		}
		for _, f := range m.Files {
			file, err := f.open(m.Dir)
			if err != nil {
				return err
			}
			file.Close()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// settled calls read, which reads a checkpoint at path, and calls it again if it fails
// while a save replaces the checkpoint.
func settled(path string, read func() error) error {
	const tries = 20
	var err error
	for range tries {
		before := saveAt(path)
		if err = read(); err == nil || saveAt(path) == before {
			return err
		}
	}
	return fmt.Errorf("the checkpoint was replaced %d times while it was read; read it when fewer saves happen: %w", tries, err)
}

// saveAt identifies the save whose checkpoint is at path, a folder or a file in it.
func saveAt(path string) string {
	path = present(path)
	for _, manifest := range []string{filepath.Join(path, ManifestFile), filepath.Join(filepath.Dir(path), ManifestFile)} {
		if text, err := os.ReadFile(manifest); err == nil {
			return fmt.Sprintf("%s %x", path, sha256.Sum256(text))
		}
	}
	return path
}

// present returns the folder to read for dir: dir itself, or .<dir>.previous if a save
// moved the checkpoint there and has not yet put the new one at dir, or was interrupted.
func present(dir string) string {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return dir
	}
	if aside := atomicfile.Previous(dir); exists(filepath.Join(aside, ManifestFile)) {
		return aside
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

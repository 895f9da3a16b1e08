package nano

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/walrus"
)

//go:embed checkpoint old
var files embed.FS

// Name is the name of the newest weights. Programs and recipes accept it in place of the
// path of a checkpoint.
const Name = "nano"

// Version is one set of weights that comes with the library.
type Version struct {
	// Name is "nano" for the newest weights and "nano-" with the day of their training
	// for older weights.
	Name   string
	folder string // in files
}

var newest = Version{Name, "checkpoint"}

// Versions lists the weights, the newest first. Older weights are kept to reproduce
// earlier results; the next version of the library drops them.
func Versions() []Version {
	return []Version{newest, {"nano-2026-11-30", "old/2026-11-30"}}
}

// Names returns the names of the weights, the newest first.
func Names() []string {
	var out []string
	for _, v := range Versions() {
		out = append(out, v.Name)
	}
	return out
}

// Find returns the weights with the given name, and false if there are none, in which
// case name may be the path of a checkpoint.
func Find(name string) (Version, bool) {
	all := Versions()
	i := slices.IndexFunc(all, func(v Version) bool { return v.Name == name })
	if i < 0 {
		return Version{}, false
	}
	return all[i], true
}

// Manifest describes the weights.
func (v Version) Manifest() (*walrus.Manifest, error) {
	text, err := v.file(walrus.ManifestFile)
	if err != nil {
		return nil, err
	}
	m := new(walrus.Manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("nano: %s: %w", v.Name, err)
	}
	return m, nil
}

// Weights returns a copy of the weights.
func (v Version) Weights(o walrus.LoadOptions) (*walrus.Weights, error) {
	m, err := v.Manifest()
	if err != nil {
		return nil, err
	}
	w, _, err := v.WeightsFor(m.Config, o)
	return w, err
}

// WeightsFor returns the weights for a network whose fields or finetuning options differ
// from those of the manifest; see walrus.LoadWeights.
func (v Version) WeightsFor(c walrus.Config, o walrus.LoadOptions) (*walrus.Weights, *walrus.LoadReport, error) {
	raw, err := v.file(walrus.WeightsFile)
	if err != nil {
		return nil, nil, err
	}
	m, err := v.Manifest()
	if err != nil {
		return nil, nil, err
	}
	w, report, err := walrus.ReadWeights(bytes.NewReader(raw), int64(len(raw)), "walrus-"+v.Name, c, o)
	if err == nil {
		w.Adopt(m)
	}
	return w, report, err
}

// Familiarity describes the windows of the training, or is nil for weights without
// a record.
func (v Version) Familiarity() (*walrus.Familiarity, error) {
	text, err := v.file(walrus.FamiliarityFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := new(walrus.Familiarity)
	if err = json.Unmarshal(text, f); err == nil {
		err = f.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("nano: %s: %w", v.Name, err)
	}
	return f, nil
}

// Load returns an emulator, which owns the weights. The caller must close it. Fields are
// normalised as in the training of the weights unless the options set Scaling. It warns of
// windows that are unlike those of the training ([Version.Familiarity]) unless the options set
// another Familiarity.
func (v Version) Load(o walrus.EmulatorOptions) (*walrus.Emulator, error) {
	if o.Familiarity == nil {
		f, err := v.Familiarity()
		if err != nil {
			return nil, err
		}
		o.Familiarity = f
	}
	w, err := v.Weights(o.LoadOptions())
	if err != nil {
		return nil, err
	}
	o.OwnWeights = true
	e, err := walrus.NewEmulator(w, o)
	if err != nil {
		w.Close()
		return nil, err
	}
	return e, nil
}

// Open returns an emulator of the weights with the given name or, if there are none, of
// the checkpoint at the path name (see walrus.Load). The caller must close it.
func Open(name string, o walrus.EmulatorOptions) (*walrus.Emulator, error) {
	if v, ok := Find(name); ok {
		return v.Load(o)
	}
	em, err := walrus.Load(name, o)
	return em, explain(err)
}

// OpenWeights returns the weights with the given name or, if there are none, those of the
// checkpoint at the path name (see walrus.FindCheckpoint). The caller must close them.
func OpenWeights(name string, o walrus.LoadOptions) (*walrus.Weights, error) {
	if v, ok := Find(name); ok {
		return v.Weights(o)
	}
	found, err := walrus.FindCheckpoint(name)
	if err != nil {
		return nil, explain(err)
	}
	w, _, err := found.Load(o)
	return w, err
}

// explain adds the names of the weights to the error of a path that does not exist.
func explain(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; the weights that come with the library are %s", err, strings.Join(Names(), ", "))
	}
	return err
}

// Extract writes the files of a checkpoint (see walrus.FindCheckpoint) into an existing
// folder.
func (v Version) Extract(dir string) error {
	for _, name := range []string{walrus.WeightsFile, walrus.ManifestFile, walrus.FamiliarityFile} {
		raw, err := v.file(name)
		if name == walrus.FamiliarityFile && errors.Is(err, fs.ErrNotExist) {
			continue // older weights
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o666); err != nil {
			return fmt.Errorf("nano: extracting %s: %w", v.Name, err)
		}
	}
	return nil
}

// file returns a file of the weights.
func (v Version) file(name string) ([]byte, error) {
	if v.folder == "" {
		return nil, fmt.Errorf("nano: expected a version that Find or Versions returned, got %q", v.Name)
	}
	raw, err := files.ReadFile(path.Join(v.folder, name))
	if err != nil {
		return nil, fmt.Errorf("nano: %s: %w", v.Name, err)
	}
	return raw, nil
}

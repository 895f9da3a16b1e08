package walrus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// ConfigFile is the name of the release's configuration files.
const ConfigFile = "extended_config.yaml"

// Found is a checkpoint of any kind: the network's configuration and the file
// of its weights.
type Found struct {
	// Path is the path given to FindCheckpoint, Weights that of the weight file.
	Path, Weights string
	Config        Config
	// ConfigPath is the file that Config was read from.
	ConfigPath string
	// Manifest is nil for checkpoints that this library did not write.
	Manifest *Manifest
	// Scaling is the scaling of the training. Its statistics are empty if the weights
	// need the statistics of a data set and the checkpoint lacks them.
	Scaling Scaling
	// missing is an error that says where the statistics were expected if they are
	// empty, or nil.
	missing error
	// asked is the path given to FindCheckpoint and save identifies the save that was
	// found, or an earlier one.
	asked, save string
}

// FindCheckpoint looks for a network at path, which may be
//
//   - a folder written by [SaveCheckpoint],
//   - a folder with an extended_config.yaml and one weight file (walrus.pt,
//     full_checkpoint.pt, model.safetensors or any other .pt or .safetensors),
//   - a weight file in such a folder.
//
// It only reads configuration and manifest and compares the lengths of parts. The
// error lists the files that were found instead. If only the configuration is missing
// or unreadable, Found.Weights is set nevertheless, and also with a [DesignError].
//
// Another process may save to the folder meanwhile: FindCheckpoint and [Found.Load] each
// read one save.
func FindCheckpoint(path string) (f Found, err error) {
	err = settled(path, func() error {
		f, err = findCheckpoint(path)
		return err
	})
	return f, err
}

func findCheckpoint(path string) (Found, error) {
	asked, save := path, saveAt(path)
	if path = present(path); !exists(path) { // a file in a folder that is being replaced
		path = filepath.Join(present(filepath.Dir(path)), filepath.Base(path))
	}
	info, err := os.Stat(path)
	if err != nil {
		return Found{}, fmt.Errorf("walrus: checkpoint: %w", err)
	}
	dir, file := path, ""
	if !info.IsDir() {
		dir, file = filepath.Split(path)
		dir = filepath.Clean(dir)
	}
	f, err := findIn(dir, file)
	f.Path, f.asked, f.save = path, asked, save
	return f, err
}

// Load loads the weights. It verifies weights written by [SaveCheckpoint] against the
// manifest, and reads the very file that it verified. If a save has replaced the checkpoint
// since it was found, Load loads the new one, with its scaling; that is an error if the new
// one has another network.
func (f Found) Load(o LoadOptions) (w *Weights, report *LoadReport, err error) {
	if f.Manifest == nil {
		if w, report, err = LoadWeights(f.Weights, f.Config, o); err == nil {
			w.scaling, w.missing = f.Scaling, f.missing
		}
		return w, report, err
	}
	w, report, err = f.loadVerified(o)
	if err == nil || f.asked == "" || saveAt(f.asked) == f.save {
		return w, report, err
	}
	err = settled(f.asked, func() error {
		now, err := f.again()
		if err == nil {
			w, report, err = now.loadVerified(o)
		}
		return err
	})
	return w, report, err
}

// again finds the checkpoint that has replaced f. Configuration and scaling are those of f
// where the caller has changed them.
func (f Found) again() (Found, error) {
	now, err := findCheckpoint(f.asked)
	if err != nil {
		return now, err
	}
	if now.Manifest == nil || !reflect.DeepEqual(now.Manifest.Config, f.Manifest.Config) {
		return now, fmt.Errorf("walrus: checkpoint %s: expected the network that was found, got another after a save; find the checkpoint again", f.Path)
	}
	now.Config = f.Config
	if !reflect.DeepEqual(f.Scaling, f.Manifest.Scaling) {
		now.Scaling = f.Scaling
	}
	return now, nil
}

// loadVerified loads the weights of a checkpoint with a manifest.
func (f Found) loadVerified(o LoadOptions) (*Weights, *LoadReport, error) {
	part, ok := f.Manifest.Part(filepath.Base(f.Weights))
	if !ok {
		return nil, nil, fmt.Errorf("walrus: checkpoint: expected %s in the manifest, got %d other parts", f.Weights, len(f.Manifest.Files))
	}
	file, err := part.open(f.Manifest.Dir)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	read, err := readWeightFile(file, f.Weights, o)
	if err != nil {
		return nil, nil, fmt.Errorf("walrus: weights: %w", err)
	}
	w, report, err := read.weights(f.Config, o)
	if err != nil {
		return nil, report, err
	}
	w.Adopt(f.Manifest)
	w.scaling, w.missing = f.Scaling, f.missing
	return w, report, nil
}

// findIn looks for a checkpoint in a folder. file is the name of the weight file, or
// empty if the folder must have exactly one.
func findIn(dir, file string) (Found, error) {
	if exists(filepath.Join(dir, ManifestFile)) && (file == "" || file == WeightsFile || file == ManifestFile) {
		m, err := readManifest(dir)
		if err == nil && m.Design != nil {
			return Found{Weights: m.Path(m.Design.File())}, &DesignError{m}
		}
		if err == nil {
			return Found{Weights: m.Path(WeightsFile), Config: m.Config, ConfigPath: m.Path(ManifestFile), Manifest: m, Scaling: m.Scaling}, nil
		}
		if !errors.Is(err, errForeignManifest) || file == ManifestFile || !exists(filepath.Join(dir, ConfigFile)) {
			return Found{}, err
		}
	}
	f := Found{ConfigPath: filepath.Join(dir, ConfigFile)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Found{}, fmt.Errorf("walrus: checkpoint: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if file == "" {
		if file, err = onlyWeights(names); err != nil {
			return Found{}, fmt.Errorf("walrus: checkpoint %s: %w", dir, err)
		}
	}
	f.Weights = filepath.Join(dir, file)
	if !slices.Contains(names, ConfigFile) {
		return f, fmt.Errorf("walrus: checkpoint: expected %s or %s next to %s, got %s", ConfigFile, ManifestFile, f.Weights, listing(names))
	}
	err = f.readRelease(dir)
	return f, err
}

// onlyWeights returns the one name that can be a weight file.
func onlyWeights(names []string) (string, error) {
	var found []string
	for _, name := range names {
		switch ext := strings.ToLower(filepath.Ext(name)); {
		case name == "metadata.pt" || name == OptimizerFile: // training state, not weights
		case ext == ".pt" || ext == ".safetensors":
			found = append(found, name)
		case ext == ".distcp":
			return "", errors.New("expected one weight file, got a distributed checkpoint of torch; " +
				"convert it with torch.distributed.checkpoint.format_utils.dcp_to_torch_save")
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("expected %s, or %s with a .pt or .safetensors file, got %s", ManifestFile, ConfigFile, listing(names))
	}
	return "", fmt.Errorf("expected one weight file, got %s; name the one to load", strings.Join(found, ", "))
}

// listing names the first files of a folder.
func listing(names []string) string {
	const shown = 10
	switch n := len(names); {
	case n == 0:
		return "an empty folder"
	case n > shown:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), n-shown)
	}
	return strings.Join(names, ", ")
}

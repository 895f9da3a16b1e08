package walrus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
// or unreadable, Found.Weights is set nevertheless.
func FindCheckpoint(path string) (Found, error) {
	path = present(path)
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
	f.Path = path
	return f, err
}

// Load loads the weights. It first verifies weights written by [SaveCheckpoint]
// against the manifest.
func (f Found) Load(o LoadOptions) (*Weights, *LoadReport, error) {
	if f.Manifest != nil {
		part, ok := f.Manifest.Part(filepath.Base(f.Weights))
		if !ok {
			return nil, nil, fmt.Errorf("walrus: checkpoint: expected %s in the manifest, got %d other parts", f.Weights, len(f.Manifest.Files))
		}
		if err := part.verify(f.Manifest.Dir); err != nil {
			return nil, nil, err
		}
	}
	w, report, err := LoadWeights(f.Weights, f.Config, o)
	if err != nil {
		return nil, report, err
	}
	if f.Manifest != nil {
		w.Adopt(f.Manifest)
	}
	w.scaling, w.missing = f.Scaling, f.missing
	return w, report, nil
}

// findIn looks for a checkpoint in a folder. file is the name of the weight file, or
// empty if the folder must have exactly one.
func findIn(dir, file string) (Found, error) {
	if exists(filepath.Join(dir, ManifestFile)) && (file == "" || file == WeightsFile || file == ManifestFile) {
		m, err := readManifest(dir)
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

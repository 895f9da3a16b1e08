package walrus_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/walrus"
)

// releaseFolder makes a folder with links to the golden set's files, or with empty
// files in place of those that the set lacks.
func releaseFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, source := range files {
		if source == "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o666))
			continue
		}
		require.NoError(t, os.Symlink(golden.Path(t, source), filepath.Join(dir, name)))
	}
	return dir
}

const (
	tinyConfig = "extended_config.yaml"
	tinyTorch  = "tiny_walrus.pt"
	tinySafe   = "tiny_walrus.safetensors"
)

// TestGoldenFindCheckpoint finds and loads the tiny model under all names that the
// release or its users may choose.
func TestGoldenFindCheckpoint(t *testing.T) {
	golden.Every(t, "model_weights", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		for name, s := range map[string]struct {
			files map[string]string
			file  string // in the folder; empty for the folder itself
			want  string
		}{
			"release":           {map[string]string{tinyConfig: tinyConfig, "walrus.pt": tinyTorch}, "", "walrus.pt"},
			"training":          {map[string]string{tinyConfig: tinyConfig, "full_checkpoint.pt": tinyTorch, "metadata.pt": ""}, "", "full_checkpoint.pt"},
			"converted":         {map[string]string{tinyConfig: tinyConfig, "model.safetensors": tinySafe, "README.md": ""}, "", "model.safetensors"},
			"foreign manifest":  {map[string]string{tinyConfig: tinyConfig, "walrus.pt": tinyTorch, "manifest.json": "manifest.json"}, "", "walrus.pt"},
			"any name":          {map[string]string{tinyConfig: tinyConfig, "mine.pt": tinyTorch}, "", "mine.pt"},
			"one of two, named": {map[string]string{tinyConfig: tinyConfig, "a.pt": tinyTorch, "b.pt": ""}, "a.pt", "a.pt"},
		} {
			t.Run(name, func(t *testing.T) {
				dir := releaseFolder(t, s.files)
				found, err := walrus.FindCheckpoint(filepath.Join(dir, s.file))
				require.NoError(t, err)
				assert.Nil(t, found.Manifest)
				assert.Equal(t, filepath.Join(dir, s.want), found.Weights)
				assert.Equal(t, filepath.Join(dir, tinyConfig), found.ConfigPath)
				assert.Equal(t, goldenConfig(t), found.Config)
				w, report, err := found.Load(walrus.LoadOptions{})
				require.NoError(t, err)
				defer w.Close()
				assert.Empty(t, report.Missing)
				requireGoldenWeights(t, f, "", w)
			})
		}
	})
}

func TestFindCheckpointErrors(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		file  string
		want  []string
	}{
		"two weight files": {map[string]string{tinyConfig: tinyConfig, "walrus.pt": tinyTorch, "b.safetensors": tinySafe}, "",
			[]string{"expected one weight file, got b.safetensors, walrus.pt; name the one to load"}},
		"no weight file": {map[string]string{tinyConfig: tinyConfig, "README.md": ""}, "",
			[]string{"expected manifest.json, or extended_config.yaml with a .pt or .safetensors file, got README.md, extended_config.yaml"}},
		"no configuration":             {map[string]string{"walrus.pt": tinyTorch}, "", []string{"expected extended_config.yaml or manifest.json next to", "walrus.pt", "got walrus.pt"}},
		"file without configuration":   {map[string]string{"walrus.pt": tinyTorch}, "walrus.pt", []string{"expected extended_config.yaml or manifest.json next to"}},
		"foreign manifest alone":       {map[string]string{"manifest.json": "manifest.json", "walrus.pt": tinyTorch}, "", []string{"manifest.json: expected a format_version, got none"}},
		"empty folder":                 {nil, "", []string{"got an empty folder"}},
		"nothing":                      {nil, "none.pt", []string{"none.pt: no such file"}},
		"distributed checkpoint":       {map[string]string{"__0_0.distcp": "", ".metadata": ""}, "", []string{"a distributed checkpoint of torch", "dcp_to_torch_save"}},
		"configuration is empty":       {map[string]string{tinyConfig: "", "walrus.pt": tinyTorch}, "", []string{tinyConfig}},
		"only the optimizer's moments": {map[string]string{tinyConfig: tinyConfig, "optimizer.safetensors": tinySafe}, "", []string{"got extended_config.yaml, optimizer.safetensors"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := releaseFolder(t, c.files)
			_, err := walrus.FindCheckpoint(filepath.Join(dir, c.file))
			for _, want := range append(c.want, dir) {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

// TestFindOwnCheckpoint finds a checkpoint of SaveCheckpoint by the paths of its folder,
// its weight file and its manifest.
func TestFindOwnCheckpoint(t *testing.T) {
	dir := saved(t, 4)
	for _, path := range []string{dir, filepath.Join(dir, walrus.WeightsFile), filepath.Join(dir, walrus.ManifestFile)} {
		found, err := walrus.FindCheckpoint(path)
		require.NoError(t, err)
		require.NotNil(t, found.Manifest)
		assert.EqualValues(t, 4, found.Manifest.Step)
		assert.Equal(t, walrus.Micro(), found.Config)
		w, _, err := found.Load(walrus.LoadOptions{})
		require.NoError(t, err)
		requireSameWeights(t, initMicro(t, 4), w)
		w.Close()
	}
}

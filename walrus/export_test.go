package walrus_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestExportRoundTrip: an exported checkpoint is read back bit for bit, with its
// configuration and every kind of scaling, and gives the same forecast.
func TestExportRoundTrip(t *testing.T) {
	s, _ := waveStatistics()
	for name, scaling := range map[string]walrus.Scaling{
		"pretraining": {},
		"finetuning":  {Eps: 1e-8, Statistics: s},
		"deviation":   {Normalization: walrus.NormalizeMeanStd, Eps: 3e-6},
		"data set":    {Normalization: walrus.NormalizeMeanStd, Statistics: s},
	} {
		t.Run(name, func(t *testing.T) {
			w := tinyReleased(t)
			w.SetScaling(scaling)
			dir, own := filepath.Join(t.TempDir(), "released"), filepath.Join(t.TempDir(), "own")
			require.NoError(t, walrus.Export(dir, w))
			found, err := walrus.FindCheckpoint(dir)
			require.NoError(t, err)
			assert.Nil(t, found.Manifest)
			assert.Equal(t, filepath.Join(dir, walrus.ExportFile), found.Weights)
			assert.Equal(t, w.Config(), found.Config)
			assert.Equal(t, scaling, found.Scaling)
			back, report, err := found.Load(walrus.LoadOptions{})
			require.NoError(t, err)
			defer back.Close()
			assert.Equal(t, "app.model", report.Where)
			assert.Equal(t, walrus.FormatTorch, report.Format)
			for _, p := range w.Params() {
				requireSameBits(t, p.Key, valuesOf(t, w, p.Key), valuesOf(t, back, p.Key))
			}
			want := []string{tinyConfig, walrus.ExportFile}
			if scaling.Statistics != nil {
				want = []string{tinyConfig, walrus.StatisticsFile, walrus.ExportFile}
			}
			assert.Equal(t, want, names(t, dir))
			assert.Equal(t, []string{"released"}, names(t, filepath.Dir(dir)), "nothing is left beside the folder")

			require.NoError(t, walrus.SaveCheckpoint(own, walrus.Checkpoint{Weights: w}))
			assert.Equal(t, waveForecast(t, own, walrus.EmulatorOptions{}), waveForecast(t, dir, walrus.EmulatorOptions{}))
		})
	}
}

// TestExportNamesRevin: the exported configuration has the reference's names of class,
// floor and prediction.
func TestExportNamesRevin(t *testing.T) {
	w := tinyReleased(t)
	s, _ := waveStatistics()
	for class, scaling := range map[string]walrus.Scaling{
		"SamplewiseRevNormalization":        {Eps: 1e-8},
		"MeanStdSamplewiseRevNormalization": {Eps: 1e-8, Normalization: walrus.NormalizeMeanStd},
		"RMSGlobalRevNormalization":         {Eps: 1e-8, Statistics: s},
		"MeanStdGlobalRevNormalization":     {Eps: 1e-8, Normalization: walrus.NormalizeMeanStd, Statistics: s},
	} {
		w.SetScaling(scaling)
		dir := filepath.Join(t.TempDir(), "released")
		require.NoError(t, walrus.Export(dir, w))
		text, err := os.ReadFile(filepath.Join(dir, tinyConfig))
		require.NoError(t, err)
		assert.Contains(t, string(text), "trainer:\n  revin:\n    _target_: walrus.trainer.normalization_strat."+class+
			"\n    _partial_: true\n  epsilon: 1.0e-08\n  prediction_type: delta\n")
	}
}

// TestExportStatistics: stats.yaml holds the statistics of scalars, vectors and tensors.
func TestExportStatistics(t *testing.T) {
	table := map[string][]float64{"density": {1.0 / 3}, "velocity": {1, 2}, "D": {1, 2, 3, 4}}
	w := tinyReleased(t)
	w.SetScaling(walrus.Scaling{Statistics: &data.Statistics{RMS: table, RMSDelta: table}})
	dir := filepath.Join(t.TempDir(), "released")
	require.NoError(t, os.Mkdir(dir, 0o777), "an empty folder is as good as none")
	require.NoError(t, walrus.Export(dir, w))
	text, err := os.ReadFile(filepath.Join(dir, walrus.StatisticsFile))
	require.NoError(t, err)
	assert.Contains(t, string(text), "rms:\n  D:\n  - - 1.0E+00\n    - 2.0E+00\n  - - 3.0E+00\n    - 4.0E+00\n  density: 3.333333333333333E-01\n  velocity:\n  - 1.0E+00\n  - 2.0E+00\n")
	found, err := walrus.FindCheckpoint(dir)
	require.NoError(t, err)
	assert.Equal(t, w.Scaling(), found.Scaling)

	w.SetScaling(walrus.Scaling{Statistics: &data.Statistics{RMS: map[string][]float64{"u": {1, 2, 3}, "v": {1, 2}}, RMSDelta: table}})
	require.ErrorContains(t, walrus.Export(filepath.Join(t.TempDir(), "x"), w), "expected the components of a scalar, a vector or a tensor")
}

// TestExportRefuses: Export returns an error with the reason for a network that the
// reference would run as another network.
func TestExportRefuses(t *testing.T) {
	for want, change := range map[string]func(c *walrus.Config){
		"its norm averages over groups of channels":                      func(c *walrus.Config) { c.Norm = walrus.NormGroup },
		"its kernels are [4 4], the strides of the reference need [8 4]": func(c *walrus.Config) { c.Kernel = [2]int{4, 4} },
		"it aims at 8 tokens per axis in 2D, the reference at 32":        func(c *walrus.Config) { c.Tokens[1] = 8 },
		"it was trained with the strides [[4 4]] in 3D":                  func(c *walrus.Config) { c.Strides = map[int][][2]int{3: {{4, 4}}} },
		"it has a 1D encoder, the reference fails on 1D fields":          func(c *walrus.Config) { c.Dims = []int{1, 2, 3} },
		"its attention in time has no bias and is not causal":            func(c *walrus.Config) { c.TimeBias, c.Causal = walrus.BiasNone, false },
	} {
		t.Run(want, func(t *testing.T) {
			c := walrus.Micro()
			change(&c)
			w, err := walrus.InitWeights(c, 1)
			require.NoError(t, err)
			defer w.Close()
			dir := filepath.Join(t.TempDir(), "released")
			err = walrus.Export(dir, w)
			var refused *walrus.ExportError
			require.ErrorAs(t, err, &refused)
			require.Len(t, refused.Reasons, 1)
			require.ErrorContains(t, err, want)
			require.NoDirExists(t, dir)
		})
	}
	w := initMicro(t, 1)
	for want, s := range map[string]*data.Statistics{
		"its scaling is not complete":      {},
		"its statistics have no rms_delta": {RMS: map[string][]float64{"a": {1}}},
	} {
		w.SetScaling(walrus.Scaling{Statistics: s})
		require.ErrorContains(t, walrus.Export(filepath.Join(t.TempDir(), "x"), w), want)
	}
}

func TestExportErrors(t *testing.T) {
	w := initMicro(t, 1)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cat.jpg"), nil, 0o666))
	require.ErrorContains(t, walrus.Export(dir, w), `expected a new folder or an empty one, got `+dir+` with "cat.jpg"`)
	require.ErrorContains(t, walrus.Export(filepath.Join(dir, "cat.jpg"), w), "expected a folder")
	require.EqualError(t, walrus.Export(filepath.Join(dir, "x"), nil), "walrus: export: expected weights, got none")
	w.Close()
	require.ErrorContains(t, walrus.Export(filepath.Join(dir, "x"), w), "the weights were freed")
	assert.Equal(t, []string{"cat.jpg"}, names(t, dir), "a failed export leaves nothing")
}

// TestGoldenExportJudged: Export writes exactly the file that PyTorch has read.
// testdata/export/README.md says how PyTorch's result was recorded and what to do if the
// file changes.
func TestGoldenExportJudged(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "export", "judged.json"))
	require.NoError(t, err)
	var judged struct {
		Torch   string
		Tensors int
		Content string // SHA-256 of the names and the SHA-256 of all entries
	}
	require.NoError(t, json.Unmarshal(raw, &judged))
	w := tinyReleased(t)
	dir := os.Getenv("WALRUS_EXPORT") // the folder for PyTorch to read
	if dir == "" {
		dir = filepath.Join(t.TempDir(), "released")
	}
	require.NoError(t, walrus.Export(dir, w))
	z, err := zip.OpenReader(filepath.Join(dir, walrus.ExportFile))
	require.NoError(t, err)
	defer z.Close()
	var lines []string
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		h := sha256.New()
		_, err = io.Copy(h, r)
		require.NoError(t, err)
		lines = append(lines, fmt.Sprintf("%s %x\n", f.Name, h.Sum(nil)))
	}
	slices.Sort(lines)
	assert.Equal(t, judged.Content, fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, "")))),
		"the file is no longer the one that torch %s has read", judged.Torch)
	assert.Equal(t, len(w.Params()), judged.Tensors)
}

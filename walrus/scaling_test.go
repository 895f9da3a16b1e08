package walrus_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// tinyReleased returns the weights of the golden set's tiny model.
func tinyReleased(t *testing.T) *walrus.Weights {
	t.Helper()
	w, _, err := walrus.LoadWeights(golden.Path(t, tinySafe), goldenConfig(t), walrus.LoadOptions{})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

// waveStatistics returns statistics for the fields of waves.
func waveStatistics() (*data.Statistics, []data.Field) {
	table := func(p, v float64) map[string][]float64 {
		return map[string][]float64{"pressure": {p}, "velocity": {v, v / 2}}
	}
	return &data.Statistics{Mean: table(0.4, 0.1), Std: table(2, 3), RMS: table(1.5, 2.5),
		MeanDelta: table(0.01, 0.02), StdDelta: table(0.3, 0.2), RMSDelta: table(0.25, 0.35)}, waves().Fields
}

// waveForecast forecasts waves, without random draws.
func waveForecast(t *testing.T, path string, o walrus.EmulatorOptions) []float32 {
	t.Helper()
	o.Backend, o.JitterOff = testbackend.New(t), true
	em, err := walrus.Load(path, o)
	require.NoError(t, err)
	defer em.Close()
	out, err := em.Emulate(context.Background(), waves())
	require.NoError(t, err)
	return out
}

// TestLoadReadsRevin: Load uses the class of normalisation and the floor of the release's
// configuration, for every class.
func TestLoadReadsRevin(t *testing.T) {
	w := tinyReleased(t)
	s, fields := waveStatistics()
	for class, want := range map[string]walrus.Scaling{
		"SamplewiseRevNormalization":        {},
		"RMSSamplewiseRevNormalization":     {},
		"MeanStdSamplewiseRevNormalization": {Normalization: walrus.NormalizeMeanStd},
		"GlobalRevNormalization":            {Statistics: s},
		"RMSGlobalRevNormalization":         {Statistics: s},
		"MeanStdGlobalRevNormalization":     {Normalization: walrus.NormalizeMeanStd, Statistics: s},
	} {
		t.Run(class, func(t *testing.T) {
			want.Eps = 1e-8
			dir := finetuned(t, w, class, "finetuning_mods: {}\n", s, fields)
			found, err := walrus.FindCheckpoint(dir)
			require.NoError(t, err)
			assert.Equal(t, want, found.Scaling)
			loaded, _, err := found.Load(walrus.LoadOptions{})
			require.NoError(t, err)
			defer loaded.Close()
			assert.Equal(t, want, loaded.Scaling())
			em, err := walrus.NewEmulator(loaded, walrus.EmulatorOptions{Backend: testbackend.New(t)})
			require.NoError(t, err)
			assert.Equal(t, want, em.Scaling())
		})
	}
	released, err := walrus.FindCheckpoint(golden.Path(t, tinyTorch))
	require.NoError(t, err)
	assert.Equal(t, walrus.Scaling{}, released.Scaling)
}

// TestLoadWithoutStatistics: if the class needs the statistics of a data set and they are
// missing, Load returns an error that names class, file and option. With the option it
// succeeds.
func TestLoadWithoutStatistics(t *testing.T) {
	w := tinyReleased(t)
	s, fields := waveStatistics()
	dir := finetuned(t, w, "RMSGlobalRevNormalization", "finetuning_mods: {}\n", nil, nil)
	b := testbackend.New(t)
	_, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: b})
	for _, part := range []string{"RMSGlobalRevNormalization", filepath.Join(dir, "stats.yaml"), filepath.Join(dir, tinyConfig),
		"EmulatorOptions.Scaling", "rms and rms_delta", "NormalizeRMS, Eps: 1e-08"} {
		require.ErrorContains(t, err, part)
	}
	found, err := walrus.FindCheckpoint(dir)
	require.NoError(t, err, "a training may begin with the weights")
	loaded, _, err := found.Load(walrus.LoadOptions{})
	require.NoError(t, err)
	defer loaded.Close()
	_, err = walrus.NewEmulator(loaded, walrus.EmulatorOptions{Backend: b})
	require.ErrorContains(t, err, "EmulatorOptions.Scaling")

	given := found.Scaling.With(s)
	got := waveForecast(t, dir, walrus.EmulatorOptions{Scaling: &given})
	require.NoError(t, data.WriteStatistics(filepath.Join(dir, "stats.yaml"), s, fields, 2, data.FullPrecision))
	assert.Equal(t, waveForecast(t, dir, walrus.EmulatorOptions{}), got)
	assert.NotEqual(t, waveForecast(t, dir, walrus.EmulatorOptions{Scaling: &walrus.Scaling{}}), got)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "stats.yaml"), []byte("rms: [1]\n"), 0o666))
	_, err = walrus.Load(dir, walrus.EmulatorOptions{Backend: b})
	require.ErrorContains(t, err, filepath.Join(dir, "stats.yaml"))
}

// TestLoadRefusesUnknownRevin: an unknown or missing class in the configuration is an
// error, not a default.
func TestLoadRefusesUnknownRevin(t *testing.T) {
	released, err := os.ReadFile(golden.Path(t, tinyConfig))
	require.NoError(t, err)
	const revin = "  revin:\n    _target_: walrus.trainer.normalization_strat.SamplewiseRevNormalization\n    _partial_: true\n"
	require.Contains(t, string(released), revin)
	for name, c := range map[string]struct{ text, want string }{
		"class":    {strings.Replace(revin, "Samplewise", "Minmax", 1), `trainer\.revin\._target_ \(line \d+\): expected a class that this library implements \(SamplewiseRevNormalization, .*\), got walrus\.trainer\.normalization_strat\.MinmaxRevNormalization`},
		"argument": {revin + "    momentum: 0.1\n", `trainer\.revin\.momentum \(line \d+\): unknown key`},
		"missing":  {"", `extended_config\.yaml: expected a class of normalisation as trainer\.revin, got none: .* EmulatorOptions\.Scaling`},
		"floor":    {revin + "  epsilon: 0.0\n", `trainer\.epsilon \(line \d+\): expected a positive number, got 0`},
		"no floor": {revin + "  epsilon: small\n", `trainer\.epsilon \(line \d+\): expected a number, got "small"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := releaseFolder(t, map[string]string{"walrus.pt": tinyTorch})
			text := strings.Replace(string(released), revin, c.text, 1)
			require.NoError(t, os.WriteFile(filepath.Join(dir, tinyConfig), []byte(text), 0o666))
			_, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: testbackend.New(t)})
			require.Error(t, err)
			require.Regexp(t, c.want, err.Error())
		})
	}
}

// ownCheckpoint writes a checkpoint of the tiny model whose scaling is not the default.
func ownCheckpoint(t *testing.T) string {
	t.Helper()
	w := tinyReleased(t)
	s, _ := waveStatistics()
	w.SetScaling(walrus.Scaling{Normalization: walrus.NormalizeMeanStd, Eps: 1e-8, Statistics: s})
	dir := filepath.Join(t.TempDir(), "checkpoint")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))
	return dir
}

// TestOptionsKeepScaling: options other than Scaling, such as Resize, do not change the
// scaling of the checkpoint.
func TestOptionsKeepScaling(t *testing.T) {
	dir := ownCheckpoint(t)
	want := waveForecast(t, dir, walrus.EmulatorOptions{})
	got := waveForecast(t, dir, walrus.EmulatorOptions{Resize: walrus.Resize{32, 32, 0}}) // to the same grid
	assert.Equal(t, want, got)
}

// TestScalingIsAskedForExplicitly: a zero Scaling in the options means the release's
// scaling, not that of the checkpoint.
func TestScalingIsAskedForExplicitly(t *testing.T) {
	own := ownCheckpoint(t)
	w := tinyReleased(t)
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, walrus.SaveCheckpoint(plain, walrus.Checkpoint{Weights: w}))
	want := waveForecast(t, plain, walrus.EmulatorOptions{})
	assert.Equal(t, want, waveForecast(t, own, walrus.EmulatorOptions{Scaling: &walrus.Scaling{}}))
	assert.NotEqual(t, want, waveForecast(t, own, walrus.EmulatorOptions{}))
}

// TestWeightsKeepScaling: copies and checkpoints of weights keep their scaling.
func TestWeightsKeepScaling(t *testing.T) {
	dir := ownCheckpoint(t)
	m, err := walrus.OpenCheckpoint(dir)
	require.NoError(t, err)
	w, _, err := walrus.LoadWeights(m.Path(walrus.WeightsFile), m.Config, walrus.LoadOptions{})
	require.NoError(t, err)
	defer w.Close()
	assert.Equal(t, walrus.Scaling{}, w.Scaling(), "a file of weights alone does not say")
	w.Adopt(m)
	clone, err := w.Clone()
	require.NoError(t, err)
	defer clone.Close()
	again := filepath.Join(t.TempDir(), "again")
	require.NoError(t, walrus.SaveCheckpoint(again, walrus.Checkpoint{Weights: clone}))
	assert.Equal(t, waveForecast(t, dir, walrus.EmulatorOptions{}), waveForecast(t, again, walrus.EmulatorOptions{}))
}

// TestScalingOfOldManifests: manifests of both versions that omit the floor or the
// statistics are read with the defaults.
func TestScalingOfOldManifests(t *testing.T) {
	for text, want := range map[string]walrus.Scaling{
		`{"normalization":"rms"}`:                 {},
		`{"normalization":"mean_std","eps":1e-8}`: {Normalization: walrus.NormalizeMeanStd, Eps: 1e-8},
		`{"normalization":"rms","statistics":{"Mean":null,"Std":null,"RMS":{"density":[1.5]},"MeanDelta":null,"StdDelta":null,"RMSDelta":{"density":[0.5]}}}`: {
			Statistics: &data.Statistics{RMS: map[string][]float64{"density": {1.5}}, RMSDelta: map[string][]float64{"density": {0.5}}}},
	} {
		for _, version := range []string{"1", "2"} {
			dir := saved(t, 3)
			path := filepath.Join(dir, walrus.ManifestFile)
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, withScaling(t, raw, version, text), 0o666))
			m, err := walrus.OpenCheckpoint(dir)
			require.NoError(t, err)
			assert.Equal(t, want, m.Scaling)
		}
	}
}

// TestUnrecordedStatistics: an emulator of weights that were trained with the statistics of
// several data sets is an error; it does not forecast with those of the history.
func TestUnrecordedStatistics(t *testing.T) {
	w := initMicro(t, 1)
	w.SetScaling(walrus.Scaling{Statistics: &data.Statistics{}})
	dir := filepath.Join(t.TempDir(), "several")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))
	_, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.ErrorContains(t, err, "which are not recorded: expected those of your data set in EmulatorOptions.Scaling")
	_, err = walrus.Load(dir, walrus.EmulatorOptions{Backend: testbackend.New(t), Scaling: &walrus.Scaling{Statistics: &data.Statistics{}}})
	require.EqualError(t, err, "walrus: emulator options: scaling: statistics: expected those of a data set (rms and rms_delta), got empty ones")
}

// withScaling replaces version and scaling in the text of a manifest.
func withScaling(t *testing.T, raw []byte, version, scaling string) []byte {
	t.Helper()
	var m map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &m))
	m["format_version"], m["scaling"] = json.RawMessage(version), json.RawMessage(scaling)
	delete(m, "sha256") // which versions 1 and 2 lack
	out, err := json.Marshal(m)
	require.NoError(t, err)
	return out
}

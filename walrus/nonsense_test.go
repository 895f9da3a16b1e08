package walrus_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	c := smallConfig()
	w := livelyWeights(t, c)
	model, err := walrus.NewModel(c)
	require.NoError(t, err)
	window := flow([]int{16, 8}, data.Boundaries{walled, walled}, 3)
	plan, err := model.Plan(window.Grid, window.Boundaries)
	require.NoError(t, err)
	emulator, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "checkpoint")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))
	manifest, err := walrus.OpenCheckpoint(dir)
	require.NoError(t, err)
	found, err := walrus.FindCheckpoint(dir)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "weights.safetensors")
	require.NoError(t, w.Save(file, nil))
	listed, err := walrus.ListTensors(file)
	require.NoError(t, err)
	recipe, err := walrus.NewRecipe(c, walrus.Scaling{})
	require.NoError(t, err)
	calls := 60
	if onXLA(t) {
		calls = 20 // it compiles every new shape
	}
	sweep.Run(t, sweep.Package{
		Funcs: []any{walrus.Advise, walrus.CheckWeights, walrus.DescribeWeights, walrus.EnsembleOf, walrus.EstimateForecast, walrus.Export, walrus.FieldScales, walrus.FindCheckpoint, walrus.GlobalStats,
			walrus.HalfWalrus, walrus.InitTensors, walrus.InitWeights, walrus.ListTensors, walrus.Load, walrus.LoadTensors, walrus.LoadWeights, walrus.Micro, walrus.NewEmulator, walrus.NewFamiliarity, walrus.NewModel,
			walrus.NewObjective, walrus.NewRecipe, walrus.OpenCheckpoint, walrus.ParamsOf, walrus.ParseConfig, walrus.ParsePrecision, walrus.ParseRecipe, walrus.ParseStorage, walrus.Preset,
			walrus.PresetNames, walrus.ReadCalibration, walrus.ReadConfig, walrus.ReadFamiliarity, walrus.ReadRecipe, walrus.ReadWeights, walrus.SampleStats, walrus.SaveCheckpoint,
			walrus.Small, walrus.Tiny, walrus.Walrus, walrus.WindowFeatures, walrus.WithConstants},
		Types: []any{new(walrus.AdviceKind), new(walrus.Cache), new(walrus.Calibration), new(walrus.ChannelCalibration), new(walrus.ChannelStats), new(walrus.MemoryError), new(walrus.Config), new(walrus.Coverage), new(walrus.Design), new(walrus.DesignError), new(walrus.DivergedError), new(walrus.Divergence), new(walrus.DivergenceKind),
			new(walrus.EmulatorOptions), new(walrus.EnsembleOptions), new(walrus.ExportError), new(walrus.FamiliarFeatures), new(walrus.Familiarity), new(walrus.Footprint), new(walrus.ForecastShape), new(walrus.Found), new(walrus.LoadError),
			new(walrus.LoadReport), new(walrus.Manifest), new(walrus.Mismatch), new(walrus.Normalization),
			new(walrus.Param), new(walrus.Precision), new(walrus.Prediction), new(walrus.Resize), new(walrus.Scaling),
			new(walrus.Stats), new(walrus.Storage), new(walrus.TensorInfo), new(walrus.TimeBias), new(walrus.Trajectory)},
		Made: []any{(*walrus.Emulator)(nil), (*walrus.Model)(nil), (*walrus.Recipe)(nil), (*walrus.TensorFile)(nil), (*walrus.TensorSet)(nil), (*walrus.Weights)(nil)},
		Values: []any{c, w, model, window, plan, emulator, manifest, found, listed, recipe, data.Boundaries{walled, walled}, []int{16, 8}, w.Params()[0],
			walrus.EmulatorOptions{Backend: testbackend.New(t)}, walrus.Checkpoint{Weights: w}},
		Strings: []string{dir, file, "density", "velocity_x", w.Params()[0].Key, "micro"},
		Exempt: map[string]string{
			"Walrus": presets, "HalfWalrus": presets, "Small": presets, "Tiny": presets,
			"Emulator.Close":  "the other methods need the programs",
			"Weights.Close":   "the other methods need the tensors",
			"TensorSet.Close": "the other methods need the tensors",
		},
		Calls: calls,
	})
}

const presets = "takes no input, and its network is too large for the other calls"

package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// TestFinetune finetunes adapters and positions on a data set, and keeps its statistics
// with the weights.
func TestFinetune(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	out := output(t, "finetune", "--data", filepath.Join(dataDir, "gray_scott_reaction_diffusion"), "--out", dir,
		"--epochs", "1", "--updates", "1", "--windows", "0", "--lora", "2", "--ape", "--freeze", "embed.*")
	require.Contains(t, out, "gray_scott_reaction_diffusion 1: ")
	m, err := walrus.OpenCheckpoint(filepath.Join(dir, "best"))
	require.NoError(t, err)
	require.Equal(t, walrus.RoPEPerAxis, m.Config.RoPE)
	require.Equal(t, []int{16, 16, 1}, m.Config.APE)
	require.NotNil(t, m.Scaling.Statistics)
	require.Equal(t, 1e-8, m.Scaling.Eps)
}

func TestFinetuneErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"expected --data FOLDER":      {"--out", "x"},
		"nothing":                     {"--data", "nothing", "--out", t.TempDir()},
		"expected history or dataset": {"--data", filepath.Join(dataDir, "shear_flow"), "--out", t.TempDir(), "--statistics", "mine"},
	} {
		require.ErrorContains(t, fails(append([]string{"finetune"}, args...)...), want)
	}
}

// TestFinetuneMine: a data set with a field that the weights do not know needs no other
// option than --data. The scores before and after are printed, and the last lines are
// commands that run.
func TestFinetuneMine(t *testing.T) {
	t.Chdir(t.TempDir())
	dir := filepath.Join("sets", "mine")
	writeMine(t, dir)
	// The other options keep the test short.
	out := output(t, "finetune", "--data", dir, "--epochs", "1", "--updates", "1", "--windows", "1")
	assert.Contains(t, out, "Fields that the weights do not know, which start fresh: [terrain_height]")
	assert.Regexp(t, `steps +before +after +persistence +linear\n +1 +\d.*\n +1:10 +\d`, out)
	best := filepath.Join("runs", "mine", "best")
	_, commands, found := strings.Cut(out, "Forecast with the result:\n")
	require.True(t, found, out)
	lines := strings.Split(strings.TrimSpace(commands), "\n")
	require.Len(t, lines, 2)
	for _, line := range lines {
		words := strings.Fields(line)
		require.Equal(t, "gowalrus", words[0])
		assert.Contains(t, line, "--weights "+best+" --data "+dir+" --split valid")
		require.NoError(t, fails(append(words[1:], map[string][]string{"forecast": {"--steps", "1"}, "evaluate": {"--windows", "1", "--horizons", "1"}}[words[1]]...)...))
	}
	assert.FileExists(t, filepath.Join("runs", "mine", "forecast.nc"))
	assert.FileExists(t, filepath.Join("runs", "mine", "report", "report.html"))
}

// writeMine writes waves of a field that no weights know, with train and valid.
func writeMine(t *testing.T, dir string) {
	t.Helper()
	h := well.Header{Dataset: "mine", Fields: []data.Field{{Name: "terrain_height"}}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}}
	w := &data.Window{Fields: h.Fields, Grid: []int{16, 16}, Boundaries: h.Boundaries}
	for k := range 12 {
		frame := make([]float32, w.Points())
		for p := range frame {
			frame[p] = float32(math.Sin(float64(p/16+k)*math.Pi/8) + math.Cos(float64(p%16)*math.Pi/4))
		}
		w.Frames, h.Times = append(w.Frames, frame), append(h.Times, float32(k))
	}
	axis := make([]float32, 16)
	for i := range axis {
		axis[i] = float32(i)
	}
	h.Coordinates = [][]float32{axis, axis}
	ds, err := data.NewMemory("mine", []*data.Window{w})
	require.NoError(t, err)
	for _, split := range []string{"train", "valid"} {
		require.NoError(t, well.WriteFile(context.Background(), filepath.Join(dir, "data", split, "a.hdf5"), h, ds, []int{0}, nil))
	}
	require.NoError(t, well.UpdateStatistics(context.Background(), dir))
}

// TestFinetuneUnjudged: without files for validation there is no best; a run with other
// settings does not resume in the folder.
func TestFinetuneUnjudged(t *testing.T) {
	set, dir := t.TempDir(), filepath.Join(t.TempDir(), "run")
	from := filepath.Join(dataDir, "gray_scott_reaction_diffusion")
	require.NoError(t, os.CopyFS(filepath.Join(set, "data", "train"), os.DirFS(filepath.Join(from, "data", "train"))))
	args := []string{"finetune", "--data", set, "--out", dir, "--epochs", "1", "--updates", "1", "--history", "2", "--statistics", "history"}
	out := output(t, args...)
	require.Contains(t, out, "Note: the run is not validated: no checkpoint best is written")
	require.Contains(t, out, "Done: 1 updates; weights in "+filepath.Join(dir, "last"))
	require.ErrorContains(t, fails(append(args, "--history", "3")...), "to start again choose another folder, or remove "+dir)
	require.ErrorContains(t, fails(args[:5]...), "gowalrus inspect --data FOLDER --stats")
}

// TestFinetuneOptions: flags become keys of the recipe.
func TestFinetuneOptions(t *testing.T) {
	o := finetuneOptions{recipe: recipe.Finetuning("nano", ""), data: "x", out: "y", epochs: 20, rank: 2, drop: []string{"a"}}
	require.NoError(t, o.complete())
	require.Equal(t, 4, o.recipe.Schedule.Warmup)
	require.Equal(t, &recipe.LoRA{Rank: 2}, o.recipe.LoRA)
	require.Equal(t, []string{"a"}, o.recipe.Data[0].Drop)
	require.Equal(t, "per_axis", o.recipe.Network["rope"])
	o.fixed = true
	require.NoError(t, o.complete())
	require.NotContains(t, o.recipe.Network, "rope")
	for rated, want := range map[bool]float64{false: 1e-3, true: 1e-4} {
		o := finetuneOptions{recipe: recipe.Finetuning("nano", ""), data: "x", out: "y", epochs: 20, rated: rated}
		o.recipe.Weights = "fno"
		require.NoError(t, o.complete())
		require.Equal(t, want, o.recipe.Schedule.Base)
		require.Empty(t, o.recipe.Network)
	}
}

// TestFinetunePeers: weights of the paper's other networks are finetuned on fields that they do
// not know, and the checkpoint forecasts, is described and is compared.
func TestFinetunePeers(t *testing.T) {
	paths := map[string]string{
		"Poseidon": filepath.Join(peerDir, "poseidon_micro"),
		"DPOT":     filepath.Join(peerDir, "dpot_micro.pth"),
	}
	for kind, path := range paths {
		path, err := filepath.Abs(path)
		require.NoError(t, err)
		paths[kind] = path
	}
	t.Chdir(t.TempDir())
	dir := filepath.Join("sets", "mine")
	writeMine(t, dir)
	paths["FNO"] = "fno"
	args := []string{"compare", "--weights", "nano", "--data", dir, "--split", "valid", "--windows", "1", "--horizons", "1"}
	for kind, path := range paths {
		out := output(t, "finetune", "--weights", path, "--data", dir, "--out", kind, "--epochs", "1", "--updates", "2", "--windows", "1", "--freeze", map[string]string{"Poseidon": "encoder.*", "DPOT": "blocks.*", "FNO": "fno.lift.*"}[kind])
		assert.Equal(t, kind != "FNO", strings.Contains(out, "Tensors of "+kind+" that start fresh: ["))
		assert.Regexp(t, `steps +before +after +persistence +linear\n +1 +\d`, out)
		best := filepath.Join(kind, "best")
		assert.Contains(t, output(t, "inspect", "--weights", best), "weights of "+kind)
		assert.Contains(t, output(t, "forecast", "--weights", best, "--data", dir, "--split", "valid", "--steps", "1"), "mine")
		args = append(args, "--weights", kind+"="+best)
	}
	assert.Regexp(t, `1 +\*?\d.*\d`, output(t, args...))
	require.ErrorContains(t, fails("finetune", "--weights", paths["DPOT"], "--data", dir, "--out", "x", "--ape"), "ape: expected none with weights of DPOT")
	require.ErrorContains(t, fails("evaluate", "--weights", filepath.Join("Poseidon", "best"), "--data", dir, "--split", "valid", "--labels", "a=1"), "--labels: expected weights of MPP")
}

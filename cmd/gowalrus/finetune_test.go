package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// TestFinetune finetunes adapters and positions on a data set, and keeps its statistics
// with the weights.
func TestFinetune(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	out := output(t, "finetune", "--data", filepath.Join(dataDir, "gray_scott_reaction_diffusion"), "--out", dir,
		"--epochs", "1", "--updates", "1", "--lora", "2", "--ape", "--freeze", "embed.*")
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
		"expected --data FOLDER and --out FOLDER": {"--data", "x"},
		"nothing":                     {"--data", "nothing", "--out", t.TempDir()},
		"expected history or dataset": {"--data", filepath.Join(dataDir, "shear_flow"), "--out", t.TempDir(), "--statistics", "mine"},
	} {
		require.ErrorContains(t, fails(append([]string{"finetune"}, args...)...), want)
	}
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
}

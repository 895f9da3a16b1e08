package recipe

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

const sets = "../../testdata/data/"

// read writes a recipe into a new folder and reads it. ROOT in the text is replaced by
// the folder of the small data sets.
func read(t *testing.T, text string) (*Recipe, error) {
	t.Helper()
	root, err := filepath.Abs(sets)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "recipe.yaml")
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(text, "ROOT", root)), 0o666))
	return Read(path)
}

// TestRecipe reads every setting.
func TestRecipe(t *testing.T) {
	r, err := read(t, `
name: mine
seed: 3
network: {preset: tiny, hidden: 32, heads: 2, groups: 2, tokens: [8, 8, 4], strides: {2: [[2, 2], [4, 2]], 3: [[2, 1]]}, drop_path: 0.1, field_drop: 0.2}
fields: released
data:
  - {path: ROOT/shear_flow, weight: 2, rotations: mirrors}
  - {path: ROOT/burgers_3D, name: three, batch: 3, history: 4}
sampling: {planes: {history: 5, batch: 4}, volumes: {history: 2, batch: 1}, strides: [1, 3]}
epochs: 12
updates: 7
accumulate: 2
schedule: {kind: linear_ramps, base: 1.0e-3, warmup: 2, cooldown: 3, warmup_factor: 0.5, cooldown_factor: 0.01, per: update}
optimizer: {beta1: 0.8, beta2: 0.9, eps: 1.0e-9, weight_decay: 0.01, clip_norm: 5}
objective: {normalization: mean_std, eps: 1.0e-6, multiplier: 10, statistics: dataset}
ema: 0.9
skip_non_finite: true
freeze: ["embed.2.*"]
lora: {rank: 2, alpha: 4, targets: ["blocks.*.weight"]}
validation: {every: 2, windows: 3, rollout_every: 4, rollout_steps: 5}
save_every: 9
`)
	require.NoError(t, err)
	o, err := r.Open()
	require.NoError(t, err)
	defer o.Close()
	c := o.Weights.Config()
	require.Equal(t, "mine", c.Name)
	require.Equal(t, 32, c.Hidden)
	require.Equal(t, [3]int{8, 8, 4}, c.Tokens)
	require.Equal(t, map[int][][2]int{2: {{2, 2}, {4, 2}}, 3: {{2, 1}}}, c.Strides)
	require.Equal(t, []float64{0.1, 0.2}, []float64{c.DropPath, c.FieldDrop})
	released, _ := data.ReleasedRegistry().Index("velocity_x")
	got, ok := c.Registry.Index("velocity_x")
	require.True(t, ok)
	require.Equal(t, released, got)
	p := o.Options
	require.Equal(t, []int{12, 7, 2, 9}, []int{p.Epochs, p.Updates, p.Accumulate, p.SaveEvery})
	require.True(t, p.PerUpdate)
	require.Equal(t, train.Schedule{Kind: train.LinearRamps, Base: 1e-3, Warmup: 2, Cooldown: 3, WarmupFactor: 0.5, CooldownFactor: 0.01}, p.Schedule)
	require.Equal(t, train.AdamW{Beta1: 0.8, Beta2: 0.9, Eps: 1e-9, WeightDecay: 0.01, ClipNorm: 5}, p.Trainer.AdamW)
	require.Equal(t, train.Objective{Scaling: &walrus.Scaling{Normalization: walrus.NormalizeMeanStd, Eps: 1e-6}, Multiplier: 10}, p.Trainer.Objective)
	require.Equal(t, train.Validation{Every: 2, Windows: 3, RolloutEvery: 4, RolloutSteps: 5}, p.Validation)
	require.True(t, p.Trainer.SkipNonFinite)
	require.Equal(t, &train.LoRA{Rank: 2, Alpha: 4, Targets: []string{"blocks.*.weight"}}, p.Trainer.LoRA)
	require.Equal(t, []string{"embed.2.*"}, p.Trainer.Freeze)
	one, two := p.Systems[0], p.Systems[1]
	require.Equal(t, []any{"shear_flow", 2., 4, data.Cut{Input: 5, MinStride: 1, MaxStride: 3}}, []any{one.Name, one.Weight, one.Batch, one.Cut})
	require.Equal(t, []any{"three", 3, data.Cut{Input: 4, MinStride: 1, MaxStride: 3}}, []any{two.Name, two.Batch, two.Cut})
	require.Len(t, one.Rotations, 8)
	require.Empty(t, two.Rotations)
	require.NotNil(t, one.Statistics)
	require.NotNil(t, one.Valid)
}

// TestFinetune: shipped weights are finetuned on data with fields that they do not
// know, and learn rotary frequencies and positions.
func TestFinetune(t *testing.T) {
	r, err := read(t, "weights: nano\nape: true\nnetwork: {rope: per_axis}\ndata: [{path: ROOT/shear_flow}]")
	require.NoError(t, err)
	o, err := r.Open()
	require.NoError(t, err)
	defer o.Close()
	c := o.Weights.Config()
	require.Equal(t, walrus.RoPEPerAxis, c.RoPE)
	require.Equal(t, []int{16, 16, 1}, c.APE)
	require.Equal(t, []string{"ape"}, o.Report.Missing)
}

// TestDrop: dropped fields are neither trained on nor validated, nor known to a fresh
// network.
func TestDrop(t *testing.T) {
	r, err := read(t, "data: [{path: ROOT/shear_flow, drop: [tracer, velocity]}]\nnetwork: {tokens: [4, 4, 4]}\nobjective: {statistics: dataset}")
	require.NoError(t, err)
	o, err := r.Open()
	require.NoError(t, err)
	defer o.Close()
	s := o.Options.Systems[0]
	for _, ds := range []data.Dataset{s.Train, s.Valid} {
		require.Equal(t, []data.Field{{Name: "pressure"}}, ds.Metadata().Fields)
	}
	_, known := o.Weights.Config().Registry.Index("tracer")
	require.False(t, known)
}

// requireRefused reads and opens a recipe and requires an error with the wanted text.
func requireRefused(t *testing.T, text, want string) {
	t.Helper()
	r, err := read(t, text)
	if err == nil {
		var o *Opened
		if o, err = r.Open(); err == nil {
			o.Close()
		}
	}
	require.ErrorContains(t, err, want)
}

func TestRecipeErrors(t *testing.T) {
	const flow = "data: [{path: ROOT/shear_flow}]\n"
	for want, text := range map[string]string{
		"unknown field \"epoch\"":                           flow + "epoch: 3",
		"an empty text":                                     "",
		"expected at least one data set":                    "epochs: 3",
		"entry 1: expected a path, or a system to simulate": "data: [{weight: 3}]",
		"drop: expected names of its fields, which are tracer, pressure, velocity, got \"salt\"": "data: [{path: ROOT/shear_flow, drop: [salt]}]",
		"rotations: expected none, mirrors":                                         "data: [{path: ROOT/shear_flow, rotations: sometimes}]",
		"expected one of [sqrt_cooldown":                                            flow + "schedule: {kind: cosine}",
		"per: expected epoch or update":                                             flow + "schedule: {per: day}",
		"fields: expected data or released":                                         flow + "fields: all",
		"strides: expected the least and the greatest, got [1 2 3]":                 flow + "sampling: {strides: [1, 2, 3]}",
		"statistics: expected history or dataset":                                   flow + "objective: {statistics: none}",
		"preset: expected one of":                                                   flow + "network: {preset: large}",
		"recipe.yaml: network: unknown key \"hiden\": expected one of preset, name": flow + "network: {hiden: 3}",
		"recipe.yaml: network: hidden: expected a whole number, got a string":       flow + "network: {hidden: big}",
		"line 2: epochs: expected a whole number, got many":                         flow + "epochs: many",
		"recipe.yaml: line 2: expected a value without a tag, got the tag !a":       flow + "freeze: !a b",
		"recipe.yaml: line 2: nested more than 256 levels deep":                     flow + "network: " + strings.Repeat("[", 20000),
		"values and punctuation marks in a text, got more":                          flow + strings.Repeat("- 1\n", 20000),
		"recipe.yaml: expected one YAML document, got 2":                            flow + "---\n" + flow,
		"line 1: weight: expected a number, got heavy":                              "data: [{path: ROOT/shear_flow, weight: heavy}]",
		"set schedule: {warmup: N, cooldown: N}":                                    flow + "epochs: 3",
		"got one of its splits: give":                                               "data: [{path: ROOT/shear_flow/data/train}]",
		"stats.yaml: data: statistics: rms: expected field \"log10_pressure\"":      "data: [{path: ROOT/shear_flow, transforms: {pressure: log10}}]\nobjective: {statistics: dataset}",
		"got \"torch.log2\"":                                                        "data: [{path: ROOT/shear_flow, transforms: {pressure: log2}}]",
		"hidden is decided by the weights":                                          flow + "weights: nano\nnetwork: {hidden: 3}",
		"no such file":                                                              "data: [{path: nothing}]",
		"expected data sets with one token grid":                                    "weights: nano\nape: true\ndata: [{path: ROOT/shear_flow}, {path: ROOT/rayleigh_benard}]",
	} {
		t.Run(want, func(t *testing.T) { requireRefused(t, text, want) })
	}
}

// TestNumbers: a setting of the network may be a number with an exponent and no point.
func TestNumbers(t *testing.T) {
	r, err := Parse([]byte("data: [{path: a}]\nnetwork: {drop_path: 5e-2}\nobjective: {eps: 1e-9}"))
	require.NoError(t, err)
	c, err := r.config(nil)
	require.NoError(t, err)
	require.Equal(t, 0.05, c.DropPath)
	require.Equal(t, 1e-9, r.Objective.Eps)
}

// TestStatisticsMissing: statistics of the data set need a stats.yaml.
func TestStatisticsMissing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bare", "data", "train", "a.hdf5")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o777))
	found, err := filepath.Glob(sets + "gray_scott_reaction_diffusion/data/test/*.hdf5")
	require.NoError(t, err)
	require.NotEmpty(t, found)
	raw, err := os.ReadFile(found[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, raw, 0o666))
	r, err := Parse([]byte("objective: {statistics: dataset}\ndata: [{path: " + filepath.Join(dir, "bare") + "}]"))
	require.NoError(t, err)
	_, err = r.Open()
	require.ErrorContains(t, err, "expected a stats.yaml, got none")
}

// TestNotes: opening a recipe reports a field that is zero everywhere and a validation
// split without files; an empty training split is an error that names it.
func TestNotes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "flow")
	for _, split := range []string{"train", "valid"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "data", split), 0o777))
	}
	r, err := Parse([]byte("data: [{path: " + dir + "}]"))
	require.NoError(t, err)
	_, err = r.Open()
	require.ErrorContains(t, err, filepath.Join(dir, "data", "train")+": expected files *.hdf5 or *.h5, got none")

	require.NoError(t, os.CopyFS(filepath.Join(dir, "data", "train"), os.DirFS(sets+"shear_flow/data/train")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "stats.yaml"), []byte("rms: {tracer: 0, pressure: 1, velocity: [0, 1]}"), 0o666))
	o, err := r.Open()
	require.NoError(t, err)
	defer o.Close()
	require.Equal(t, []string{
		"data set flow: field tracer is zero everywhere in the training data: nothing can be learned of it",
		"data set flow: data/valid of " + dir + " holds no *.hdf5 or *.h5 files: the run is not validated on it",
	}, o.Notes)
}

// TestOpenFar: a recipe may name data sets by their addresses. The folder of one split is an
// error there, too.
func TestOpenFar(t *testing.T) {
	server := httptest.NewServer(http.FileServer(http.Dir(sets)))
	defer server.Close()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	address := server.URL + "/shear_flow"
	r, err := Parse([]byte("data: [{path: " + address + "}]"))
	require.NoError(t, err)
	o, err := r.Open()
	require.NoError(t, err)
	defer o.Close()
	system := o.Options.Systems[0]
	require.Equal(t, "shear_flow", system.Name)
	require.NotNil(t, system.Valid)
	require.Contains(t, system.Train.Trajectories()[0].File, address+"/data/train/")
	require.NotNil(t, o.sets[0].Statistics())

	r, err = Parse([]byte("data: [{path: " + address + "/data/train}]"))
	require.NoError(t, err)
	_, err = r.Open()
	require.ErrorContains(t, err, "expected the folder of a whole data set, got one of its splits: give "+address)
}

package walrus

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// written is a recipe as a person might write it, with comments, blank lines, flow lists
// and sections that this library does not interpret.
func written(t *testing.T) string {
	t.Helper()
	model := yamlOf(t, Tiny())
	model = model[strings.Index(model, "model:\n"):strings.Index(model, "data:\n")]
	return `# a run
name: tiny   # short
trainer:
  max_epoch: 200
  prediction_type: delta  # or full
  loss_fn: {_target_: the_well.benchmark.metrics.MAE}

# the optimiser
optimizer:
  lr: 2e-4
  eps: 1.0e-10
` + model + `data:
    field_index_map_override:   # four spaces here
        closed_boundary: 0
        open_boundary: 1
        bias_correction: 2
        pressure: 3

    # where the files are
    well_base_path: /data
logger: {wandb: true}`
}

func TestRecipeUnchangedIsByteIdentical(t *testing.T) {
	for _, text := range []string{written(t), written(t) + "\n", strings.ReplaceAll(written(t), "\n", "\r\n")} {
		r, err := ParseRecipe([]byte(text))
		require.NoError(t, err)
		out, err := r.Bytes()
		require.NoError(t, err)
		assert.Equal(t, text, string(out))
	}
}

func TestRecipeReplacesOnlyWhatChanged(t *testing.T) {
	text := written(t)
	tests := []struct {
		name   string
		change func(*Config)
		lines  [][2]string // old and new text
	}{
		{"one size", func(c *Config) { c.Blocks = 7 }, [][2]string{{"  processor_blocks: 2\n", "  processor_blocks: 7\n"}}},
		{"heads, in two places", func(c *Config) { c.Heads = 2 }, [][2]string{{"num_heads: 4", "num_heads: 2"}}},
		{"prediction", func(c *Config) { c.Prediction = PredictFull },
			[][2]string{{"  prediction_type: delta  # or full\n", "  prediction_type: full\n"}}},
		{"name", func(c *Config) { c.Name = "other: run" }, [][2]string{{"name: tiny   # short\n", "name: \"other: run\"\n"}}},
		{"list", func(c *Config) { c.Dims = []int{3} }, [][2]string{{"  - 2\n  - 3\n", "  - 3\n"}}},
		{"mlp", func(c *Config) { c.MLP = 128 }, [][2]string{{"mlp_dim: null", "mlp_dim: 128"}}},
		{"norm", func(c *Config) { c.Norm = NormGroup }, [][2]string{{classNorm, classGroupNorm}}},
		{"fields", func(c *Config) { c.Registry = data.MustRegistry("pressure", "y") },
			[][2]string{{"    field_index_map_override:   # four spaces here\n        closed_boundary: 0\n        open_boundary: 1\n        bias_correction: 2\n        pressure: 3\n",
				"    field_index_map_override:\n      closed_boundary: 0\n      open_boundary: 1\n      bias_correction: 2\n      pressure: 3\n      \"y\": 4\n"}}},
		{"finetuning", func(c *Config) { c.RoPE, c.APE = RoPEPerAxis, []int{33, 32, 1} },
			[][2]string{{"name: tiny   # short\n", "finetuning_mods:\n  learnable_rope: true\n  rope_per_axis: true\n  ape_shape:\n  - 33\n  - 32\n  - 1\nname: tiny   # short\n"}}},
		{"token targets", func(c *Config) { c.Tokens = [3]int{8, 8, 4} },
			[][2]string{{"  encoder:\n", "  encoder:\n    token_targets:\n    - 8\n    - 8\n    - 4\n"}}},
		{"jitter off", func(c *Config) { c.Jitter = JitterOff }, [][2]string{{"jitter_patches: true", "jitter_patches: false"}}},
		{"nothing and back", func(c *Config) { c.Name = "x"; c.Name = "tiny" }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ParseRecipe([]byte(text))
			require.NoError(t, err)
			tt.change(&r.Config)
			out, err := r.Bytes()
			require.NoError(t, err)
			want := text
			for _, l := range tt.lines {
				require.Contains(t, want, l[0])
				want = strings.ReplaceAll(want, l[0], l[1])
			}
			assert.Equal(t, want, string(out))
			back, err := ParseConfig(out)
			require.NoError(t, err)
			assert.Equal(t, r.Config, back)
		})
	}
}

// An edit changes every setting at once, and a second edit restores the first text.
func TestRecipeEditsEverySetting(t *testing.T) {
	r, err := ParseRecipe([]byte(written(t)))
	require.NoError(t, err)
	first := r.Config
	r.Config = unusual()
	out, err := r.Bytes()
	require.NoError(t, err)
	assert.Contains(t, string(out), "    # where the files are\n    well_base_path: /data\nlogger: {wandb: true}")
	assert.Contains(t, string(out), "# the optimiser\noptimizer:\n  lr: 2e-4\n  eps: 1.0e-10\n")

	r, err = ParseRecipe(out)
	require.NoError(t, err)
	assert.Equal(t, unusual(), r.Config)
	r.Config = first
	out, err = r.Bytes()
	require.NoError(t, err)
	assert.NotContains(t, string(out), "token_targets", "a setting that is gone leaves no line")
	back, err := ParseConfig(out)
	require.NoError(t, err)
	assert.Equal(t, first, back)
}

// A switch without effect may have any value; an edit that gives it an effect must write
// it.
func TestRecipeSwitchesJitterOn(t *testing.T) {
	text := strings.NewReplacer("jitter_patches: true", "jitter_patches: false",
		"use_periodic_fixed_jitter: true", "use_periodic_fixed_jitter: false").Replace(written(t))
	for _, mode := range []JitterMode{JitterFixed, JitterPadded} {
		r, err := ParseRecipe([]byte(text))
		require.NoError(t, err)
		require.Equal(t, JitterOff, r.Config.Jitter)
		r.Config.Jitter = mode
		out, err := r.Bytes()
		require.NoError(t, err)
		back, err := ParseConfig(out)
		require.NoError(t, err)
		assert.Equal(t, mode, back.Jitter)
	}
}

func TestRecipeErrors(t *testing.T) {
	r, err := ParseRecipe([]byte(written(t)))
	require.NoError(t, err)
	r.Config.Heads = 3
	_, err = r.Bytes()
	assert.ErrorContains(t, err, "hidden 64 is not divisible by heads 3")

	flow := strings.Replace(written(t), "  prediction_type: delta  # or full\n", "", 1)
	flow = strings.Replace(flow, "trainer:\n", "trainer: {prediction_type: delta}\nwas:\n", 1)
	r, err = ParseRecipe([]byte(flow))
	require.NoError(t, err)
	r.Config.Prediction = PredictFull
	_, err = r.Bytes()
	assert.EqualError(t, err, "walrus: config: trainer.prediction_type: the section around it is written as {…} and cannot be edited in place")

	alias := strings.Replace(written(t), "trainer:\n", "was: &t\n", 1) + "\ntrainer: *t\n"
	r, err = ParseRecipe([]byte(alias))
	require.NoError(t, err)
	r.Config.Prediction = PredictFull
	_, err = r.Bytes()
	assert.ErrorContains(t, err, "not written as a separate mapping")

	shared := strings.Replace(written(t), "hidden_dim: 64", "hidden_dim: &w 64", 1) + "\nwidth: *w\n"
	r, err = ParseRecipe([]byte(shared))
	require.NoError(t, err)
	r.Config.Hidden = 128
	out, err := r.Bytes()
	require.NoError(t, err, "an anchor that another section uses is gone; this library does not read that section")
	assert.Contains(t, string(out), "hidden_dim: 128")
}

func TestRecipeDecode(t *testing.T) {
	r, err := ParseRecipe([]byte(written(t)))
	require.NoError(t, err)
	var opt struct{ Eps float64 }
	require.NoError(t, r.Decode("optimizer", &opt))
	assert.Equal(t, 1e-10, opt.Eps)
	var epochs int
	require.NoError(t, r.Decode("trainer.max_epoch", &epochs))
	assert.Equal(t, 200, epochs)

	assert.EqualError(t, r.Decode("scheduler", &epochs), "walrus: config: the recipe has no scheduler")
	assert.EqualError(t, r.Decode("name.x", &epochs), "walrus: config: the recipe has no name.x")
	assert.ErrorContains(t, r.Decode("optimizer", &epochs), "walrus: config: optimizer: ")
	assert.Error(t, r.Decode("optimizer", nil))
	assert.Error(t, r.Decode("optimizer", 3))
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteYAMLReportsTheWriter(t *testing.T) {
	assert.EqualError(t, Micro().WriteYAML(brokenWriter{}, Scaling{}), "walrus: config: write: disk full")
}

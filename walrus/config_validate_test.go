package walrus

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

func TestConfigValidateNamesEveryProblem(t *testing.T) {
	tests := []struct {
		name   string
		break_ func(*Config)
		want   []string
	}{
		{"heads do not divide hidden", func(c *Config) { c.Hidden, c.Heads = 90, 16 },
			[]string{"hidden 90 is not divisible by heads 16"}},
		{"head width 8, where the release divides by zero", func(c *Config) { c.Hidden, c.Heads = 64, 8 },
			[]string{"head width 8 (hidden 64 / heads 8): expected at least 12"}},
		{"head width 11", func(c *Config) { c.Hidden, c.Heads = 11, 1 }, []string{"head width 11"}},
		{"head width 4, without any frequency", func(c *Config) { c.Hidden, c.Heads = 16, 4 },
			[]string{"head width 4"}},
		{"negative sizes", func(c *Config) { c.Hidden, c.Intermediate, c.Blocks, c.Heads, c.Groups = -64, -1, -2, -4, -4 },
			[]string{"hidden: expected at least 1, got -64", "intermediate: expected at least 1, got -1",
				"blocks: expected at least 1, got -2", "heads: expected at least 1, got -4", "groups: expected at least 1, got -4"}},
		{"huge sizes", func(c *Config) { c.Hidden, c.Heads, c.Blocks = 1<<40, 16, 1<<30 },
			[]string{"hidden: expected at most", "blocks: expected at most"}},
		{"odd mlp", func(c *Config) { c.MLP = 7 }, []string{"mlp: expected an even width"}},
		{"negative mlp", func(c *Config) { c.MLP = -2 }, []string{"mlp: expected at least 0, got -2"}},
		{"rates", func(c *Config) { c.DropPath, c.FieldDrop = 1, -0.5 },
			[]string{"drop_path: expected a rate in [0, 1), got 1", "field_drop: expected a rate in [0, 1], got -0.5"}},
		{"rates that are no numbers", func(c *Config) { c.DropPath, c.FieldDrop = math.NaN(), math.Inf(1) },
			[]string{"drop_path: expected a rate in [0, 1), got NaN", "got +Inf"}},
		{"no 3-D encoder", func(c *Config) { c.Dims = []int{2} }, []string{"dims: expected 3 among them, got [2]"}},
		{"no encoder", func(c *Config) { c.Dims = nil }, []string{"dims: expected 3 among them, got []"}},
		{"four dimensions", func(c *Config) { c.Dims = []int{3, 4} }, []string{"dims: expected 1, 2 or 3, got 4"}},
		{"dims out of order", func(c *Config) { c.Dims = []int{3, 2} }, []string{"expected ascending and distinct, got [3 2]"}},
		{"dims repeated", func(c *Config) { c.Dims = []int{3, 3} }, []string{"expected ascending and distinct, got [3 3]"}},
		{"kernel", func(c *Config) { c.Kernel = [2]int{8, 0} }, []string{"kernel[1]: expected at least 1, got 0"}},
		{"tokens", func(c *Config) { c.Tokens = [3]int{32, -1, 16} }, []string{"tokens[1]: expected at least 0, got -1"}},
		{"checkpointing", func(c *Config) { c.CheckpointEvery = -1 }, []string{"checkpoint_every: expected at least 0"}},
		{"strides beyond the kernel", func(c *Config) { c.Strides = map[int][][2]int{2: {{2, 2}, {2, c.Kernel[1] + 1}}} },
			[]string{"strides of 2 axes: ", "expected pairs from 1, 1 to the kernels"}},
		{"strides of no encoder", func(c *Config) { c.Strides = map[int][][2]int{4: {{1, 1}}} }, []string{"strides: expected 1, 2 or 3 axes, got 4"}},
		{"projection", func(c *Config) { c.ProjectionDim = -1 }, []string{"projection_dim: expected at least 0"}},
		{"ape of two axes", func(c *Config) { c.APE = []int{32, 32} }, []string{"ape: expected the token grid h, w, d, got [32 32]"}},
		{"ape with a zero", func(c *Config) { c.APE = []int{32, 0, 1} }, []string{"ape: expected token counts from 1"}},
		{"enumerations", func(c *Config) { c.Jitter, c.TimeBias, c.Norm, c.RoPE, c.Prediction = 9, 9, 9, 9, 9 },
			[]string{"jitter mode: expected 0 to 2 (fixed, padded, off), got 9", "time bias: expected", "norm form: expected",
				"RoPE mode: expected", "prediction: expected"}},
		{"group norm", func(c *Config) { c.Norm, c.Groups = NormGroup, 5 },
			[]string{"hidden 64 is not divisible by groups 5", "intermediate 16 is not divisible by groups 5"}},
		{"no registry", func(c *Config) { c.Registry = data.Registry{} }, []string{"registry: empty"}},
		{"huge index", func(c *Config) {
			m := c.Registry.Map()
			m["lava"] = math.MaxInt
			c.Registry, _ = data.NewRegistry(m)
		}, []string{`field "lava": expected an index below 65536`}},
		{"unprintable field", func(c *Config) { c.Registry, _ = c.Registry.Extend("a\nb") }, []string{`field name "a\nb": expected printable`}},
		{"unprintable name", func(c *Config) { c.Name = "a\xff" }, []string{"expected printable UTF-8"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Tiny()
			require.NoError(t, c.Validate(), "the test starts from a valid configuration")
			tt.break_(&c)
			err := c.Validate()
			require.Error(t, err)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				assert.Regexp(t, `^walrus: config: `, line)
			}
		})
	}
}

func TestConfigValidateZeroValue(t *testing.T) {
	err := Config{}.Validate()
	for _, want := range []string{"hidden", "intermediate", "blocks", "heads", "groups", "kernel", "dims", "registry"} {
		assert.ErrorContains(t, err, want)
	}
}

func TestConfigValidateAccepts(t *testing.T) {
	tests := map[string]func(*Config){
		"narrowest head":            func(c *Config) { c.Hidden, c.Heads, c.Groups = 24, 2, 2 },
		"inert groups":              func(c *Config) { c.Groups = 7 },
		"group norm":                func(c *Config) { c.Norm = NormGroup },
		"three-dimensional only":    func(c *Config) { c.Dims = []int{3} },
		"one-dimensional as well":   func(c *Config) { c.Dims = []int{1, 2, 3} },
		"one block":                 func(c *Config) { c.Blocks = 1 },
		"boundary entries only":     func(c *Config) { c.Registry = data.MustRegistry() },
		"finetuning options":        func(c *Config) { c.RoPE, c.APE = RoPEPerAxis, []int{33, 32, 1} },
		"no time bias":              func(c *Config) { c.TimeBias = BiasNone },
		"jitter off":                func(c *Config) { c.Jitter = JitterOff },
		"every field dropped":       func(c *Config) { c.FieldDrop = 1 },
		"a name in another writing": func(c *Config) { c.Name = "Walroß 海象" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			c := Tiny()
			change(&c)
			assert.NoError(t, c.Validate())
		})
	}
}

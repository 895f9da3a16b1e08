package walrus

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
)

// The reference's configuration file gives the configuration in the manifest.
func TestGoldenConfig(t *testing.T) {
	header := golden.Load(t).Header
	c, err := ReadConfig(golden.Path(t, "extended_config.yaml"))
	require.NoError(t, err)

	registry, err := data.NewRegistry(header.FieldIndexMap)
	require.NoError(t, err)
	want := Config{
		Name: c.Name, Registry: registry,
		Hidden: header.Config.Hidden, Intermediate: header.Config.Inter, ProjectionDim: header.Config.Proj,
		Blocks: header.Config.Blocks, Heads: header.Config.Heads, Groups: header.Config.Groups,
		Causal: true, Dims: []int{2, 3}, Kernel: [2]int{8, 4},
	}
	assert.NotEmpty(t, c.Name)
	assert.Equal(t, want, c)
}

// An unchanged recipe is written byte for byte; a changed setting changes one line.
func TestGoldenConfigRecipe(t *testing.T) {
	path := golden.Path(t, "extended_config.yaml")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	r, err := ReadRecipe(path)
	require.NoError(t, err)
	out, err := r.Bytes()
	require.NoError(t, err)
	assert.Equal(t, string(text), string(out))

	r.Config.Blocks = 9
	r.Config.RoPE = RoPEPerAxis
	out, err = r.Bytes()
	require.NoError(t, err)
	want := regexp.MustCompile(`processor_blocks: \d+`).ReplaceAllString(string(text), "processor_blocks: 9")
	want = strings.Replace(want, "finetuning_mods: {}\n", "finetuning_mods:\n  learnable_rope: true\n  rope_per_axis: true\n", 1)
	assert.Equal(t, want, string(out))

	var optimizer struct {
		Target string  `yaml:"_target_"`
		LR     float64 `yaml:"lr"`
		Eps    float64 `yaml:"eps"`
	}
	require.NoError(t, r.Decode("optimizer", &optimizer))
	assert.Equal(t, "torch.optim.AdamW", optimizer.Target)
	assert.Equal(t, []float64{2e-4, 1e-10}, []float64{optimizer.LR, optimizer.Eps})
}

// The reference's file with the released sizes is read as the preset, so the preset
// covers all keys of the released file.
func TestGoldenConfigReleased(t *testing.T) {
	r, err := ReadRecipe(golden.Path(t, "extended_config.yaml"))
	require.NoError(t, err)
	r.Config = Walrus()
	out, err := r.Bytes()
	require.NoError(t, err)
	back, err := ParseConfig(out)
	require.NoError(t, err)
	assert.Equal(t, Walrus(), back)

	var keys []struct {
		Key   string
		Shape []int
	}
	golden.ReadJSON(t, "released_state_dict_keys.json", &keys)
	assert.Len(t, keys, 857)
	total := 0
	for _, k := range keys {
		n := 1
		for _, d := range k.Shape {
			n *= d
		}
		if !strings.HasSuffix(k.Key, "rotary_emb.freqs") { // a constant
			total += n
		}
		if k.Key == "embed.2.proj1.weight" {
			assert.Equal(t, []int{back.Intermediate, back.States(), back.Kernel[0], back.Kernel[0], back.Kernel[0]}, k.Shape)
		}
	}
	assert.Equal(t, total, countParameters(back))
}

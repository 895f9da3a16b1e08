package poseidon

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGoldenKeys: the presets have the original's keys, in its order, shapes and numbers of
// parameters.
func TestGoldenKeys(t *testing.T) {
	var all struct {
		Poseidon map[string]struct {
			Params  int64
			Entries int
			Keys    json.RawMessage
		}
	}
	golden.Peers.ReadJSON(t, "baselines_state_dict_keys.json", &all)
	require.Len(t, all.Poseidon, len(Presets()))
	for name, want := range all.Poseidon {
		t.Run(name, func(t *testing.T) {
			c, err := Preset(map[string]string{"T": "poseidon-t", "S": "poseidon-s", "B": "poseidon-b", "L": "poseidon-l"}[name])
			require.NoError(t, err)
			params, err := c.Params()
			require.NoError(t, err)
			require.Len(t, params, want.Entries)
			assert.Equal(t, want.Params, c.Parameters())
			dec := json.NewDecoder(bytes.NewReader(want.Keys))
			_, err = dec.Token()
			require.NoError(t, err)
			for _, p := range params {
				key, err := dec.Token()
				require.NoError(t, err)
				var dims []int
				require.NoError(t, dec.Decode(&dims))
				require.Equal(t, key, p.Key)
				require.Equal(t, dims, p.Dims, p.Key)
			}
		})
	}
}

func TestPresets(t *testing.T) {
	for _, c := range Presets() {
		found, err := Preset(c.Name)
		require.NoError(t, err)
		assert.Equal(t, c, found)
	}
	_, err := Preset("poseidon-xl")
	require.EqualError(t, err, `poseidon: preset: expected one of poseidon-t, poseidon-s, poseidon-b, poseidon-l, got "poseidon-xl"`)
}

// TestStage: windows follow the rows of the grid, and the comparison that decides about
// shifts is the lexicographic one.
func TestStage(t *testing.T) {
	for _, tt := range []struct {
		grid   [2]int
		window int
		want   []Stage
	}{
		{[2]int{128, 128}, 16, []Stage{{48, [2]int{32, 32}, 16, 8}, {96, [2]int{16, 16}, 16, 0}, {192, [2]int{8, 8}, 8, 0}, {384, [2]int{4, 4}, 4, 0}}},
		{[2]int{32, 64}, 4, []Stage{{48, [2]int{8, 16}, 4, 2}, {96, [2]int{4, 8}, 4, 2}}},
		{[2]int{64, 32}, 4, []Stage{{48, [2]int{16, 8}, 4, 2}, {96, [2]int{8, 4}, 4, 2}}},
		{[2]int{32, 64}, 16, []Stage{{48, [2]int{8, 16}, 8, 8}}},
		{[2]int{64, 32}, 16, []Stage{{48, [2]int{16, 8}, 16, 0}}},
	} {
		c := T()
		c.Grid, c.Window = tt.grid, tt.window
		for i, want := range tt.want {
			assert.Equal(t, want, c.Stage(i), "%v window %d stage %d", tt.grid, tt.window, i)
		}
	}
}

func TestValidate(t *testing.T) {
	require.NoError(t, small().Validate())
	for text, change := range map[string]func(c *Config){
		"image_size (rows): expected 1 to 65536, got 0":                       func(c *Config) { c.Grid[0] = 0 },
		"image_size: axis 1: expected a multiple of 2":                        func(c *Config) { c.Grid[1] = 17 },
		"patch_size: expected 1 to 256, got -1":                               func(c *Config) { c.Patch = -1 },
		"num_channels: expected 1 to 4096, got 0":                             func(c *Config) { c.InChannels = 0 },
		"num_out_channels: expected 1 to 4096, got 5000":                      func(c *Config) { c.OutChannels = 5000 },
		"embed_dim: expected 1 to 65536, got 0":                               func(c *Config) { c.EmbedDim = 0 },
		"got 2, 1 and 2 numbers":                                              func(c *Config) { c.Heads = []int{2} },
		"got 0, 2 and 2 numbers":                                              func(c *Config) { c.Depths = nil },
		"stage 1: num_heads: expected a divisor of the width 16, got 3":       func(c *Config) { c.Heads = []int{2, 3} },
		"stage 0: expected 1 to 1024 blocks":                                  func(c *Config) { c.Depths = []int{0, 1} },
		"stage 1: expected tokens of width at most 65536, got 131072":         func(c *Config) { c.EmbedDim = 1 << 16 },
		"mlp_ratio: expected a number above 0":                                func(c *Config) { c.MLPRatio = math.NaN() },
		"window_size: expected 1 to 65536, got 0":                             func(c *Config) { c.Window = 0 },
		"expected windows of at least 2 tokens in every stage, got [4 4]":     func(c *Config) { c.Window = 1 },
		"expected windows of at least 2 tokens in every stage, got [1 8]":     func(c *Config) { c.Grid = [2]int{4, 32} },
		"residual_model: skip block: expected 0 to 1 (convnext, resnet)":      func(c *Config) { c.SkipBlock = 2 },
		"learn_residual: expected at most as many output channels as input":   func(c *Config) { c.Residual, c.OutChannels = true, 3 },
		"p: expected L1 or L2, got 2":                                         func(c *Config) { c.Distance = 2 },
		"channel_slice_list_normalized_loss: expected at least two ascending": func(c *Config) { c.Groups = []int{0, 2, 2} },
		"from 0 to num_out_channels (2), got [0 3]":                           func(c *Config) { c.Groups = []int{0, 3} },
	} {
		c := small()
		change(&c)
		require.ErrorContains(t, c.Validate(), text)
		_, err := NewModel(c)
		require.ErrorContains(t, err, text)
		_, err = InitWeights(c, 1)
		require.ErrorContains(t, err, text)
		assert.Zero(t, c.Parameters())
	}
}

func TestCheckGrid(t *testing.T) {
	wide := small()
	wide.Grid = [2]int{16, 32}
	require.NoError(t, wide.CheckGrid([]int{16, 32}))
	for _, n := range []int{2, 16, 20, 128} {
		require.NoError(t, small().CheckGrid([]int{n, n}))
	}
	for _, bad := range []struct {
		c    Config
		grid []int
		text string
	}{
		{small(), []int{16}, "expected two axes"},
		{small(), []int{16, 32}, "only squares are resampled"},
		{wide, []int{32, 32}, "only squares are resampled"},
		{small(), []int{17, 17}, "expected 2 to 65536 points per axis and an even difference from 16"},
		{small(), []int{0, 0}, "even difference from 16"},
	} {
		err := bad.c.CheckGrid(bad.grid)
		require.ErrorAs(t, err, new(*csm.GridError))
		require.ErrorContains(t, err, bad.text)
	}
}

func TestConfigJSON(t *testing.T) {
	wide := small()
	wide.Grid, wide.NoBias, wide.SkipBlock, wide.Groups, wide.Distance = [2]int{16, 32}, true, SkipResNet, nil, L2
	for _, c := range append(Presets(), wide) {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		var back Config
		require.NoError(t, json.Unmarshal(text, &back))
		c.Name, back.rest = "", nil
		assert.Equal(t, c, back)
	}
	text, err := json.Marshal(wide)
	require.NoError(t, err)
	for _, part := range []string{`"image_size":[16,32]`, `"qkv_bias":false`, `"channel_slice_list_normalized_loss":null`, `"p":2`, `"residual_model":"resnet"`,
		`"model_type":"swinv2"`, `"drop_path_rate":0`, `"hidden_size":16`} {
		assert.Contains(t, string(text), part)
	}
	for old, want := range map[string][2]string{
		`"image_size":[16,32]`: {`"image_size":[1]`, "image_size: expected a number or [height, width], got [1]"},
		`"p":2,"patch`:         {`"q":2,"patch`, "got none of the name p"},
		`"hidden_act":"gelu"`:  {`"hidden_act":"relu"`, "hidden_act: expected gelu, the only value with published weights, got relu"},
		`"p":2,`:               {`"p":3,`, "p: expected 1 or 2, got 3"},
		`"patch_size":2`:       {`"patch_size":"2"`, "patch_size: "},
		`{`:                    {`[`, "poseidon: config: "},
	} {
		broken := strings.Replace(string(text), old, want[0], 1)
		require.NotEqual(t, string(text), broken)
		var c Config
		assert.ErrorContains(t, c.UnmarshalJSON([]byte(broken)), want[1])
	}
}

// TestLoss compares both distances with and without groups with loops.
func TestLoss(t *testing.T) {
	y, target := testbackend.Normal("y", 2, 3, 4, 5), testbackend.Normal("target", 2, 3, 4, 5)
	a, b := tensors.MustCopyFlatData[float32](y), tensors.MustCopyFlatData[float32](target)
	for _, groups := range [][]int{nil, {0, 3}, {0, 1, 3}, {1, 2}} {
		for _, loss := range []Distance{L1, L2} {
			size := func(low, high int, value func(i int) float64) float64 {
				sum := 0.0
				for i := range a {
					if c := i / 20 % 3; c >= low && c < high {
						sum += math.Pow(math.Abs(value(i)), float64(loss)+1)
					}
				}
				return sum / float64(2*20*(high-low))
			}
			off := func(i int) float64 { return float64(a[i]) - float64(b[i]) }
			want := size(0, 3, off)
			if len(groups) > 0 {
				want = 0
				for g := range len(groups) - 1 {
					low, high := groups[g], groups[g+1]
					want += size(low, high, off) / size(low, high, func(i int) float64 { return float64(b[i]) }) / float64(len(groups)-1)
				}
			}
			got := testbackend.Run(t, func(in []*Node) []*Node {
				return []*Node{Config{Distance: loss, Groups: groups}.Loss(in[0], in[1])}
			}, y, target)
			assert.InEpsilon(t, want, got[0][0], 1e-5, "%v %v", loss, groups)
		}
	}
}

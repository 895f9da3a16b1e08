package mpp

import (
	"encoding/json"
	"testing"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGoldenPresets compares names, shapes and numbers of parameters of all published
// variants with the original's.
func TestGoldenPresets(t *testing.T) {
	var all struct {
		MPP map[string]struct {
			Params  int64
			Entries int
			Config  Config
			Keys    map[string][]int
		}
	}
	golden.Peers.ReadJSON(t, "baselines_state_dict_keys.json", &all)
	require.Len(t, all.MPP, len(Presets()))
	for name, c := range map[string]Config{"Ti": Ti(), "S": S(), "B": B(), "L": L()} {
		t.Run(name, func(t *testing.T) {
			want := all.MPP[name]
			require.NotEmpty(t, want.Keys)
			assert.Equal(t, want.Params, c.Parameters())
			params, err := c.Params()
			require.NoError(t, err)
			assert.Len(t, params, want.Entries)
			got := map[string][]int{}
			for _, p := range params {
				got[p.Key] = p.Dims
			}
			assert.Equal(t, want.Keys, got)
			want.Config.Name, want.Config.DropPath = c.Name, c.DropPath
			assert.Equal(t, want.Config, c)
			found, err := Preset(c.Name)
			require.NoError(t, err)
			assert.Equal(t, c, found)
		})
	}
	_, err := Preset("mpp-avit-xl")
	require.EqualError(t, err, `mpp: preset: expected one of mpp-avit-ti, mpp-avit-s, mpp-avit-b, mpp-avit-l, got "mpp-avit-xl"`)
	assert.LessOrEqual(t, len(Fields()), Ti().States)
}

func TestConfigJSON(t *testing.T) {
	c := Ti()
	c.Bias = BiasContinuous
	text, err := json.Marshal(c)
	require.NoError(t, err)
	assert.JSONEq(t, `{"name": "mpp-avit-ti", "embed_dim": 192, "num_heads": 3, "processor_blocks": 12, "n_states": 12, "bias_type": "continuous", "drop_path": 0.2}`, string(text))
	var back Config
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, c, back)
	assert.ErrorContains(t, json.Unmarshal([]byte(`{"bias_type": "none"}`), &back), `expected rel or continuous, got "none"`)
}

func TestValidate(t *testing.T) {
	require.NoError(t, micro().Validate())
	for text, change := range map[string]func(c *Config){
		"embed_dim: expected 1 to 65536, got 0":               func(c *Config) { c.Hidden = 0 },
		"embed_dim: expected a multiple of 4":                 func(c *Config) { c.Hidden = 6 },
		"num_heads: expected a divisor of embed_dim 8, got 3": func(c *Config) { c.Heads = 3 },
		"num_heads: expected 1 to 65536, got -1":              func(c *Config) { c.Heads = -1 },
		"processor_blocks: expected 1 to 4096, got 5000":      func(c *Config) { c.Blocks = 5000 },
		"n_states: expected 1 to 65536, got 0":                func(c *Config) { c.States = 0 },
		"bias_type: expected one of [rel continuous], got 2":  func(c *Config) { c.Bias = 2 },
		"drop_path: expected a rate 0 ≤ p < 1, got 1":         func(c *Config) { c.DropPath = 1 },
	} {
		c := micro()
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
	continuous := micro()
	continuous.Bias = BiasContinuous
	for _, grid := range [][]int{{16, 32}, {32, 16}, {48, 80}, {128, 384}} {
		require.NoError(t, micro().CheckGrid(grid, [2]bool{true, true}), "%v", grid)
	}
	require.NoError(t, continuous.CheckGrid([]int{48, 64}, [2]bool{false, true}))
	for _, bad := range []struct {
		c        Config
		grid     []int
		periodic [2]bool
		axis     int
		text     string
	}{
		{micro(), []int{64}, [2]bool{}, -1, "expected two axes"},
		{micro(), []int{64, 40}, [2]bool{}, 1, "axis 1 has 40 points: expected a positive multiple of 16"},
		{micro(), []int{0, 64}, [2]bool{}, 0, "axis 0 has 0 points"},
		{micro(), []int{16, 16}, [2]bool{}, -1, "makes one token: expected at least two"},
		{continuous, []int{16, 64}, [2]bool{}, 0, "which make one token"},
		{continuous, []int{64, 48}, [2]bool{false, true}, 1, "which make 3 tokens: expected an even number"},
	} {
		err := bad.c.CheckGrid(bad.grid, bad.periodic)
		var refused *csm.GridError
		require.ErrorAs(t, err, &refused)
		assert.ErrorContains(t, err, bad.text)
		assert.Equal(t, bad.axis, refused.Axis)
		assert.Equal(t, bad.grid, refused.Grid)
	}
}

package dpot

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestSaveAndLoad: every kind of network is read back with its configuration and its
// values.
func TestSaveAndLoad(t *testing.T) {
	other := small()
	other.Modes, other.Activation, other.Aggregation, other.Normalize, other.OutSteps, other.Depth = 5, SiLU, AggregateMLP, true, 2, 3
	unequal := small()
	unequal.InChannels, unequal.MLP = 5, 2*unequal.Hidden
	for _, c := range []Config{small(), other, unequal, small3D()} {
		w := initialized(t, c)
		path := filepath.Join(t.TempDir(), "m.pth")
		require.NoError(t, w.Save(path))
		c.Name = ""
		got, err := ReadConfig(path)
		require.NoError(t, err)
		require.Equal(t, c, got)
		again, _, err := Load(path, walrus.LoadOptions{})
		require.NoError(t, err)
		require.Equal(t, c, again.Config())
		copied, err := again.Clone()
		require.NoError(t, err)
		require.Equal(t, again.Settings(), copied.Settings())
		again.Close()
		for _, p := range w.Params() {
			want, _ := w.Tensor(p.Key)
			got, ok := copied.Tensor(p.Key)
			require.True(t, ok)
			require.Equal(t, want.Value(), got.Value(), p.Key)
		}
		copied.Close()
		_, err = again.Clone()
		require.ErrorIs(t, err, walrus.ErrWeightsClosed)
		require.ErrorIs(t, again.Save(path), walrus.ErrWeightsClosed)
	}
}

// write saves tensors of the given shapes with settings.
func write(t *testing.T, params []walrus.Param, settings map[string]any) string {
	t.Helper()
	for i := range params {
		params[i].Init = layers.One // for any shape
	}
	set, err := walrus.InitTensors(params, 1)
	require.NoError(t, err)
	defer set.Close()
	path := filepath.Join(t.TempDir(), "m.pth")
	require.NoError(t, set.SaveTorch(path, walrus.TorchLayout{At: []string{"model"}, Settings: settings}))
	return path
}

func TestLoadRefuses(t *testing.T) {
	params := func(change func(p *walrus.Param) bool) []walrus.Param {
		all, err := small().Params()
		require.NoError(t, err)
		var out []walrus.Param
		for _, p := range all {
			if change == nil || change(&p) {
				out = append(out, p)
			}
		}
		return out
	}
	without := func(key string) []walrus.Param { return params(func(p *walrus.Param) bool { return p.Key != key }) }
	for name, c := range map[string]struct {
		params   []walrus.Param
		settings map[string]any
		text     string
	}{
		"no position":       {without("pos_embed"), nil, "pos_embed: expected a tensor of 4 axes or more, as in a state dict of DPOT, got no tensor of that name"},
		"no filter":         {without("blocks.0.filter.w1"), nil, "blocks.0.filter.w1: expected a tensor"},
		"a missing bias":    {without("blocks.0.mlp.0.bias"), nil, "1 missing in the file:\n  blocks.0.mlp.0.bias"},
		"a flat kernel":     {params(func(p *walrus.Param) bool { p.Dims = p.Dims[:min(3, len(p.Dims))]; return true }), nil, "got shape"},
		"another last axis": {params(func(p *walrus.Param) bool { p.Dims[len(p.Dims)-1]++; return true }), nil, "30 of another shape or type"},
		"odd first width": {params(func(p *walrus.Param) bool {
			if p.Key == "patch_embed.proj.0.weight" {
				p.Dims[0]++
			}
			return true
		}), nil, "expected a first width of channels·4+3"},
		"modes in words":    {params(nil), map[string]any{"modes": "many"}, "setting modes: expected a number from 1"},
		"modes of zero":     {params(nil), map[string]any{"modes": int64(0)}, "setting modes"},
		"other activation":  {params(nil), map[string]any{"act": "tanh"}, `setting act: activation: expected gelu or silu, got "tanh"`},
		"activation number": {params(nil), map[string]any{"act": int64(1)}, "setting act"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.params, c.settings)
			_, _, err := Load(path, walrus.LoadOptions{})
			require.ErrorContains(t, err, c.text)
			require.ErrorContains(t, err, path)
		})
	}
	_, _, err := Load("nowhere.pth", walrus.LoadOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = ReadConfig("nowhere.pth")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = Load(golden.Peers.Path(t, "checkpoints/MPP_AViT_micro"), walrus.LoadOptions{})
	require.ErrorContains(t, err, "as in a state dict of DPOT, got no tensor of that name")
}

// TestLoadAs reads a file as another network, whose other tensors get initial values
// only if that is allowed.
func TestLoadAs(t *testing.T) {
	path := write(t, func() []walrus.Param { p, _ := small().Params(); return p }(), nil)
	c := small()
	c.Grid = []int{16, 16}
	_, report, err := LoadAs(path, c, walrus.LoadOptions{})
	require.ErrorAs(t, err, new(*walrus.LoadError))
	require.Equal(t, []walrus.Mismatch{{Key: "pos_embed", Want: []int{1, 16, 4, 4}, Got: []int{1, 16, 2, 4}, DType: "F32"}}, report.Mismatched)
	w, _, err := LoadAs(path, c, walrus.LoadOptions{AllowMismatched: true})
	require.NoError(t, err)
	defer w.Close()
	require.Equal(t, c, w.Config())
	require.Nil(t, w.Settings())
	c.Patch = 0
	_, _, err = LoadAs(path, c, walrus.LoadOptions{})
	require.ErrorContains(t, err, "patch_size")
	_, _, err = LoadAs("nowhere.pth", small(), walrus.LoadOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTransfer(t *testing.T) {
	from := initialized(t, small())
	same := func(t *testing.T, to *Weights, keys []string) {
		t.Helper()
		for _, key := range keys {
			want, _ := from.Tensor(key)
			got, _ := to.Tensor(key)
			require.Equal(t, tensors.MustCopyFlatData[float32](want), tensors.MustCopyFlatData[float32](got), key)
		}
	}
	transfer := func(t *testing.T, c Config, o TransferOptions) (*Weights, *TransferReport) {
		t.Helper()
		w, report, err := Transfer(from, c, o)
		require.NoError(t, err)
		t.Cleanup(w.Close)
		same(t, w, report.Copied)
		require.Equal(t, len(w.Params()), len(report.Copied)+len(report.Resized)+len(report.Initialized))
		return w, report
	}
	t.Run("same network", func(t *testing.T) {
		_, report := transfer(t, small(), TransferOptions{})
		require.Len(t, report.Copied, len(from.Params()))
	})
	t.Run("other grid", func(t *testing.T) {
		c := small()
		c.Grid = []int{16, 12}
		w, report := transfer(t, c, TransferOptions{})
		require.Equal(t, []string{"pos_embed"}, report.Resized)
		require.Empty(t, report.Initialized)
		// Both networks interpolate alike on the new grid.
		shape := []int{1, 16, 12, 3, 2}
		x := values("x", product(shape))
		golden.CompareL2(t, "y", output(t, w, x, shape...), output(t, from, x, shape...), 1e-5)
	})
	t.Run("other channels", func(t *testing.T) {
		c := small()
		c.InChannels, c.OutChannels = 3, 2
		_, report := transfer(t, c, TransferOptions{})
		require.Equal(t, []string{"patch_embed.proj.0.weight", "patch_embed.proj.0.bias", "patch_embed.proj.2.weight", "patch_embed.proj.2.bias",
			"out_layer.4.weight", "out_layer.4.bias"}, report.Initialized)
	})
	t.Run("other classes", func(t *testing.T) {
		c := small()
		c.Classes = 9
		_, report := transfer(t, c, TransferOptions{})
		require.Equal(t, []string{"cls_head.4.weight", "cls_head.4.bias"}, report.Initialized)
	})
	t.Run("3D", func(t *testing.T) {
		_, report := transfer(t, small3D(), TransferOptions{})
		require.Len(t, report.Copied, 12)
		require.Contains(t, report.Initialized, "time_agg_layer.w")
		_, report = transfer(t, small3D(), TransferOptions{TimeAggregation: true})
		require.Len(t, report.Copied, 14)
		require.NotContains(t, report.Initialized, "time_agg_layer.w")
	})
	wide := small()
	wide.Hidden = 32
	_, _, err := Transfer(from, wide, TransferOptions{})
	require.ErrorContains(t, err, "expected embed_dim, depth, n_blocks and mlp_width [16 1 2 24] as in the weights, got [32 1 2 24]")
	_, _, err = Transfer(initialized(t, small3D()), small(), TransferOptions{})
	require.ErrorContains(t, err, "got a 2D network and 3D weights")
	_, _, err = Transfer(nil, small(), TransferOptions{})
	require.ErrorContains(t, err, "expected weights")
	_, _, err = Transfer(from, Config{}, TransferOptions{})
	require.Error(t, err)
}

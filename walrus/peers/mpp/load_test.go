package mpp

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGoldenCheckpoints loads the published layouts, describes them, forecasts with their
// weights, writes them and reads them again.
func TestGoldenCheckpoints(t *testing.T) {
	golden.Peers.Every(t, "mpp_z_", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		for file, where := range map[string]string{"MPP_AViT_micro": "top level", "mpp_ckpt.tar": `model_state, prefix "module."`} {
			t.Run(file, func(t *testing.T) {
				path := golden.Peers.Path(t, "checkpoints/"+file)
				w, report, err := Load(path, walrus.LoadOptions{})
				require.NoError(t, err)
				defer w.Close()
				want := r.config
				want.DropPath = 0.2
				assert.Equal(t, want, w.Config())
				assert.Equal(t, where, report.Where)
				assert.Empty(t, report.Converted)
				assert.Equal(t, len(w.Params()), report.Tensors)
				requireGolden(t, r.f, w)
				r.forecastWith(t, w)

				again := filepath.Join(t.TempDir(), "MPP_AViT_again")
				require.NoError(t, w.Save(again))
				copied, report, err := Load(again, walrus.LoadOptions{})
				require.NoError(t, err)
				defer copied.Close()
				assert.Equal(t, "top level", report.Where)
				assert.Equal(t, w.Config(), copied.Config())
				requireGolden(t, r.f, copied)
			})
		}
		s, err := walrus.DescribeWeights(golden.Peers.Path(t, "checkpoints/mpp_ckpt.tar"))
		require.NoError(t, err)
		assert.EqualValues(t, r.config.Parameters(), s.Values)
		assert.True(t, s.Training.Optimizer)
		assert.NotNil(t, s.Training.Step)
		assert.NotNil(t, s.Training.Epoch)
	})
}

// requireGolden compares all weights with the tensors "model.<key>" of a file.
func requireGolden(t *testing.T, f *golden.File, w *Weights) {
	t.Helper()
	for _, p := range w.Params() {
		want, shape := f.Float32(t, "model."+p.Key)
		got := valuesOf(t, w, p.Key)
		require.Equal(t, want, got, p.Key)
		require.Equal(t, shape, p.Dims, p.Key)
	}
}

// valuesOf returns the values of a tensor.
func valuesOf(t *testing.T, w *Weights, key string) []float32 {
	t.Helper()
	x, ok := w.Tensor(key)
	require.True(t, ok, key)
	v, err := tensors.CopyFlatData[float32](x)
	require.NoError(t, err)
	return v
}

// forecastWith compares the emulator's forecast with the case's.
func (r *goldenRun) forecastWith(t *testing.T, w *Weights) {
	t.Helper()
	e, err := NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	defer e.Close()
	x, shape := r.f.Float32(t, "x")
	for y, err := range e.Rollout(t.Context(), x, shape, r.system(), 1) {
		require.NoError(t, err)
		r.compareFluctuation("y", y, outputTol)
	}
}

// micro is a small network for tests of files.
func micro() Config {
	return Config{Hidden: 8, Heads: 2, Blocks: 2, States: 3, DropPath: 0.2}
}

func initialised(t *testing.T, c Config) *Weights {
	t.Helper()
	w, err := InitWeights(c, 1)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

// TestReadConfig derives configurations from the shapes of all tensors of presets and other
// networks.
func TestReadConfig(t *testing.T) {
	continuous := micro()
	continuous.Bias = BiasContinuous
	for _, want := range append(Presets(), micro(), continuous) {
		params, err := want.Params()
		require.NoError(t, err)
		f := &walrus.TensorFile{}
		for _, p := range params {
			f.Tensors = append(f.Tensors, walrus.TensorInfo{Name: p.Key, DType: "F32", Shape: p.Dims})
		}
		got, err := configOf(f)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestLoadRefuses(t *testing.T) {
	_, _, err := Load(filepath.Join(t.TempDir(), "none"), walrus.LoadOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)

	c := micro()
	params, err := c.Params()
	require.NoError(t, err)
	save := func(params []walrus.Param) string {
		set, err := walrus.InitTensors(params, 1)
		require.NoError(t, err)
		defer set.Close()
		path := filepath.Join(t.TempDir(), "weights")
		require.NoError(t, set.SaveTorch(path, walrus.TorchLayout{}))
		return path
	}
	without := func(key string) []walrus.Param {
		return slices.DeleteFunc(slices.Clone(params), func(p walrus.Param) bool { return p.Key == key })
	}
	with := func(key string, dims ...int) []walrus.Param {
		return append(without(key), walrus.Param{Key: key, Dims: dims, Init: layers.One})
	}

	const fc1 = "blocks.1.spatial.mlp.fc1.weight"
	_, report, err := Load(save(append(with(fc1, 32, 4), walrus.Param{Key: "extra", Dims: []int{1}})), walrus.LoadOptions{})
	require.ErrorAs(t, err, new(*walrus.LoadError))
	assert.Equal(t, []string{"extra"}, report.Unexpected)
	assert.Equal(t, []walrus.Mismatch{{Key: fc1, Want: []int{32, 8}, Got: []int{32, 4}, DType: "F32"}}, report.Mismatched)
	_, report, err = Load(save(without("blocks.1.temporal.gamma")), walrus.LoadOptions{})
	require.ErrorContains(t, err, "blocks.1.temporal.gamma")
	assert.Equal(t, []string{"blocks.1.temporal.gamma"}, report.Missing)
	w, _, err := Load(save(without("blocks.1.temporal.gamma")), walrus.LoadOptions{AllowMissing: true})
	require.NoError(t, err)
	defer w.Close()
	assert.Equal(t, slices.Repeat([]float32{1e-6}, 8), valuesOf(t, w, "blocks.1.temporal.gamma"))

	for text, params := range map[string][]walrus.Param{
		"expected the tensor space_bag.weight of an MPP network":                     without("space_bag.weight"),
		"space_bag.weight: expected a tensor with 2 axes, got the shape [2]":         with("space_bag.weight", 2),
		"num_heads: expected a divisor of embed_dim 8, got 3":                        with("blocks.0.spatial.rel_pos_bias.relative_attention_bias.weight", 32, 3),
		"embed_dim: expected a multiple of 4":                                        with("embed.in_proj.6.weight", 10, 2, 2, 2),
		"processor_blocks: expected 1 to 4096, got 1000001":                          with("blocks.1000000.x", 2),
		"embed.in_proj.6.weight: expected a tensor with 4 axes, got the shape [8 2]": with("embed.in_proj.6.weight", 8, 2),
	} {
		path := save(params)
		_, _, err := Load(path, walrus.LoadOptions{})
		require.ErrorContains(t, err, text)
		assert.ErrorContains(t, err, path)
	}
}

// TestExpand: the columns of old states and all other weights stay, new columns have the
// bounds of initial weights.
func TestExpand(t *testing.T) {
	w := initialised(t, micro())
	out, err := w.Expand(2, 7)
	require.NoError(t, err)
	defer out.Close()
	reset, err := w.ResetFields(5, 7)
	require.NoError(t, err)
	defer reset.Close()
	require.Equal(t, 5, out.Config().States)
	require.Equal(t, out.Config(), reset.Config())
	for _, p := range out.Params() {
		old, got, fresh := valuesOf(t, w, p.Key), valuesOf(t, out, p.Key), valuesOf(t, reset, p.Key)
		axis := stateAxis(p.Key)
		if axis < 0 {
			require.Equal(t, old, got, p.Key)
			require.Equal(t, old, fresh, p.Key)
			continue
		}
		inner := 1
		for _, d := range p.Dims[axis+1:] {
			inner *= d
		}
		for i, v := range got {
			state, row := i/inner%5, i/inner/5
			if state < 3 {
				require.Equal(t, old[(row*3+state)*inner+i%inner], v, "%s %d", p.Key, i)
				require.NotEqual(t, v, fresh[i], "%s %d", p.Key, i)
			} else {
				require.LessOrEqual(t, v*v, float32(1.0/5), "%s %d", p.Key, i)
				require.Equal(t, v, fresh[i], "%s %d", p.Key, i)
			}
		}
	}
	for _, bad := range []int{0, -1} {
		_, err := w.Expand(bad, 1)
		require.ErrorContains(t, err, "expected at least one more state")
		_, err = w.ResetFields(bad, 1)
		require.ErrorContains(t, err, "n_states: expected 1 to")
	}
	copied, err := w.Clone()
	require.NoError(t, err)
	defer copied.Close()
	copied.Close()
	_, err = copied.Expand(1, 1)
	require.ErrorContains(t, err, "the weights were freed")
}

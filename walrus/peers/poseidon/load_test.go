package poseidon

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/internal/torchpt"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func microFolder(t *testing.T) string {
	t.Helper()
	return filepath.Dir(golden.Peers.Path(t, "checkpoints/poseidon_micro/config.json"))
}

func load(t *testing.T, path string) *Weights {
	t.Helper()
	w, report, err := Load(path, walrus.LoadOptions{})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	assert.Equal(t, len(w.Params()), report.Tensors)
	assert.Equal(t, w.Config().Parameters(), report.Parameters)
	return w
}

// forecast returns the network's output for one frame.
func forecast(t *testing.T, w *Weights, in map[string]*tensors.Tensor) []float32 {
	t.Helper()
	m, err := NewModel(w.Config())
	require.NoError(t, err)
	all := map[string]*tensors.Tensor{"x": in["x"], "time": in["time"]}
	for _, p := range w.Params() {
		all["w."+p.Key], _ = w.Tensor(p.Key)
	}
	return testbackend.RunNamed(t, all, func(in map[string]*Node, out *testbackend.Outputs) {
		out.Add("y", m.Build(vars(in, "w."), Inputs{X: in["x"], Time: in["time"]}))
	})["y"]
}

func requireSame(t *testing.T, want, got *Weights) {
	t.Helper()
	require.Equal(t, want.Params(), got.Params())
	for _, p := range want.Params() {
		a, _ := want.Tensor(p.Key)
		b, ok := got.Tensor(p.Key)
		require.True(t, ok, p.Key)
		require.Equal(t, a.Value(), b.Value(), p.Key)
	}
}

// testMicro loads the micro checkpoint, describes it, forecasts, and writes it.
func testMicro(t *testing.T, c golden.Case) {
	w, f := load(t, microFolder(t)), c.Open(t)
	assert.Equal(t, goldenModel(t, c).Config().Grid, w.Config().Grid)
	want, _ := f.Float32(t, "y")
	in := inputsOf(t, f, "x", "time")
	golden.CompareL2(t, "y", forecast(t, w, in), want, valueTol)

	summary, err := walrus.DescribeWeights(golden.Peers.Path(t, "checkpoints/poseidon_micro/model.safetensors"))
	require.NoError(t, err)
	assert.Equal(t, w.Config().Parameters(), summary.Values)
	assert.Equal(t, "pt", summary.Metadata["format"])

	dir := filepath.Join(t.TempDir(), "again")
	require.NoError(t, w.Save(dir))
	again := load(t, dir)
	requireSame(t, w, again)
	assert.Equal(t, w.Config(), again.Config())
	original, err := os.ReadFile(filepath.Join(microFolder(t), ConfigFile))
	require.NoError(t, err)
	written, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	require.NoError(t, err)
	assert.JSONEq(t, string(original), string(written))
	file, err := safetensors.Open(filepath.Join(dir, WeightsFile))
	require.NoError(t, err)
	defer file.Close()
	assert.Equal(t, map[string]string{"format": "pt"}, file.Metadata(), "which transformers requires")
}

// TestLoadTorch reads pytorch_model.bin with the prefix that torch's wrappers for several
// devices add.
func TestLoadTorch(t *testing.T) {
	w, dir := load(t, microFolder(t)), t.TempDir()
	text, err := os.ReadFile(filepath.Join(microFolder(t), ConfigFile))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ConfigFile), text, 0o666))
	file, err := os.Create(filepath.Join(dir, TorchFile))
	require.NoError(t, err)
	var infos []torchpt.Info
	for _, p := range w.Params() {
		infos = append(infos, torchpt.Info{Name: "module." + p.Key, Shape: p.Dims})
	}
	out, err := torchpt.NewWriter(file, "archive", infos)
	require.NoError(t, err)
	for _, p := range w.Params() {
		x, _ := w.Tensor(p.Key)
		require.NoError(t, out.WriteFloat32(tensors.MustCopyFlatData[float32](x)))
	}
	require.NoError(t, out.Close())
	require.NoError(t, file.Close())
	requireSame(t, w, load(t, dir))
	requireSame(t, w, load(t, filepath.Join(dir, TorchFile)))
}

func TestLoadErrors(t *testing.T) {
	w := load(t, microFolder(t))
	c := w.Config()
	c.Skips = []int{2, 0}
	c.OutChannels, c.Groups = 3, nil
	_, report, err := LoadAs(microFolder(t), c, walrus.LoadOptions{})
	var refused *walrus.LoadError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, report, refused.Report)
	assert.Contains(t, report.Missing, "residual_blocks.0.1.dwconv.weight")
	assert.Len(t, report.Mismatched, 3)
	c = w.Config()
	c.SkipBlock, c.Skips = SkipResNet, []int{0, 0}
	_, report, err = LoadAs(microFolder(t), c, walrus.LoadOptions{})
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, report.Unexpected, "residual_blocks.0.0.weight")

	dir := t.TempDir()
	_, _, err = Load(dir, walrus.LoadOptions{})
	assert.ErrorContains(t, err, "expected model.safetensors or pytorch_model.bin")
	_, _, err = Load(filepath.Join(dir, "none"), walrus.LoadOptions{})
	assert.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, w.TensorSet.Save(filepath.Join(dir, WeightsFile), nil))
	_, _, err = Load(dir, walrus.LoadOptions{})
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, ConfigFile)
	assert.ErrorContains(t, w.Save(dir), dir, "not empty")
}

// TestResNetCounters: the counters of torch's batch norms are the only tensors of a file that
// are not needed.
func TestResNetCounters(t *testing.T) {
	c := load(t, microFolder(t)).Config()
	c.SkipBlock = SkipResNet
	w, err := InitWeights(c, 1)
	require.NoError(t, err)
	defer w.Close()
	path := filepath.Join(t.TempDir(), WeightsFile)
	infos := []safetensors.Info{{Name: "residual_blocks.0.0.bn1.num_batches_tracked", DType: safetensors.I64, Shape: []int{}}}
	for _, p := range w.Params() {
		infos = append(infos, safetensors.Info{Name: p.Key, DType: safetensors.F32, Shape: p.Dims})
	}
	file, err := safetensors.Create(path, infos, nil)
	require.NoError(t, err)
	defer file.Abort()
	require.NoError(t, file.WriteInt64(infos[0].Name, []int64{7}))
	for _, p := range w.Params() {
		x, _ := w.Tensor(p.Key)
		require.NoError(t, file.WriteFloat32(p.Key, tensors.MustCopyFlatData[float32](x)))
	}
	require.NoError(t, file.Close())
	again, report, err := LoadAs(path, c, walrus.LoadOptions{})
	require.NoError(t, err)
	defer again.Close()
	assert.Len(t, report.Unexpected, 1)
	requireSame(t, w, again)
}

// TestWithChannels: for other channels, exactly the tensors whose shape changes are new.
func TestWithChannels(t *testing.T) {
	w := load(t, microFolder(t))
	for _, tt := range []struct {
		in, out int
		changed []string
	}{
		{4, 4, nil},
		{7, 4, []string{"embeddings.patch_embeddings.projection.weight"}},
		{2, 3, []string{"embeddings.patch_embeddings.projection.weight", "patch_recovery.projection.weight",
			"patch_recovery.projection.bias", "patch_recovery.mixup.weight"}},
	} {
		other, err := w.WithChannels(tt.in, tt.out, 1)
		require.NoError(t, err)
		defer other.Close()
		assert.Equal(t, tt.out, other.Config().OutChannels)
		var changed []string
		for i, p := range other.Params() {
			x, _ := other.Tensor(p.Key)
			values := tensors.MustCopyFlatData[float32](x)
			if was, _ := w.Tensor(p.Key); assert.ObjectsAreEqual(p.Dims, w.Params()[i].Dims) {
				assert.Equal(t, tensors.MustCopyFlatData[float32](was), values, p.Key)
				continue
			}
			changed = append(changed, p.Key)
			assert.NotContains(t, values, float32(0), p.Key)
		}
		assert.Equal(t, tt.changed, changed)
	}
	_, err := w.WithChannels(0, 1, 1)
	assert.ErrorContains(t, err, "num_channels: expected 1 to")
}

// TestWithGrid: the same tensors serve another grid, unless they hold positions.
func TestWithGrid(t *testing.T) {
	w := lively(t, small())
	defer w.Close()
	wide, err := w.WithGrid(16, 32)
	require.NoError(t, err)
	require.Equal(t, w.Params(), wide.Params())
	shape := []int{1, 2, 16, 32}
	for y, err := range emulate(t, wide).Rollout(t.Context(), make([]float32, 2*16*32), shape, 1) {
		require.NoError(t, err)
		assert.Len(t, y, 2*16*32)
	}
	_, err = w.WithGrid(16, 33)
	assert.ErrorContains(t, err, "image_size: axis 1: expected a multiple of 2")
	c := small()
	c.Positions = true
	fixed, err := InitWeights(c, 1)
	require.NoError(t, err)
	defer fixed.Close()
	_, err = fixed.WithGrid(16, 32)
	assert.ErrorContains(t, err, "expected [16 16], the grid of the embedding of positions")
}

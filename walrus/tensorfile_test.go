package walrus_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestSaveTorch writes tensors in several layouts of torch and reads them and the
// settings back.
func TestSaveTorch(t *testing.T) {
	params := []walrus.Param{{Key: "module.a.weight", Dims: []int{2, 3}, Init: layers.FanIn(3)}, {Key: "module.b", Dims: []int{2}, Init: layers.One}}
	w, err := walrus.InitTensors(params, 1)
	require.NoError(t, err)
	defer w.Close()
	settings := map[string]any{"modes": int64(32), "lr": 1e-3, "act": "gelu", "none": nil, "flag": true,
		"paths": []any{"a", int64(2), []any{}}, "sub": map[string]any{"x": int64(1)}}
	for name, layout := range map[string]walrus.TorchLayout{
		"bare":     {},
		"model":    {At: []string{"model"}},
		"settings": {At: []string{"model"}, Settings: settings},
		"deep":     {At: []string{"app", "model"}, Settings: map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "m.pth")
			require.NoError(t, w.SaveTorch(path, layout))
			assert.Equal(t, []string{"m.pth"}, names(t, dir), "no other file is left")
			list, err := walrus.ListTensors(path)
			require.NoError(t, err)
			assert.Equal(t, layout.Settings, list.Settings)
			assert.Equal(t, []walrus.TensorInfo{{Name: "a.weight", DType: "F32", Shape: []int{2, 3}}, {Name: "b", DType: "F32", Shape: []int{2}}}, list.Tensors)
			assert.Contains(t, list.Where, `prefix "module."`)
			shape, ok := list.Shape("a.weight")
			assert.True(t, ok)
			assert.Equal(t, []int{2, 3}, shape)
			_, ok = list.Shape("module.b")
			assert.False(t, ok)
			again, _, err := walrus.LoadTensors(path, params, walrus.LoadOptions{})
			require.NoError(t, err)
			defer again.Close()
			for _, p := range params {
				want, _ := w.Tensor(p.Key)
				got, _ := again.Tensor(p.Key)
				assert.Equal(t, want.Value(), got.Value(), p.Key)
			}
		})
	}
}

func TestSaveTorchRefuses(t *testing.T) {
	w, err := walrus.InitTensors([]walrus.Param{{Key: "a", Dims: []int{1}}}, 1)
	require.NoError(t, err)
	defer w.Close()
	path := filepath.Join(t.TempDir(), "m.pth")
	err = w.SaveTorch(path, walrus.TorchLayout{Settings: map[string]any{}})
	assert.ErrorContains(t, err, "expected a key for the tensors next to the settings")
	err = w.SaveTorch(path, walrus.TorchLayout{At: []string{"model"}, Settings: map[string]any{"f": 1}})
	assert.ErrorContains(t, err, "settings: f: expected nil, bool, int64, float64, string, []any or map[string]any, got int")
	loop := map[string]any{}
	loop["loop"] = loop
	err = w.SaveTorch(path, walrus.TorchLayout{At: []string{"model"}, Settings: loop})
	assert.ErrorContains(t, err, "not nested deeper")
	assert.NoFileExists(t, path)
	err = w.SaveTorch(filepath.Join(path, "none"), walrus.TorchLayout{})
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = walrus.ListTensors(path)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// TestSettingsAreBounded: a small file whose settings contain a list many times, which
// contains another list many times, and so on, is refused.
func TestSettingsAreBounded(t *testing.T) {
	items := []any{"a"}
	for range 4 {
		items = []any{items, items, items, items, items, items, items, items, items, items, items, items, items}
	}
	w, err := walrus.InitTensors([]walrus.Param{{Key: "a", Dims: []int{1}}}, 1)
	require.NoError(t, err)
	defer w.Close()
	path := filepath.Join(t.TempDir(), "m.pth")
	require.NoError(t, w.SaveTorch(path, walrus.TorchLayout{At: []string{"model"}, Settings: map[string]any{"x": items}}))
	_, err = walrus.ListTensors(path)
	assert.ErrorContains(t, err, path+": settings: expected at most 16384 values, got more")
}

// TestListTensors lists a .safetensors file, which has no settings.
func TestListTensors(t *testing.T) {
	w, err := walrus.InitTensors([]walrus.Param{{Key: "a", Dims: []int{1}}, {Key: "module.b", Dims: []int{4}}}, 1)
	require.NoError(t, err)
	defer w.Close()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	require.NoError(t, w.Save(path, nil))
	list, err := walrus.ListTensors(path)
	require.NoError(t, err)
	assert.Equal(t, walrus.FormatSafetensors, list.Format)
	assert.Nil(t, list.Settings)
	assert.Equal(t, []walrus.TensorInfo{{Name: "a", DType: "F32", Shape: []int{1}}, {Name: "module.b", DType: "F32", Shape: []int{4}}}, list.Tensors)
}

package walrus_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestTensorSet initialises, saves and loads the tensors of a network that is not Walrus,
// one of whose names is that of a field column of Walrus.
func TestTensorSet(t *testing.T) {
	params := []walrus.Param{{Key: "embed.2.proj1.weight", Dims: []int{2, 3}, Init: layers.FanIn(3)}, {Key: "norm", Dims: []int{2}, Init: layers.One}}
	w, err := walrus.InitTensors(params, 1)
	require.NoError(t, err)
	defer w.Close()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, w.Save(path, map[string]string{"format": "pt"}))
	again, report, err := walrus.LoadTensors(path, params, walrus.LoadOptions{})
	require.NoError(t, err)
	defer again.Close()
	assert.EqualValues(t, 8, report.Parameters)
	copied, err := again.Clone()
	require.NoError(t, err)
	defer copied.Close()
	for _, p := range params {
		want, _ := w.Tensor(p.Key)
		for _, set := range []*walrus.TensorSet{again, copied} {
			got, ok := set.Tensor(p.Key)
			require.True(t, ok, p.Key)
			assert.Equal(t, want.Value(), got.Value(), p.Key)
		}
	}

	params[0].Dims = []int{2, 4}
	_, report, err = walrus.LoadTensors(path, params, walrus.LoadOptions{})
	require.ErrorAs(t, err, new(*walrus.LoadError))
	assert.Equal(t, []walrus.Mismatch{{Key: params[0].Key, Want: []int{2, 4}, Got: []int{2, 3}, DType: "F32"}}, report.Mismatched)
	_, _, err = walrus.LoadTensors(path, params, walrus.LoadOptions{Source: data.ReleasedRegistry()})
	assert.ErrorContains(t, err, "expected an empty LoadOptions.Source")
	for _, bad := range [][]walrus.Param{{{Key: "a", Dims: []int{-1}}}, {{Key: "a", Dims: []int{1 << 30, 1 << 30}}}, {{Key: "a"}, {Key: "a"}}} {
		_, err := walrus.InitTensors(bad, 1)
		assert.ErrorContains(t, err, "walrus: weights: ")
	}
}

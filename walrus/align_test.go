package walrus

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
)

// alignmentCase is the manifest's description of a change of registries.
type alignmentCase struct {
	OldMap map[string]int `json:"old_map"`
	NewMap map[string]int `json:"new_map"`
}

func (c alignmentCase) registries(t *testing.T) (old, new data.Registry) {
	t.Helper()
	var err error
	old, err = data.NewRegistry(c.OldMap)
	require.NoError(t, err)
	new, err = data.NewRegistry(c.NewMap)
	require.NoError(t, err)
	return old, new
}

// TestGoldenAlignment aligns the tiny model's tensors from the reference's initial
// values, directly and through LoadWeights, and compares with the reference.
func TestGoldenAlignment(t *testing.T) {
	golden.Every(t, "q_", func(t *testing.T, c golden.Case) {
		var meta alignmentCase
		c.Decode(t, &meta)
		old, new := meta.registries(t)
		f, weights := c.Open(t), golden.OpenFile(t, "tiny_walrus.safetensors")
		moves, added, dropped := columnMoves(old, new)
		require.NotEmpty(t, added)
		require.Empty(t, dropped)
		cfg, err := ReadConfig(golden.Path(t, "extended_config.yaml"))
		require.NoError(t, err)
		require.True(t, sameRegistry(cfg.Registry, old))
		cfg.Registry = new
		loaded, report, err := LoadWeights(golden.Path(t, "tiny_walrus.pt"), cfg, LoadOptions{Source: old, Seed: 5})
		require.NoError(t, err)
		defer loaded.Close()
		assert.True(t, report.Aligned)
		assert.Equal(t, added, report.NewFields)

		for _, key := range []string{"embed.2.proj1.weight", "debed.2.proj2.weight", "debed.2.proj2.bias"} {
			axis, scaled := fieldAxis(key)
			require.GreaterOrEqual(t, axis, 0)
			want, dims := f.Float32(t, "aligned."+key)
			fresh, _ := f.Float32(t, "target_init."+key)
			src, _ := weights.Float32(t, key)
			scale := float32(1)
			if scaled {
				scale = float32(math.Sqrt(float64(old.States()) / float64(new.States())))
			}
			got := slices.Clone(fresh)
			alignColumns(got, src, dims, old.States(), axis, moves, scale)
			require.Equal(t, want, got, key)

			x, _ := loaded.Tensor(key)
			all := tensors.MustCopyFlatData[float32](x)[:len(want)] // the golden set holds only the first rows
			compareColumns(t, key, all, want, dims, axis, moves)
			requireFreshColumns(t, loaded, key, all, dims, axis, moves)
		}
	})
}

// compareColumns compares the columns that were moved.
func compareColumns(t *testing.T, key string, got, want []float32, dims []int, axis int, moves []columnMove) {
	t.Helper()
	inner := product(dims[axis+1:])
	for row := range product(dims[:axis]) {
		for _, m := range moves {
			at := (row*dims[axis] + m.to) * inner
			require.Equal(t, want[at:at+inner], got[at:at+inner], "%s: row %d, column %d", key, row, m.to)
		}
	}
}

// requireFreshColumns checks that the other columns hold initial values.
func requireFreshColumns(t *testing.T, w *Weights, key string, got []float32, dims []int, axis int, moves []columnMove) {
	t.Helper()
	p := w.params[w.index[key]]
	fresh := make([]float32, p.Size())
	require.NoError(t, p.Init.Fill(fresh, 5, key))
	inner, checked := product(dims[axis+1:]), 0
	for row := range product(dims[:axis]) {
		for column := range dims[axis] {
			if slices.ContainsFunc(moves, func(m columnMove) bool { return m.to == column }) {
				continue
			}
			at := (row*dims[axis] + column) * inner
			require.Equal(t, fresh[at:at+inner], got[at:at+inner], "%s: column %d", key, column)
			checked++
		}
	}
	require.Positive(t, checked)
}

// TestAlignPermutation loads weights into a network whose registry shares two of three
// fields, at other indices and with an unused index.
func TestAlignPermutation(t *testing.T) {
	registry := func(fields map[string]int) data.Registry {
		fields[data.ClosedBoundary], fields[data.OpenBoundary], fields[data.BiasCorrection] = 0, 1, 2
		r, err := data.NewRegistry(fields)
		require.NoError(t, err)
		return r
	}
	from := registry(map[string]int{"a": 3, "b": 4, "gone": 5})
	to := registry(map[string]int{"b": 3, "a": 6})
	moves, added, dropped := columnMoves(from, to)
	assert.ElementsMatch(t, []columnMove{{0, 0}, {1, 1}, {2, 2}, {4, 3}, {3, 6}}, moves)
	assert.Empty(t, added)
	assert.Equal(t, []string{"gone"}, dropped)

	src := []float32{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}
	dst := make([]float32, 14)
	for i := range dst {
		dst[i] = -1
	}
	alignColumns(dst, src, []int{2, 7}, 6, 1, moves, 2)
	assert.Equal(t, []float32{0, 2, 4, 8, -1, -1, 6, 20, 22, 24, 28, -1, -1, 26}, dst)

	cfg := Micro()
	cfg.Registry = from
	w, err := InitWeights(cfg, 1)
	require.NoError(t, err)
	defer w.Close()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	require.NoError(t, w.Save(path, nil))
	cfg.Registry = to
	back, report, err := LoadWeights(path, cfg, LoadOptions{Source: from})
	require.NoError(t, err)
	defer back.Close()
	assert.Equal(t, []string{"gone"}, report.DroppedFields)
	bias := func(w *Weights) []float32 {
		x, _ := w.Tensor("debed.3.proj2.bias")
		return tensors.MustCopyFlatData[float32](x)
	}
	assert.Equal(t, bias(w)[3], bias(back)[6])
	assert.Equal(t, bias(w)[4], bias(back)[3])
}

func TestFieldAxis(t *testing.T) {
	params, err := Walrus().Params()
	require.NoError(t, err)
	found := 0
	for _, p := range params {
		axis, _ := fieldAxis(p.Key)
		if axis < 0 {
			assert.NotContains(t, p.Dims, 67, "%s has a field axis that fieldAxis does not know", p.Key)
			continue
		}
		assert.Equal(t, 67, p.Dims[axis], p.Key)
		found++
	}
	assert.Equal(t, 6, found)
}

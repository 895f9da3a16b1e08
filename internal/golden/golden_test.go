package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder replaces a test whose failure is expected.
type recorder struct {
	testing.TB
	failed string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Cleanup(func())            {}
func (r *recorder) Logf(string, ...any)       {}
func (r *recorder) Errorf(f string, a ...any) { r.failed = fmt.Sprintf(f, a...) }
func (r *recorder) Fatalf(f string, a ...any) {
	r.failed = fmt.Sprintf(f, a...)
	runtime.Goexit()
}

// failure runs do and returns the message of its failure, or "".
func failure(do func(tb testing.TB)) string {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(r)
	}()
	<-done
	return r.failed
}

// dtypes translates the manifest's names of types.
var dtypes = map[string]string{"float32": "F32", "int32": "I32", "uint8": "U8"}

func TestGoldenFilesMatchManifest(t *testing.T) {
	Every(t, "", func(t *testing.T, c Case) {
		f := c.Open(t)
		var listed []string
		for name, tensor := range c.Tensors {
			listed = append(listed, name)
			info, ok := f.Safetensors().Info(name)
			require.True(t, ok, name)
			assert.Equal(t, tensor.Shape, info.Shape, name)
			assert.Equal(t, dtypes[tensor.DType], info.DType, name)
		}
		assert.ElementsMatch(t, listed, f.Names())
		if c.Weights == "" {
			return
		}
		weights, prefix := c.OpenWeights(t)
		assert.True(t, slices.ContainsFunc(weights.Names(), func(n string) bool { return strings.HasPrefix(n, prefix) }), prefix)
	})
}

func TestGoldenFilesHaveTheirSizes(t *testing.T) {
	m := Load(t)
	require.NotEmpty(t, m.Files)
	for name, size := range m.Files {
		stat, err := os.Stat(Path(t, name))
		require.NoError(t, err)
		assert.Equal(t, size, stat.Size(), name)
	}
}

func TestGoldenHeader(t *testing.T) {
	h := Load(t).Header
	assert.NotEmpty(t, h.Reference)
	assert.Positive(t, h.Config.Hidden)
	assert.Positive(t, h.Config.Blocks)
	assert.Zero(t, h.Config.Hidden%h.Config.Heads)
	assert.Equal(t, 0, h.FieldIndexMap["closed_boundary"])
	assert.Equal(t, 2, h.FieldIndexMap["bias_correction"])
}

func TestGoldenCaseReaders(t *testing.T) {
	c := Load(t).Cases("i_train")[0]
	f := c.Open(t)
	require.True(t, f.Has("jitter"))
	require.False(t, f.Has("nothing"))
	jitter, shape := f.Int32(t, "jitter")
	assert.Len(t, jitter, 3)
	assert.Equal(t, []int{3}, shape)
	mask, _ := f.Uint8(t, "batch.padded_field_mask")
	assert.Contains(t, []uint8{0, 1}, mask[0])
	loss, shape := f.Float32(t, "loss")
	assert.Empty(t, shape)
	var extra struct {
		Loss float64 `json:"loss_value"`
	}
	c.Decode(t, &extra)
	Compare(t, "loss", loss, []float32{float32(extra.Loss)}, 0)
}

func TestGoldenItems(t *testing.T) {
	c := Load(t).Cases("a_")[0]
	require.NotEmpty(t, c.Items)
	for i := range c.Items {
		var item struct {
			I     int
			Shape []int
		}
		c.Item(t, i, &item)
		assert.Equal(t, i, item.I)
		assert.Equal(t, c.Tensors[fmt.Sprintf("%d.x", i)].Shape, item.Shape)
	}
}

// TestGoldenSubShapes checks that Sub's rule gives the shapes of the set.
func TestGoldenSubShapes(t *testing.T) {
	Every(t, "h_", func(t *testing.T, c Case) {
		var extra struct {
			TapStats map[string]Tensor `json:"tap_stats"`
			YStats   Tensor            `json:"y_stats"`
		}
		c.Decode(t, &extra)
		require.NotEmpty(t, extra.TapStats)
		check := func(name string, full []int, stride int) {
			n := 1
			for _, d := range full {
				n *= d
			}
			_, got := Sub(make([]int8, n), full, stride, 8)
			assert.Equal(t, c.Tensors[name].Shape, got, name)
		}
		for tap, stats := range extra.TapStats {
			check("tap."+tap+"_sub", stats.Shape, 7)
		}
		if _, ok := c.Tensors["y_sub2"]; ok {
			check("y_sub2", extra.YStats.Shape, 2)
		}
	})
}

func TestCasesChoosesByPrefix(t *testing.T) {
	m := &Manifest{cases: []Case{{Case: "d0_a"}, {Case: "d_b"}, {Case: "m_c"}, {Case: "model"}}}
	names := func(prefixes ...string) (out []string) {
		for _, c := range m.Cases(prefixes...) {
			out = append(out, c.Case)
		}
		return out
	}
	assert.Equal(t, []string{"d_b"}, names("d_"))
	assert.Equal(t, []string{"d0_a", "m_c"}, names("m_", "d0_"))
	assert.Len(t, names(), 4)
	assert.Empty(t, names("x"))
	assert.Equal(t, "model", m.Case(t, "model").Case)
	assert.Contains(t, failure(func(tb testing.TB) { m.Case(tb, "d") }), `expected a case "d"`)
}

func TestDir(t *testing.T) {
	t.Run("another set", func(t *testing.T) {
		dir := t.TempDir()
		t.Setenv(EnvDir, dir)
		assert.Equal(t, dir, Dir(t))
		assert.False(t, Walrus.own())
	})
	t.Run("relative path", func(t *testing.T) {
		t.Setenv(EnvDir, "golden")
		assert.Contains(t, failure(func(tb testing.TB) { Dir(tb) }), `absolute path, got "golden"`)
	})
	t.Run("own set, past a nested module", func(t *testing.T) {
		root := t.TempDir()
		nested := filepath.Join(root, "a", "b")
		require.NoError(t, os.MkdirAll(nested, 0o777))
		require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), append(module, "\ngo 1.26\n"...), 0o666))
		require.NoError(t, os.WriteFile(filepath.Join(root, "a", "go.mod"), []byte("module github.com/gowalrus/gowalrus/a\n"), 0o666))
		got, ok := moduleRoot(nested)
		assert.True(t, ok)
		assert.Equal(t, root, got)
	})
	t.Run("outside the module", func(t *testing.T) {
		_, ok := moduleRoot(t.TempDir())
		assert.False(t, ok)
	})
	t.Run("a path that leaves the folder", func(t *testing.T) {
		assert.Contains(t, failure(func(tb testing.TB) { Path(tb, "../go.mod") }), "inside the golden folder")
	})
	t.Run("a missing file", func(t *testing.T) {
		t.Setenv(EnvDir, t.TempDir())
		assert.Contains(t, failure(func(tb testing.TB) { Load(tb) }), "manifest.json")
	})
}

func TestReadersRefuse(t *testing.T) {
	c := Load(t).Cases("i_train")[0]
	f := c.Open(t)
	tests := []struct {
		name string
		do   func(tb testing.TB)
		want string
	}{
		{"unknown tensor", func(tb testing.TB) { f.Float32(tb, "none") }, `expected a tensor "none"`},
		{"int32 as float32", func(tb testing.TB) { f.Float32(tb, "jitter") }, "expected F32, got I32"},
		{"float32 as int32", func(tb testing.TB) { f.Int32(tb, "loss") }, "expected I32, got F32"},
		{"float32 as uint8", func(tb testing.TB) { f.Uint8(tb, "loss") }, "expected U8, got F32"},
		{"no such item", func(tb testing.TB) { c.Item(tb, 0, new(any)) }, "expected an item below 0, got 0"},
		{"keys of another type", func(tb testing.TB) { c.Decode(tb, new([]int)) }, "cannot unmarshal"},
		{"no weights", func(tb testing.TB) { Case{Case: "x"}.OpenWeights(tb) }, "case x: expected weights"},
		{"odd weights", func(tb testing.TB) { Case{Weights: "f:*.a.*"}.OpenWeights(tb) }, `got "f:*.a.*"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Contains(t, failure(tt.do), tt.want) })
	}
}

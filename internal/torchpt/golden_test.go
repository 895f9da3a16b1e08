package torchpt

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
)

// openGolden opens a checkpoint of the golden set until the test ends.
func openGolden(t *testing.T, name string) *File {
	t.Helper()
	f, err := Open(golden.Path(t, name), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// assertSame compares shape and bits of a tensor with the set's.
func assertSame(t *testing.T, want *golden.File, name string, x *Tensor) {
	t.Helper()
	values, shape := want.Float32(t, name)
	assert.Equal(t, "F32", x.DType, name)
	assert.Equal(t, shape, x.Shape, name)
	got, err := x.Float32()
	require.NoError(t, err)
	require.Len(t, got, len(values), name)
	for i := range values {
		if math.Float32bits(values[i]) != math.Float32bits(got[i]) {
			t.Fatalf("%s[%d]: expected %v, got %v", name, i, values[i], got[i])
		}
	}
}

// TestGoldenModelWeights reads the tiny model from the .pt file and compares it with
// the .safetensors file of the same weights.
func TestGoldenModelWeights(t *testing.T) {
	golden.Every(t, "model_weights", func(t *testing.T, c golden.Case) {
		pt := openGolden(t, strings.TrimSuffix(c.File, filepath.Ext(c.File))+".pt")
		want := c.Open(t)
		state, err := pt.StateDict()
		require.NoError(t, err)
		assert.Equal(t, []string{"app", "model"}, state.Path)
		assert.ElementsMatch(t, want.Names(), state.Names())
		for _, x := range state.Tensors {
			assertSame(t, want, x.Name, x)
		}
	})
}

// TestGoldenMicroCheckpoint reads a training checkpoint that the reference's
// CheckPointer wrote: model, optimizer state, and the metadata file.
func TestGoldenMicroCheckpoint(t *testing.T) {
	golden.Every(t, "n_micro_checkpoint", func(t *testing.T, c golden.Case) {
		f := openGolden(t, "micro_checkpoints/step_1/full_checkpoint.pt")
		want := c.Open(t)
		var extra struct {
			ParamOrder  []string          `json:"param_order"`
			ParamGroups []json.RawMessage `json:"param_groups"`
		}
		c.Decode(t, &extra)

		state, err := f.StateDict()
		require.NoError(t, err)
		assert.Equal(t, []string{"app", "model"}, state.Path)
		var model, optim int
		for _, name := range want.Names() {
			if _, ok := strings.CutPrefix(name, "model."); ok {
				model++
			} else {
				optim++
			}
		}
		assert.Equal(t, model, len(state.Tensors))
		for _, x := range state.Tensors {
			assertSame(t, want, "model."+x.Name, x)
		}

		compareOptimizer(t, f, want, state, extra.ParamOrder, optim)
		groups, err := f.Lookup("app", "optimizer", "param_groups")
		require.NoError(t, err)
		require.Len(t, groups.(*List).Items, len(extra.ParamGroups))
		for i, g := range groups.(*List).Items {
			text, err := json.Marshal(plain(g))
			require.NoError(t, err)
			assert.JSONEq(t, string(extra.ParamGroups[i]), string(text))
		}
		checkMetadata(t)
	})
}

// compareOptimizer checks every state in the set bit for bit, and the shapes of the
// others against their parameters.
func compareOptimizer(t *testing.T, f *File, want *golden.File, state *StateDict, order []string, shown int) {
	t.Helper()
	v, err := f.Lookup("app", "optimizer", "state")
	require.NoError(t, err)
	compared := 0
	for _, i := range v.(*Dict).Keys() {
		param, ok := state.Get(order[i.(int64)])
		require.True(t, ok, order[i.(int64)])
		for _, key := range []string{"step", "exp_avg", "exp_avg_sq"} {
			v, err := f.Lookup("app", "optimizer", "state", int(i.(int64)), key)
			require.NoError(t, err)
			x := v.(*Tensor)
			if key == "step" {
				assert.Empty(t, x.Shape)
			} else {
				assert.Equal(t, param.Shape, x.Shape, "%s of %s", key, param.Name)
			}
			if name := fmt.Sprintf("optim.%d.%s", i, key); want.Has(name) {
				assertSame(t, want, name, x)
				compared++
			}
		}
	}
	assert.Equal(t, shown, compared, "optimizer tensors of the set")
}

// plain converts a pickled value to the form of encoding/json.
func plain(v any) any {
	switch v := v.(type) {
	case *Dict:
		out := map[string]any{}
		for _, k := range v.Keys() {
			item, _ := v.Get(k)
			out[fmt.Sprint(k)] = plain(item)
		}
		return out
	case *List:
		return plain(Tuple(v.Items))
	case Tuple:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	}
	return v
}

// checkMetadata reads metadata.pt: {epoch, val_loss, best_val_loss}.
func checkMetadata(t *testing.T) {
	t.Helper()
	f := openGolden(t, "micro_checkpoints/step_1/metadata.pt")
	root := f.Root().(*Dict)
	assert.Equal(t, []any{"epoch", "val_loss", "best_val_loss"}, root.Keys())
	epoch, _ := root.Get("epoch")
	assert.IsType(t, int64(0), epoch)
	loss, _ := root.Get("val_loss")
	values, err := loss.(*Tensor).Float32()
	require.NoError(t, err)
	require.Len(t, values, 1)
	assert.False(t, math.IsNaN(float64(values[0])) || math.IsInf(float64(values[0]), 0))
	_, ok := root.Get("best_val_loss")
	assert.True(t, ok)
}

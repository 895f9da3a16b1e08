package walrus_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestSetFromStore: the tensors become copies of the variables; those of 3D, for which the
// program was not built, stay.
func TestSetFromStore(t *testing.T) {
	m, err := walrus.NewModel(tiny())
	require.NoError(t, err)
	plan, err := m.Plan(tide().Grid, tide().Boundaries)
	require.NoError(t, err)
	ids, err := tide().Volume().IDs(m.Config().Registry)
	require.NoError(t, err)
	shift, rolls, err := m.Tensors(m.Draw(rand.New(rand.NewPCG(9, 9)), plan), plan)
	require.NoError(t, err)
	store := model.NewStore()
	defer store.Finalize()
	require.NoError(t, store.SetRNGStateFromSeed(3))
	x := tensors.FromScalarAndDimensions(float32(0.5), 3, 1, len(ids), 12, 8, 1)
	_, err = model.CallOnce(testbackend.New(t), store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
		vars := layers.ScopeVars(scope.At("model"), in[0].Graph())
		return m.Build(vars, walrus.Inputs{X: in[0], IDs: in[1], Shift: in[2], Rolls: in[3]}, plan)
	}, x, ids, shift, rolls)
	require.NoError(t, err)

	w, err := walrus.InitWeights(tiny(), 1)
	require.NoError(t, err)
	defer w.Close()
	missing, err := w.SetFromStore(store, "/model/")
	require.NoError(t, err)
	assert.NotEmpty(t, missing)
	for _, p := range w.Params() {
		got, ok := w.Tensor(p.Key)
		require.True(t, ok)
		v := store.GetVariable("/model/" + strings.ReplaceAll(p.Key, ".", "/"))
		if v == nil {
			assert.Contains(t, missing, p.Key)
			assert.Contains(t, p.Key, "3")
			continue
		}
		want, err := v.Value()
		require.NoError(t, err)
		assert.True(t, want.Equal(got), p.Key)
	}
	_, err = w.SetFromStore(store, "/elsewhere")
	require.ErrorContains(t, err, "expected variables such as /elsewhere/")
	_, err = w.SetFromStore(nil, "/model")
	require.ErrorContains(t, err, "expected a store")
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCustomloop: a hundred updates are enough for a forecast that beats both baselines, and
// a second run repeats the first.
func TestCustomloop(t *testing.T) {
	output := func(updates int) string {
		var out bytes.Buffer
		require.NoError(t, run(context.Background(), updates, &out))
		return out.String()
	}
	var loss, model, same, linear float64
	_, err := fmt.Sscanf(output(100), "loss %f; VRMSE of an unseen run %f, no change %f, linear %f\n", &loss, &model, &same, &linear)
	require.NoError(t, err)
	assert.Less(t, model, same/2)
	assert.Less(t, model, linear/2)
	assert.Equal(t, output(5), output(5))
}

func TestCustomloopStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, run(ctx, 1, &bytes.Buffer{}), context.Canceled)
}

// TestHandover: with the same draws, the emulator of the copied weights makes the same
// forecast as a program whose weights are the variables of the store.
func TestHandover(t *testing.T) {
	b, err := backend.Go()
	require.NoError(t, err)
	net, err := walrus.NewModel(config())
	require.NoError(t, err)
	store := model.NewStore()
	defer store.Finalize()
	_, err = train(b, net, store, 3) // so that the blocks change their input
	require.NoError(t, err)
	plan, err := net.Plan([]int{side, side}, around)
	require.NoError(t, err)
	w, err := waves(rand.New(rand.NewPCG(7, 7))).Slice(0, history)
	require.NoError(t, err)
	draws := net.Draw(rand.New(rand.NewPCG(9, 9)), plan)
	shift, rolls, err := net.Tensors(draws, plan)
	require.NoError(t, err)
	next, err := model.CallOnce(b, store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
		stats := walrus.SampleStats(in[0], walrus.Scaling{})
		y := net.Build(layers.ScopeVars(scope.At("model"), in[0].Graph()),
			walrus.Inputs{X: stats.Normalize(in[0]), IDs: graph.Const(in[0].Graph(), []int32{3}), Shift: in[1], Rolls: in[2]}, plan)
		last := func(x *graph.Node) *graph.Node { return graph.SliceAxis(x, 0, graph.AxisElem(-1)) }
		return graph.Add(last(in[0]), stats.DenormalizeDelta(last(y)))
	}, tensors.FromFlatDataAndDimensions(slices.Concat(w.Frames...), history, 1, 1, side, side, 1), shift, rolls)
	require.NoError(t, err)
	want := tensors.MustCopyFlatData[float32](next)

	weights, err := walrus.InitWeights(config(), 1)
	require.NoError(t, err)
	_, err = weights.SetFromStore(store, "/model")
	require.NoError(t, err)
	em, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: b, OwnWeights: true})
	require.NoError(t, err)
	defer em.Close()
	for frame, err := range em.Replay(context.Background(), w, []walrus.Draws{draws}) {
		require.NoError(t, err)
		require.InDeltaSlice(t, want, frame.Values, 1e-4)
	}
}

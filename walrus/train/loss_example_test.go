package train_test

import (
	"fmt"
	"log"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Loss adds the release's objective to a gomlx program whose weights are variables of a
// store. The weights have initial values, so the loss is large.
func ExampleObjective_Loss() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	weights := fresh() // only for its configuration
	defer weights.Close()
	m, err := walrus.NewModel(weights.Config())
	if err != nil {
		log.Fatal(err)
	}
	w := wave(0, 4) // three frames of history and the target
	plan, err := m.Plan(w.Grid, w.Boundaries)
	if err != nil {
		log.Fatal(err)
	}
	var flat []float32
	for _, f := range w.Frames {
		flat = append(flat, f...)
	}
	fields := tensors.FromFlatDataAndDimensions(flat, 4, 1, 1, 8, 8, 1) // [T+1, B, C, H, W, D]
	ids, err := w.Volume().IDs(m.Config().Registry)
	if err != nil {
		log.Fatal(err)
	}
	var shape []int
	loss, err := model.CallOnce(b, model.NewStore(), func(scope *model.Scope, in []*graph.Node) *graph.Node {
		vars := layers.ScopeVars(scope.At("model"), in[0].Graph())
		r := train.Objective{}.Loss(m, m.WeightsFor(vars, plan), train.BatchNodes{
			Fields: in[0],
			Real:   graph.Const(in[0].Graph(), []float32{1}), // a scalar has no padding components
			Net:    walrus.Inputs{IDs: in[1]},
		}, plan)
		shape = r.Predictions.Shape().Dimensions
		return r.Loss
	}, fields, ids)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(shape, loss.Shape().IsScalar(), tensors.ToScalar[float32](loss) > 0)
	// Output: [3 1 1 8 8 1] true true
}

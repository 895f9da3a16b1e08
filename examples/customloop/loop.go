package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// loop trains a network whose weights are variables of a gomlx store.
type loop struct {
	net     network
	store   *model.Store
	rng     *rand.Rand
	update  *model.Exec // fields, shift, rolls → loss
	predict *model.Exec // history, shift, rolls → the next frame
}

// newLoop compiles two programs that share the variables of the store: one trains, the
// other forecasts.
func newLoop(b compute.Backend, net network, rate float64, seed uint64) (*loop, error) {
	l := &loop{net: net, store: model.NewStore(), rng: rand.New(rand.NewPCG(seed, 1))}
	if err := l.store.SetRNGStateFromSeed(int64(seed)); err != nil {
		return nil, err
	}
	adam := optimizer.Adam().LearningRate(rate).WeightDecay(1e-4).Done()
	var err error
	l.update, err = model.NewExec(b, l.store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
		loss := l.loss(scope, in[0], in[1], in[2])
		adam.UpdateGraph(scope, loss.Graph(), loss)
		return loss
	})
	if err != nil {
		return nil, err
	}
	l.predict, err = model.NewExec(b, l.store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
		return l.next(scope, in[0], in[1], in[2])
	})
	return l, err
}

func (l *loop) close() {
	l.update.Finalize()
	l.predict.Finalize()
	l.store.Finalize()
}

// forward normalises a history by its statistics and returns the network's output: the
// changes to the next frames in units of recent changes.
func (l *loop) forward(scope *model.Scope, history, shift, rolls *graph.Node) (*graph.Node, walrus.Stats) {
	stats := walrus.SampleStats(history, walrus.Scaling{})
	vars := layers.ScopeVars(scope.At("model"), history.Graph())
	return l.net.build(vars, stats.Normalize(history), shift, rolls), stats
}

// loss is the mean absolute error of all predicted changes but the first, for which the
// network saw a single frame (docs/reference.md §8).
func (l *loop) loss(scope *model.Scope, fields, shift, rolls *graph.Node) *graph.Node {
	steps := fields.Shape().Dim(0) - 1
	history := graph.SliceAxis(fields, 0, graph.AxisRange(0, steps))
	y, stats := l.forward(scope, history, shift, rolls)
	changes := graph.Sub(graph.SliceAxis(fields, 0, graph.AxisRange(1)), history)
	off := graph.Abs(graph.Sub(y, graph.StopGradient(stats.NormalizeDelta(changes))))
	return graph.ReduceAllMean(graph.SliceAxis(off, 0, graph.AxisRange(1)))
}

// next returns u + Δ·RMS(Δ) for the last frame u.
func (l *loop) next(scope *model.Scope, history, shift, rolls *graph.Node) *graph.Node {
	y, stats := l.forward(scope, history, shift, rolls)
	last := func(x *graph.Node) *graph.Node { return graph.SliceAxis(x, 0, graph.AxisElem(-1)) }
	return graph.Add(last(history), stats.DenormalizeDelta(last(y)))
}

// step makes one update with fresh data.
func (l *loop) step() (loss float32, err error) {
	windows := make([]*data.Window, batch)
	for i := range windows {
		windows[i] = waves(l.rng, history+1)
	}
	out, err := l.run(l.update, windows...)
	if err != nil {
		return 0, fmt.Errorf("update: %w", err)
	}
	return tensors.ToScalar[float32](out), nil
}

// forecast returns the frame after a window.
func (l *loop) forecast(w *data.Window) ([]float32, error) {
	out, err := l.run(l.predict, w)
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	return tensors.CopyFlatData[float32](out)
}

func (l *loop) run(program *model.Exec, windows ...*data.Window) (*tensors.Tensor, error) {
	shift, rolls, err := l.net.draw(l.rng)
	if err != nil {
		return nil, err
	}
	out, err := program.Call(fields(windows...), shift, rolls)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

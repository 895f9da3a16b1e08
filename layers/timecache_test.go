package layers

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// TestApplyNext applies the layer frame by frame, with cache entries that are empty at
// first: every result equals that for all frames together.
func TestApplyNext(t *testing.T) {
	var jobs []job
	for _, c := range []struct {
		p      TimeAttention
		frames int
		empty  int // entries that never hold a frame
	}{
		{TimeAttention{Channels: 16, Heads: 2}, 4, 0},
		{TimeAttention{Channels: 12, Heads: 3}, 3, 2},
		{TimeAttention{Channels: 8, Heads: 1, NoBias: true}, 5, 1},
		{TimeAttention{Channels: 8, Heads: 2}, 1, 0},
	} {
		name := fmt.Sprintf("%+v %d frames", c.p, c.frames)
		rng := seeded(name)
		w := randomParams(rng, func(v Vars) { c.p.Weights(v) })
		x := normal(rng, c.frames, 2, 3, c.p.Channels)
		jobs = append(jobs, job{name: name, in: append([]array{x}, w.in...), graph: func(in []*Node) []*Node {
			tw := c.p.Weights(w.vars(in[1:]))
			return []*Node{nextByNext(c.p, tw, in[0], c.empty), c.p.Apply(in[0], tw, nil)}
		}, check: func(t *testing.T, got []array) { requireClose(t, got[1], got[0], 1e-5) }})
	}
	runSweep(t, jobs...)
}

// TestApplyLast: the last step alone equals the last of all steps, causal or not, with a
// dropped path and with a single step.
func TestApplyLast(t *testing.T) {
	var jobs []job
	for _, c := range []struct {
		p      TimeAttention
		frames int
		keep   bool
	}{
		{p: TimeAttention{Channels: 16, Heads: 2}, frames: 4, keep: true},
		{p: TimeAttention{Channels: 12, Heads: 3, Acausal: true}, frames: 3},
		{p: TimeAttention{Channels: 8, Heads: 1, NoBias: true}, frames: 5},
		{p: TimeAttention{Channels: 8, Heads: 2}, frames: 1},
	} {
		name := fmt.Sprintf("%+v %d frames", c.p, c.frames)
		rng := seeded(name)
		w := randomParams(rng, func(v Vars) { c.p.Weights(v) })
		x := normal(rng, 2, c.frames, 3, c.p.Channels)
		jobs = append(jobs, job{name: name, in: append([]array{x}, w.in...), graph: func(in []*Node) []*Node {
			var keep *Node
			if c.keep {
				keep = ConstAs(in[0], []float64{1, 1, 1, 0.5})
			}
			tw := c.p.Weights(w.vars(in[1:]))
			all := c.p.ApplyBatchFirst(in[0], tw, keep)
			return []*Node{c.p.ApplyLast(in[0], tw, keep), SliceAxis(all, 1, AxisElem(-1))}
		}, check: func(t *testing.T, got []array) { requireClose(t, got[1], got[0], 1e-5) }})
	}
	runSweep(t, jobs...)
}

// nextByNext applies a layer to frames x [T, B, S, C] one after the other.
func nextByNext(p TimeAttention, w TimeAttentionWeights, x *Node, empty int) *Node {
	steps := x.Shape().Dim(0)
	slots := steps - 1 + empty
	zero := ZerosLike(Squeeze(SliceAxis(x, 0, AxisElem(0)), 0))
	kept := make([]KeyValue, slots)
	for i := range kept {
		kept[i] = KeyValue{zero, zero}
	}
	var out []*Node
	for t := range steps {
		buckets, blocked := make([]int32, slots+1), make([]float32, slots+1)
		for i := range slots {
			distance := slots - i
			buckets[i] = int32(RelativeBucket(-distance, true))
			if distance > t {
				blocked[i] = Masked
			}
		}
		table := w.Bias
		if p.NoBias {
			table = Zeros(x.Graph(), shapes.Make(x.DType(), RelativeBuckets, p.Heads))
		}
		bias := StepBias(table, Const(x.Graph(), buckets), ConvertDType(Const(x.Graph(), blocked), x.DType()))
		y, own := p.ApplyNext(Squeeze(SliceAxis(x, 0, AxisElem(t)), 0), w, kept, bias)
		if slots > 0 {
			kept = append(kept[1:], own)
		}
		out = append(out, ExpandAxes(y, 0))
	}
	return Concatenate(out, 0)
}

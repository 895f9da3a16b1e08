package train

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Objective configures the loss. The zero value is the release's pretraining objective.
type Objective struct {
	// Scaling says how fields are normalised; nil means the scaling that the weights
	// were trained with (walrus.Weights.Scaling). A trainer records it in its weights.
	Scaling *walrus.Scaling
	// Multiplier scales the loss; 0 means the release's 100.
	Multiplier float64
	// KeepFirst includes the first prediction, which depends on a single frame, in the
	// loss. The release drops it (minimum context 1) if there are others.
	KeepFirst bool
	// BFloat16 computes the network in bfloat16: weights, tokens and activations are
	// rounded to 8 significant bits; statistics, loss, gradients of the weights and
	// updates stay float32. It needs XLA. benchmarks/precision_2026-11-26.md measures
	// the loss of accuracy.
	BFloat16 bool
	// Pushforward is the largest number of frames at the end of the history that are
	// forecasts of the network itself, without gradient. Windows then have Pushforward
	// more frames. The number for a micro-batch is drawn evenly from 0 to Pushforward.
	// The targets of all steps are true frames, also after a forecast, and errors are in
	// units of the changes of the history or of the true frames, whichever are larger.
	// The network learns to forecast from frames with its own errors, as in a rollout
	// (Brandstetter et al. 2022, arXiv 2202.03376, §3.1). The release has none.
	Pushforward int `json:",omitempty"`
}

// For returns the objective for training the given weights. If its scaling is nil, it gets
// the scaling of the weights.
func (o Objective) For(w *walrus.Weights) (Objective, error) {
	if w == nil {
		return o, errors.New("train: objective: expected weights, got nil")
	}
	if o.Scaling == nil {
		s := w.Scaling()
		o.Scaling = &s
	}
	if err := o.Scaling.Validate(); err != nil {
		return o, fmt.Errorf("train: objective: scaling: %w", err)
	}
	if o.Pushforward < 0 || o.Pushforward > maxPushforward {
		return o, fmt.Errorf("train: objective: pushforward: expected 0 to %d steps, got %d", maxPushforward, o.Pushforward)
	}
	return o, nil
}

// scaling returns the scaling, or that of pretraining if there is none.
func (o Objective) scaling() walrus.Scaling {
	if o.Scaling == nil {
		return walrus.Scaling{}
	}
	return *o.Scaling
}

// common returns the scaling of weights that were trained with both a and b. Its statistics
// are empty if theirs differ: none are right for every forecast, so the user must choose.
func common(a, b walrus.Scaling) walrus.Scaling {
	if reflect.DeepEqual(a, b) {
		return a
	}
	return a.With(&data.Statistics{})
}

func (o Objective) multiplier() float64 {
	if o.Multiplier == 0 {
		return 100
	}
	return o.Multiplier
}

// BatchNodes is a batch inside a graph.
type BatchNodes struct {
	// Fields [T+1, B, Cv, H, W, D] are the variable fields in physical units:
	// the history and the frame after it.
	Fields *Node
	// Truth [T+1, B, Cv, H, W, D] are the true frames if frames of the history are forecasts,
	// or nil. The targets are then the changes from the history to the true frames.
	Truth *Node
	// Constants [B, Cc, H, W, D] are the constant fields, or nil.
	Constants *Node
	// Real [Cv] is 0 for components that only pad a 2D vector to 3D, else 1.
	Real *Node
	// Solid [B, 1, H, W, D] is nonzero at points that do not count (a constant field
	// named "mask"), or is nil.
	Solid *Node
	// KeepFields [B, C] are the factors of field drop, which multiply each channel,
	// variable or constant, in all frames (docs/reference.md §2, step 4), or is nil.
	KeepFields *Node
	// Present [B] is 0 for samples that only fill up the batch, else 1; nil means 1.
	Present *Node
	// Stats are the statistics of a data set; nil computes those of the history.
	Stats *walrus.Stats
	// Net holds IDs, Shift, Rolls and the drop-path factors. Loss sets X.
	Net walrus.Inputs
}

// Result holds normalised predictions and targets [T, B, Cv, H, W, D] and the scalar loss
// between them.
type Result struct {
	Loss, Predictions, Targets *Node
	Stats                      walrus.Stats
}

// Loss builds the training objective (docs/reference.md §8; paper eq. 8 in the form of the
// release). The input of the network is the normalised history. At every step it predicts
// the normalised change to the next frame. The loss is 100 times the mean absolute error
// over space, samples, fields and all steps but the first. Padded components and solid
// points are set to zero in predictions and targets, but count in the mean.
func (o Objective) Loss(m *walrus.Model, w walrus.ModelWeights, b BatchNodes, plan *csm.Plan) Result {
	steps := b.Fields.Shape().Dim(0) - 1
	history := SliceAxis(b.Fields, 0, AxisRange(0, steps))
	x := walrus.WithConstants(history, b.Constants)
	var r Result
	if b.Stats != nil {
		r.Stats = *b.Stats
	} else {
		r.Stats = walrus.SampleStats(x, o.scaling())
	}
	in := b.Net
	in.X = r.Stats.Normalize(x)
	if keep := b.KeepFields; keep != nil {
		in.X = Mul(in.X, ExpandAxes(keep, 0, -1, -2, -3))
	}
	if o.BFloat16 {
		in.X = ConvertDType(in.X, dtypes.BFloat16)
	}
	y := ConvertDType(m.Forward(w, in, plan), b.Fields.DType())
	y = SliceAxis(y, 2, AxisRange(0, b.Fields.Shape().Dim(2)))
	truth := b.Fields
	if b.Truth != nil {
		truth = b.Truth
	}
	next := SliceAxis(truth, 0, AxisRange(1))
	if !m.Config().Causal {
		next, history = SliceAxis(next, 0, AxisElem(-1)), SliceAxis(history, 0, AxisElem(-1))
	}
	if m.Config().Prediction == walrus.PredictFull {
		r.Targets = r.Stats.Normalize(next)
	} else {
		r.Targets = r.Stats.NormalizeDelta(Sub(next, history))
	}
	r.Predictions = Mul(y, Reshape(b.Real, 1, 1, -1, 1, 1, 1))
	if b.Solid != nil {
		fluid := ConvertDType(Equal(b.Solid, ZerosLike(b.Solid)), y.DType())
		fluid = ExpandAxes(fluid, 0)
		r.Predictions, r.Targets = Mul(r.Predictions, fluid), Mul(r.Targets, fluid)
	}
	diff := Abs(Sub(r.Predictions, StopGradient(r.Targets)))
	if b.Truth != nil && b.Stats == nil {
		diff = Mul(diff, r.unit(m.Config().Prediction, walrus.SampleStats(SliceAxis(truth, 0, AxisRange(0, steps)), o.scaling())))
	}
	if b.Present != nil {
		share := Div(b.Present, ReduceAndKeep(b.Present, ReduceMean, 0))
		diff = Mul(diff, Reshape(share, 1, -1, 1, 1, 1, 1))
	}
	r.Loss = o.mean(diff)
	return r
}

// unit returns the factor that expresses normalised errors in the larger of two units: that of
// the history, which may have forecasts, and that of the true history. Forecasts that hardly
// change would otherwise make the unit small and their errors count a thousand times.
func (r Result) unit(kind walrus.Prediction, truth walrus.Stats) *Node {
	own, scale := r.Stats.DeltaStd, truth.DeltaStd
	if kind == walrus.PredictFull {
		own, scale = r.Stats.Std, truth.Std
	}
	own = SliceAxis(own, 2, AxisRange(0, scale.Shape().Dim(2)))
	return Div(own, Max(own, scale))
}

// round rounds a weight if the network is computed in bfloat16.
func (o Objective) round(w *Node) *Node {
	if !o.BFloat16 {
		return w
	}
	return ConvertDType(w, dtypes.BFloat16)
}

// mean returns the scaled mean of the errors, without the first step if there are others.
func (o Objective) mean(diff *Node) *Node {
	if diff.Shape().Dim(0) > 1 && !o.KeepFirst {
		diff = SliceAxis(diff, 0, AxisRange(1))
	}
	for a := diff.Rank() - 1; a >= 0; a-- {
		diff = ReduceAndKeep(diff, ReduceMean, a)
	}
	return MulScalar(Reshape(diff), o.multiplier())
}

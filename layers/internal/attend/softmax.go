package attend

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// SoftmaxDot returns softmax(q·kᵀ + bias)·v for q, k, v [batch…, S, K]; bias broadcasts
// against [batch…, S, S] or is nil. On CPUs, XLA is faster if the division by the row sum
// follows the product with v. The Go backend and GPUs have a fused softmax.
func SoftmaxDot(q, k, v, bias *Node) *Node {
	var scores *Node
	if form.OnGo(q.Graph()) {
		scores = form.ScoresDot(q, k)
	} else {
		scores = form.BatchDot(q, -1, k, -1)
	}
	scores = form.AtLeastFloat32(scores)
	if bias != nil {
		scores = Add(scores, form.AtLeastFloat32(bias))
	}
	if form.OwnForms(scores) {
		return form.SoftmaxTimes(scores, v)
	}
	times := func(weights *Node) *Node {
		return form.BatchDot(ConvertDType(weights, v.DType()), -1, v, -2)
	}
	if form.OnGo(q.Graph()) || form.OnGPU(q.Graph()) {
		return times(Softmax(scores, -1))
	}
	top := StopGradient(ReduceAndKeep(scores, ReduceMax, -1))
	e := Exp(Sub(scores, top))
	return Div(times(e), ConvertDType(ReduceAndKeep(e, ReduceSum, -1), v.DType()))
}

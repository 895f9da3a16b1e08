package layers

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// KeyValue is what time mixing keeps of a frame for the frames that follow: normalised
// keys and values, [B, S, C] each, heads major.
type KeyValue struct{ Key, Value *Node }

// ApplyNext is [TimeAttention.Apply] for one more frame x [B, S, C], from what it keeps
// of the earlier ones. bias [len(earlier)+1, N] is added to the scores, of the frame
// itself last ([StepBias]); Masked blocks a place of earlier that holds no frame. It
// returns y [B, S, C] and what to keep of the frame.
//
// A frame attends only to itself and to earlier ones, so the result is that of Apply on
// all frames together; nothing is approximated.
func (p TimeAttention) ApplyNext(x *Node, w TimeAttentionWeights, earlier []KeyValue, bias *Node) (*Node, KeyValue) {
	c := p.Channels
	must(!p.Acausal, "TimeAttention: earlier steps of an acausal layer change with every frame")
	assertDims("TimeAttention x", x, -1, -1, c)
	q, own := p.queryKeyValue(x, w)
	all := append(append([]KeyValue{}, earlier...), own)
	assertDims("TimeAttention bias", bias, len(all), p.Heads)
	out := Dense(attendFew(q, all, bias, p.Heads), Reshape(w.Out, c, c), w.OutBias)
	return Add(x, out), own
}

// queryKeyValue returns the normalised queries of frames x [B, S, C], scaled, and their
// keys and values, [B, S, C] each, heads major.
func (p TimeAttention) queryKeyValue(x *Node, w TimeAttentionWeights) (q *Node, own KeyValue) {
	d := x.Shape().Dimensions
	scale := 1 / sqrt(float64(p.Channels/p.Heads))
	qkv := p.project(RMSGroupNorm(x, w.Norm, p.Norm), w)
	norm := func(z, weight, bias *Node) *Node {
		return Reshape(headNorm(Reshape(z, d[0], d[1], p.Heads, -1), weight, bias), d...)
	}
	q = norm(qkv[0], MulScalar(w.QNorm, scale), MulScalar(w.QNormBias, scale))
	return q, KeyValue{Key: norm(qkv[1], w.KNorm, w.KNormBias), Value: qkv[2]}
}

// attendFew is attention of one query per place and head, q [B, S, C], heads major, to a
// few keys: a product and a sum each, without a matrix product. It returns [B, S, C].
func attendFew(q *Node, all []KeyValue, bias *Node, n int) *Node {
	if onGo(q.Graph()) {
		return attendByDots(q, all, bias, n)
	}
	d := q.Shape().Dimensions
	heads := func(z *Node) *Node { return Reshape(z, d[0], d[1], n, -1) }
	q = heads(q)
	scores := make([]*Node, len(all))
	for i, kv := range all {
		s := ReduceAndKeep(Mul(q, heads(kv.Key)), ReduceSum, -1) // [B, S, N, 1]
		scores[i] = Add(s, Reshape(SliceAxis(bias, 0, AxisElem(i)), 1, 1, -1, 1))
	}
	top := scores[0]
	for _, s := range scores[1:] {
		top = Max(top, s)
	}
	var sum, out *Node
	for i, kv := range all {
		e := Exp(Sub(scores[i], top))
		term := Mul(e, heads(kv.Value))
		if i == 0 {
			sum, out = e, term
			continue
		}
		sum, out = Add(sum, e), Add(out, term)
	}
	return Reshape(Div(out, sum), d...)
}

// StepBias returns the bias [n, N] of one query to n keys from the table [32, N]:
// buckets [n] (int32) are their rows ([RelativeBucket]), blocked [n] is 0 or Masked.
func StepBias(table, buckets, blocked *Node) *Node {
	n := buckets.Shape().Dim(0)
	assertDims("relative bias table", table, RelativeBuckets, -1)
	return Add(Gather(table, Reshape(buckets, n, 1)), Reshape(blocked, n, 1))
}

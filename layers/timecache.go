package layers

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/form"
)

// KeyValue is the KV cache entry of a frame in time mixing: normalised keys and values, [B,
// S, C] each, with channels ordered by head.
type KeyValue struct{ Key, Value *Node }

// ApplyNext is [TimeAttention.Apply] for one more frame x [B, S, C], given the cached keys
// and values of the earlier frames. bias [len(earlier)+1, N] is added to the scores; its
// last row belongs to the frame itself ([StepBias]). A row of Masked excludes an entry of
// earlier that holds no frame. ApplyNext returns y [B, S, C] and the keys and values of the
// frame.
//
// A frame attends only to itself and to earlier frames, so the result equals that of Apply
// on all frames together, without approximation.
func (p TimeAttention) ApplyNext(x *Node, w TimeAttentionWeights, earlier []KeyValue, bias *Node) (*Node, KeyValue) {
	must(!p.Acausal, "TimeAttention: earlier steps of an acausal layer change with every frame")
	assertDims("TimeAttention x", x, -1, -1, p.Channels)
	q, own := p.queryKeyValue(x, w)
	all := append(append([]KeyValue{}, earlier...), own)
	assertDims("TimeAttention bias", bias, len(all), p.Heads)
	return Add(x, p.out(attendFew(q, all, bias, p.Heads), w)), own
}

// ApplyLast computes only the last step of [TimeAttention.ApplyBatchFirst], [B, 1, S, C]
// for x [B, T, S, C]. It computes only keys and values of the earlier steps, no queries and
// no results.
func (p TimeAttention) ApplyLast(x *Node, w TimeAttentionWeights, keep *Node) *Node {
	c := p.Channels
	assertDims("TimeAttention x", x, -1, -1, -1, c)
	d := x.Shape().Dimensions
	b, t, s := d[0], d[1], d[2]
	frame := func(x *Node, i int) *Node { return Reshape(SliceAxis(x, 1, AxisElem(i)), b, s, c) }
	all := make([]KeyValue, t)
	last := frame(x, t-1)
	var q *Node
	if form.OnGo(x.Graph()) {
		for i := range t - 1 {
			all[i] = p.keyValue(RMSGroupNorm(frame(x, i), w.Norm, p.Norm), w)
		}
		q, all[t-1] = p.queryKeyValue(last, w)
	} else {
		q = p.query(RMSGroupNorm(last, w.Norm, p.Norm), w)
		kv := p.keyValue(RMSGroupNorm(Reshape(x, b*t, s, c), w.Norm, p.Norm), w)
		for i := range all {
			all[i] = KeyValue{Key: frame(Reshape(kv.Key, d...), i), Value: frame(Reshape(kv.Value, d...), i)}
		}
	}
	out := p.out(attendFew(q, all, p.lastBias(t, w), p.Heads), w)
	if keep != nil {
		assertDims("DropPath keep", keep, t)
		out = Mul(out, Reshape(SliceAxis(keep, 0, AxisElem(-1)), 1, 1, 1))
	}
	return ExpandAxes(Add(last, out), 1)
}

// lastBias returns the bias of the last of t steps to all of them, [t, N or 1].
func (p TimeAttention) lastBias(t int, w TimeAttentionWeights) *Node {
	return TransposeAllDims(Squeeze(SliceAxis(p.bias(t, w), 1, AxisElem(t-1)), 1), 1, 0)
}

// out projects the merged heads x [B, S, C].
func (p TimeAttention) out(x *Node, w TimeAttentionWeights) *Node {
	return Dense(x, Reshape(w.Out, p.Channels, p.Channels), w.OutBias)
}

// queryKeyValue normalises frames x [B, S, C] and returns their queries, keys and values.
func (p TimeAttention) queryKeyValue(x *Node, w TimeAttentionWeights) (q *Node, own KeyValue) {
	qkv := p.project(false, RMSGroupNorm(x, w.Norm, p.Norm), w, 0, 1, 2)
	return p.normQuery(qkv[0], w), KeyValue{Key: p.normHeads(qkv[1], w.KNorm, w.KNormBias), Value: qkv[2]}
}

// query returns the normalised and scaled queries of normalised frames xn [B, S, C], with
// channels ordered by head.
func (p TimeAttention) query(xn *Node, w TimeAttentionWeights) *Node {
	return p.normQuery(p.project(false, xn, w, 0)[0], w)
}

// keyValue returns the normalised keys and the values of normalised frames xn [B, S, C].
func (p TimeAttention) keyValue(xn *Node, w TimeAttentionWeights) KeyValue {
	kv := p.project(false, xn, w, 1, 2)
	return KeyValue{Key: p.normHeads(kv[0], w.KNorm, w.KNormBias), Value: kv[1]}
}

func (p TimeAttention) normQuery(q *Node, w TimeAttentionWeights) *Node {
	scale := 1 / sqrt(float64(p.Channels/p.Heads))
	return p.normHeads(q, MulScalar(w.QNorm, scale), MulScalar(w.QNormBias, scale))
}

// normHeads returns the LayerNorm of every head of z [B, S, C].
func (p TimeAttention) normHeads(z, weight, bias *Node) *Node {
	d := z.Shape().Dimensions
	return Reshape(headNorm(Reshape(z, d[0], d[1], p.Heads, -1), weight, bias), d...)
}

// attendFew returns attention of one query per position and head, q [B, S, C] with channels
// ordered by head, to a few keys. It computes each score as a product and a sum instead of
// a matrix product. The result is [B, S, C].
func attendFew(q *Node, all []KeyValue, bias *Node, n int) *Node {
	if form.OnGo(q.Graph()) {
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
	top = StopGradient(top)
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

// StepBias returns the bias [n, N] of one query to n keys from the table [32, N]. buckets
// [n] (int32) holds the rows of the keys ([RelativeBucket]), and blocked [n] is 0 or Masked
// for each key.
func StepBias(table, buckets, blocked *Node) *Node {
	n := buckets.Shape().Dim(0)
	assertDims("relative bias table", table, RelativeBuckets, -1)
	return Add(Gather(table, Reshape(buckets, n, 1)), Reshape(blocked, n, 1))
}

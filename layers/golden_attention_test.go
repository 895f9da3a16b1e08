package layers

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/stretchr/testify/require"
)

// attentionMeta describes an attention or block case, or one of its items, in the manifest.
// Causal is true unless the manifest says otherwise.
type attentionMeta struct {
	Heads  int    `json:"num_heads"`
	Hidden int    `json:"hidden"`
	Grid   [3]int `json:"grid"`
	Causal *bool  `json:"causal"`
}

func (m attentionMeta) acausal() bool { return m.Causal != nil && !*m.Causal }

// metaOf reads the description of a case and then that of the item, which has priority.
func metaOf(t *testing.T, c golden.Case, item int) attentionMeta {
	t.Helper()
	var m attentionMeta
	c.Decode(t, &m)
	c.Item(t, item, &m)
	require.Positive(t, m.Heads)
	require.Positive(t, m.Hidden)
	return m
}

func (m attentionMeta) time() TimeAttention {
	return TimeAttention{Channels: m.Hidden, Heads: m.Heads, Acausal: m.acausal()}
}

// space returns the layer, with the MLP width of the weights.
func (m attentionMeta) space(shapes map[string][]int, scope string) ParallelAttention {
	return ParallelAttention{Channels: m.Hidden, Heads: m.Heads,
		MLP: shapes[scope+"fused_ff_qkv.weight"][0] - 3*m.Hidden}
}

// excludeZeroGradients excludes those gradients of the key norm's bias that are zero in
// exact arithmetic: a constant added to all keys shifts all scores of a query equally where
// all tokens are rotated alike, and the computed gradient is rounding noise
// (docs/reference.md §16). In time, where nothing is rotated, this is the whole tensor;
// over space, the dimensions whose rotation does not differ between tokens. All other
// gradients are compared.
func (r *goldenRun) excludeZeroGradients(prefix, space, time string, turns []bool) {
	if space != "" {
		r.keep[prefix+space] = func(i int) bool { return turns[i] }
	}
	if time != "" {
		r.keep[prefix+time] = func(int) bool { return false }
	}
}

// turning returns golden.Turning for the released frequencies.
func turning(k int, grid [3]int) []bool { return golden.Turning(RoPEBase(k), k, grid) }

func TestTurning(t *testing.T) {
	// Width 16: frequencies π and 128π, four dimensions per axis.
	want := map[[3]int]string{
		{1, 1, 1}: "................",
		{4, 1, 1}: "tttt............", // steps 2π/3 and 256π/3
		{5, 7, 1}: "tt..tttt........", // 128π on five tokens: steps of 64π
		{2, 3, 5}: "....tt..tt......",
	}
	for grid, text := range want {
		var got strings.Builder
		for _, on := range turning(16, grid) {
			got.WriteByte(map[bool]byte{true: 't', false: '.'}[on])
		}
		require.Equal(t, text, got.String(), "grid %v", grid)
	}
}

// unhalve reorders the dimensions of the heads on the last axis of x to the release's
// order, the inverse of [halves], if they are in another.
func unhalve(x *Node, heads, pairs int) *Node {
	d := x.Shape().Dimensions
	if turnsPairs(x.Graph(), d[len(d)-1]/heads) {
		return x
	}
	x = Reshape(x, -1, heads, d[len(d)-1]/heads)
	firsts := SliceAxis(x, -1, AxisRange(0, pairs))
	seconds := SliceAxis(x, -1, AxisRange(pairs, 2*pairs))
	both := Concatenate([]*Node{ExpandAxes(firsts, -1), ExpandAxes(seconds, -1)}, -1)
	both = Reshape(both, x.Shape().Dim(0), heads, 2*pairs)
	rest := SliceAxis(x, -1, AxisRange(2*pairs))
	return Reshape(Concatenate([]*Node{both, rest}, -1), d...)
}

func TestGoldenParallelAttention(t *testing.T) {
	golden.Every(t, "c_", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		shapes := r.weightsOf(c)
		for i := range c.Items {
			m := metaOf(t, c, i)
			p := m.space(shapes, "")
			prefix := fmt.Sprintf("%d.", i)
			r.excludeZeroGradients(prefix, "grad.k_norm.bias", "", turning(m.Hidden/m.Heads, m.Grid))
			r.item(prefix, []string{"x", "dy"}, func(it goldenItem) {
				d := it.node("x").Shape().Dimensions
				x := Reshape(moveAxis(it.node("x"), 1, -1), d[0], -1, d[1])
				w := p.Weights(it.vars())
				y := p.Apply(x, w, m.Grid, nil, nil)
				y = moveAxis(Reshape(y, d[0], d[2], d[3], d[4], d[1]), -1, 1)
				it.add("y", y)
				it.gradients(y)
				it.spaceTaps(p, x, w, m.Grid)
			})
		}
		r.compare()
	})
}

// spaceTaps adds the intermediate results of the space mixing of x [F, S, C].
func (it goldenItem) spaceTaps(p ParallelAttention, x *Node, w ParallelAttentionWeights, grid [3]int) {
	f, s, k := x.Shape().Dim(0), x.Shape().Dim(1), p.Channels/p.Heads
	pairs := 3 * RoPEFrequencies(k)
	frames := func(n *Node) *Node { return Reshape(n, f, grid[0], grid[1], grid[2], -1) }
	xn := RMSGroupNorm(x, w.Norm, p.Norm)
	ff, q, key, v := p.project(xn, w)
	angles := w.RoPE.Angles(grid, nil)
	// Without rotation, position returns only the norm of the heads.
	qn := unhalve(p.position(q, w.QNorm, w.QNormBias, ZerosLike(angles)), 1, pairs) // [F, N, S, K]
	att := p.attend(q, key, v, w, angles)

	it.add("tap.norm1", moveAxis(frames(xn), -1, 1))
	it.add("tap.fused", frames(Concatenate([]*Node{ff, unhalve(q, p.Heads, pairs), unhalve(key, p.Heads, pairs), v}, -1)))
	it.add("tap.qn", Reshape(qn, f, p.Heads, grid[0], grid[1], grid[2], k))
	it.add("tap.att", frames(att))
	it.add("tap.attn_out", frames(Dense(att, w.AttnOut, nil)))
	it.add("tap.ff_out", frames(Dense(SwiGLU(ff), w.FFOut, w.FFOutBias)))
	must(s == grid[0]*grid[1]*grid[2], "expected a grid of %d tokens, got %v", s, grid)
}

// tokens applies fn to x [T, B, C, H, W, D] as tokens [T, B, S, C].
func tokens(x *Node, fn func(x *Node, grid [3]int) *Node) *Node {
	d := x.Shape().Dimensions
	y := fn(Reshape(moveAxis(x, 2, -1), d[0], d[1], -1, d[2]), [3]int{d[3], d[4], d[5]})
	return moveAxis(Reshape(y, d[0], d[1], d[3], d[4], d[5], -1), -1, 2)
}

func TestGoldenTimeAttention(t *testing.T) {
	golden.Every(t, "d_", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		r.weightsOf(c)
		for i := range c.Items {
			m := metaOf(t, c, i)
			prefix := fmt.Sprintf("%d.", i)
			r.excludeZeroGradients(prefix, "", "grad.knorm.bias", nil)
			r.item(prefix, []string{"x", "dy"}, func(it goldenItem) {
				w := m.time().Weights(it.vars())
				y := tokens(it.node("x"), func(x *Node, _ [3]int) *Node { return m.time().Apply(x, w, nil) })
				it.add("y", y)
				it.gradients(y)
				it.timeTaps(m.time(), w)
			})
		}
		r.compare()
	})
}

// timeTaps adds the intermediate results of time mixing. It computes the merged heads as
// the difference from x when the output projection is the identity.
func (it goldenItem) timeTaps(p TimeAttention, w TimeAttentionWeights) {
	identity := w
	identity.Out = Reshape(DiagonalWithValue(ConstAs(w.Norm, 1), p.Channels), w.Out.Shape().Dimensions...)
	identity.OutBias = ZerosLike(w.OutBias)
	normed := func(x *Node) *Node {
		d := x.Shape().Dimensions
		return RMSGroupNorm(Reshape(x, d[0]*d[1], d[2], d[3]), w.Norm, p.Norm)
	}
	add := func(name string, fn func(x *Node) *Node) {
		it.add(name, tokens(it.node("x"), func(x *Node, _ [3]int) *Node { return fn(x) }))
	}
	add("tap.norm1", normed)
	add("tap.input_head", func(x *Node) *Node {
		qkv := p.project(false, Reshape(normed(x), x.Shape().Dim(0), -1, p.Channels), w, 0, 1, 2)
		for i, z := range qkv {
			qkv[i] = Reshape(z, -1, p.Heads, 1, p.Channels/p.Heads)
		}
		return Concatenate(qkv, 2) // channels grouped by head, then q, k, v
	})
	add("tap.att", func(x *Node) *Node { return Sub(p.Apply(x, identity, nil), x) })
	add("tap.out", func(x *Node) *Node { return Sub(p.Apply(x, w, nil), x) })
}

func TestGoldenBlock(t *testing.T) {
	golden.Every(t, "e_", func(t *testing.T, c golden.Case) {
		r := newGoldenRun(t, c)
		shapes := r.weightsOf(c)
		for i := range c.Items {
			m := metaOf(t, c, i)
			b := Block{Time: m.time(), Space: m.space(shapes, "space_mixing.")}
			prefix := fmt.Sprintf("%d.", i)
			r.excludeZeroGradients(prefix, "grad.space_mixing.k_norm.bias", "grad.time_mixing.knorm.bias",
				turning(m.Hidden/m.Heads, m.Grid))
			r.item(prefix, []string{"x", "dy"}, func(it goldenItem) {
				w := b.Weights(it.vars())
				y := tokens(it.node("x"), func(x *Node, grid [3]int) *Node { return b.Apply(x, w, grid, nil, nil, nil) })
				it.add("y", y)
				it.gradients(y)
				it.add("tap.after_time", tokens(it.node("x"), func(x *Node, _ [3]int) *Node { return b.Time.Apply(x, w.Time, nil) }))
			})
		}
		r.compare()
	})
}

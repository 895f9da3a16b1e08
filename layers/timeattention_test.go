package layers

import (
	"fmt"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"
)

func (c NormConfig) naive(x, weight array) array {
	groups := 0
	if c.Form == NormGroup {
		groups = c.Groups
	}
	return naiveNorm(x, weight, groups, NormEps)
}

// naiveTime computes TimeAttention of x [T, B, S, C] in loops, for each position and head
// separately. keep [T] may be empty.
func naiveTime(p TimeAttention, w paramSet, x, keep array) array {
	t, c, k := x.dims[0], p.Channels, p.Channels/p.Heads
	xn := p.Norm.naive(x.reshape(t*x.dims[1], x.dims[2], c), w.get("norm1.weight"))
	z := naiveDense(xn, w.get("input_head.weight").reshape(3*c, c), w.get("input_head.bias")).
		reshape(t, x.dims[1], x.dims[2], 3*c)
	bias := newArray(p.Heads, t, t)
	if p.NoBias {
		bias = naiveBias(newArray(32, p.Heads), t, true)
	} else {
		bias = naiveBias(w.get("rel_pos_bias.relative_attention_bias.weight"), t, !p.Acausal)
	}
	att := newArray(x.dims...)
	each([]int{x.dims[1], x.dims[2], p.Heads}, func(at []int) {
		b, s, head := at[0], at[1], at[2]
		part := func(which int) array {
			out := newArray(1, t, k)
			each(out.dims, func(i []int) { out.set(z.at(i[1], b, s, (3*head+which)*k+i[2]), i...) })
			return out
		}
		q := naiveHeadNorm(part(0), w.get("qnorm.weight"), w.get("qnorm.bias")).scaled(1 / sqrt(float64(k)))
		key := naiveHeadNorm(part(1), w.get("knorm.weight"), w.get("knorm.bias"))
		mine := array{dims: []int{t, t}, data: bias.data[head*t*t : (head+1)*t*t]}
		y := naiveSoftmaxDot(q, key, part(2), mine)
		each(y.dims, func(i []int) { att.set(y.at(i...), i[1], b, s, head*k+i[2]) })
	})
	out := naiveDense(att, w.get("output_head.weight").reshape(c, c), w.get("output_head.bias"))
	return residual(x, out, keep)
}

// residual returns x + keep·branch with a factor for each entry of the first axis, or x +
// branch if keep is empty.
func residual(x, branch, keep array) array {
	out := newArray(x.dims...)
	each(x.dims, func(i []int) {
		f := 1.0
		if keep.data != nil {
			f = keep.at(i[0])
		}
		out.set(x.at(i...)+f*branch.at(i...), i...)
	})
	return out
}

// timeJob returns the job of a TimeAttention with random parameters.
func timeJob(p TimeAttention, dims [3]int, keep array) job {
	name := fmt.Sprintf("%v %+v", dims, p)
	rng := seeded(name)
	w := randomParams(rng, func(v Vars) { p.Weights(v) })
	x := normal(rng, dims[0], dims[1], dims[2], p.Channels)
	in, n := append([]array{x}, w.in...), len(w.in)
	if keep.data != nil {
		in = append(in, keep)
	}
	return job{name: name, in: in, want: []array{naiveTime(p, w, x, keep)}, graph: func(in []*Node) []*Node {
		in = append(in, nil)
		return []*Node{p.Apply(in[0], p.Weights(w.vars(in[1:1+n])), in[1+n])}
	}}
}

func TestTimeAttention(t *testing.T) {
	group := NormConfig{Form: NormGroup, Groups: 2}
	var jobs []job
	for i, steps := range []int{1, 2, 3, 6, 13, 20} {
		dims := [3]int{steps, 1 + i%2, 1 + (i+1)%3}
		jobs = append(jobs, timeJob(TimeAttention{Channels: 8, Heads: 2}, dims, array{}))
		if i%2 == 1 {
			jobs = append(jobs, timeJob(TimeAttention{Channels: 6, Heads: 1, Acausal: true}, dims, array{}))
		}
	}
	jobs = append(jobs,
		timeJob(TimeAttention{Channels: 12, Heads: 4, NoBias: true}, [3]int{4, 1, 2}, array{}),
		timeJob(TimeAttention{Channels: 12, Heads: 4, NoBias: true, Acausal: true}, [3]int{4, 1, 2}, array{}),
		timeJob(TimeAttention{Channels: 8, Heads: 2, Norm: group}, [3]int{3, 2, 2}, array{}),
		timeJob(TimeAttention{Channels: 88, Heads: 1}, [3]int{3, 1, 2}, array{}),
		timeJob(TimeAttention{Channels: 8, Heads: 8}, [3]int{3, 1, 2}, array{}),
		timeJob(TimeAttention{Channels: 8, Heads: 2}, [3]int{3, 2, 1}, normal(seeded("keep"), 3)))
	runSweep(t, jobs...)
}

func TestTimeAttentionGradients(t *testing.T) {
	var cases []gradCase
	for _, p := range []TimeAttention{{Channels: 6, Heads: 2}, {Channels: 6, Heads: 2, Acausal: true, Norm: NormConfig{Form: NormGroup, Groups: 3}}} {
		j := timeJob(p, [3]int{5, 2, 3}, normal(seeded("keep"), 5))
		w := randomParams(seeded(j.name), func(v Vars) { p.Weights(v) })
		cases = append(cases, gradCase{name: j.name, in: j.in, keys: append(append([]string{"x"}, w.keys...), "keep"),
			graph: func(in []*Node) *Node { return j.graph(in)[0] },
			// A constant added to all keys shifts all scores of a query alike.
			zero: []string{"knorm.bias"}})
	}
	checkGradients(t, cases...)
}

// TestTimeAttentionLooksBack changes one frame. Its result must change, earlier results
// must not, unless attention is acausal.
func TestTimeAttentionLooksBack(t *testing.T) {
	const steps, changed = 6, 3
	var jobs []job
	for _, p := range []TimeAttention{{Channels: 8, Heads: 2}, {Channels: 8, Heads: 2, NoBias: true}, {Channels: 8, Heads: 2, Acausal: true}} {
		j := timeJob(p, [3]int{steps, 1, 2}, array{})
		frame := len(j.in[0].data) / steps
		other := j.in[0].scaled(1)
		for i := changed * frame; i < (changed+1)*frame; i++ {
			other.data[i] *= -3
		}
		apply, n := j.graph, len(j.in)
		jobs = append(jobs, job{name: j.name, in: append(j.in[:n:n], other),
			graph: func(in []*Node) []*Node {
				return append(apply(in[:n:n]), apply(append([]*Node{in[n]}, in[1:n:n]...))...)
			},
			check: func(t *testing.T, got []array) {
				before := changed * frame
				if p.Acausal {
					require.NotEqual(t, got[0].data[:before], got[1].data[:before])
				} else {
					require.Equal(t, got[0].data[:before], got[1].data[:before])
				}
				for s := changed; s < steps; s++ {
					require.NotEqual(t, got[0].data[s*frame:(s+1)*frame], got[1].data[s*frame:(s+1)*frame], "step %d", s)
				}
			}})
	}
	runJobs(t, jobs...)
}

func TestTimeAttentionSymmetries(t *testing.T) {
	p := TimeAttention{Channels: 8, Heads: 2}
	j := timeJob(p, [3]int{4, 3, 2}, array{})
	x, want := j.in[0], j.want[0]
	batch, places := []int{2, 0, 1}, []int{1, 0}
	with := func(x array) []array { return append([]array{x}, j.in[1:]...) }
	zero, ones := newArray(4), newArray(4)
	for i := range ones.data {
		ones.data[i] = 1
	}
	dropped := timeJob(p, [3]int{4, 3, 2}, zero)
	all := timeJob(p, [3]int{4, 3, 2}, ones)
	runJobs(t,
		job{name: "batch", in: with(x.permuted(1, batch)), graph: j.graph, want: []array{want.permuted(1, batch)}},
		job{name: "places", in: with(x.permuted(2, places)), graph: j.graph, want: []array{want.permuted(2, places)}},
		job{name: "all dropped", in: dropped.in, graph: dropped.graph, check: closeTo(x, 0)},
		job{name: "all kept", in: all.in, graph: all.graph, want: []array{want}})
}

func TestTimeAttentionRefuses(t *testing.T) {
	p := TimeAttention{Channels: 8, Heads: 2}
	apply := func(in []*Node) *Node {
		w := randomParams(seeded("refuses"), func(v Vars) { p.Weights(v) })
		var nodes []*Node
		for _, a := range w.in {
			nodes = append(nodes, ConstTensor(in[0].Graph(), a.tensor()))
		}
		return p.Apply(in[0], p.Weights(w.vars(nodes)), in[1])
	}
	requireRefused(t, apply, [][]int{{3, 1, 2, 6}, {3}}, "TimeAttention x", "expected shape [-1 -1 -1 8]", "got [3 1 2 6]")
	requireRefused(t, apply, [][]int{{3, 1, 2, 8}, {1}}, "DropPath keep", "expected shape [3]", "got [1]")
	none := VarsFrom(func(string, Init, []int) *Node { return nil })
	require.PanicsWithError(t, "layers: TimeAttention: 3 heads do not divide 8 channels",
		func() { TimeAttention{Channels: 8, Heads: 3}.Weights(none) })
}

package layers

import (
	"fmt"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"
)

// naiveFreqs returns the frequencies of the three axes under either naming.
func naiveFreqs(w paramSet, mode RoPEMode) (f [3]array) {
	for a := range f {
		if f[a] = (array{}); mode == RoPEPerAxis {
			f[a] = w.get(fmt.Sprintf("rotary_emb.freqs.%d", a))
		} else {
			f[a] = w.get("rotary_emb.freqs")
		}
	}
	return f
}

// naiveSpace computes ParallelAttention of x [F, S, C] in loops, for each frame and head
// separately. keep [F] may be empty.
func naiveSpace(p ParallelAttention, w paramSet, x array, grid, roll [3]int, keep array) array {
	f, s, c, k := x.dims[0], x.dims[1], p.Channels, p.Channels/p.Heads
	mlp := p.MLP
	if mlp == 0 {
		mlp = 4 * c
	}
	z := naiveDense(p.Norm.naive(x, w.get("norm1.weight")), w.get("fused_ff_qkv.weight"), w.get("fused_ff_qkv.bias"))
	part := func(frame, from, width int) array {
		out := newArray(1, s, width)
		each(out.dims, func(i []int) { out.set(z.at(frame, i[1], from+i[2]), i...) })
		return out
	}
	angles := naiveAngles(naiveFreqs(w, p.RoPE), grid, roll)
	att, ff := newArray(x.dims...), newArray(f, s, mlp)
	for frame := range f {
		copy(ff.data[frame*s*mlp:], part(frame, 0, mlp).data)
		for head := range p.Heads {
			q := naiveHeadNorm(part(frame, mlp+head*k, k), w.get("q_norm.weight"), w.get("q_norm.bias"))
			key := naiveHeadNorm(part(frame, mlp+c+head*k, k), w.get("k_norm.weight"), w.get("k_norm.bias"))
			q = naiveRotate(q, angles).scaled(1 / sqrt(float64(k)))
			y := naiveSoftmaxDot(q, naiveRotate(key, angles), part(frame, mlp+2*c+head*k, k), array{})
			each(y.dims, func(i []int) { att.set(y.at(i...), frame, i[1], head*k+i[2]) })
		}
	}
	branch := sum(naiveDense(att, w.get("attn_out.weight"), array{}),
		naiveDense(naiveSwiGLU(ff), w.get("ff_out.weight"), w.get("ff_out.bias")))
	return residual(x, branch, keep)
}

// spaceJob returns the job of a ParallelAttention with random parameters, a roll, and
// drop-path factors unless keep is empty.
func spaceJob(p ParallelAttention, frames int, grid, roll [3]int, keep array) job {
	name := fmt.Sprintf("%d frames %v roll %v %+v", frames, grid, roll, p)
	rng := seeded(name)
	w := randomParams(rng, func(v Vars) { p.Weights(v) })
	x := normal(rng, frames, grid[0]*grid[1]*grid[2], p.Channels)
	in, n := append([]array{x}, w.in...), len(w.in)
	if keep.data != nil {
		in = append(in, keep)
	}
	return job{name: name, in: in, want: []array{naiveSpace(p, w, x, grid, roll, keep)}, graph: func(in []*Node) []*Node {
		in = append(in, nil)
		var r *Node
		if roll != [3]int{} {
			r = rollNode(in[0], roll)
		}
		return []*Node{p.Apply(in[0], p.Weights(w.vars(in[1:1+n])), grid, r, in[1+n])}
	}}
}

// rollNode returns a constant roll in the graph of x.
func rollNode(x *Node, roll [3]int) *Node {
	return Const(x.Graph(), []int32{int32(roll[0]), int32(roll[1]), int32(roll[2])})
}

func TestParallelAttention(t *testing.T) {
	none := [3]int{}
	group := NormConfig{Form: NormGroup, Groups: 3}
	runSweep(t,
		spaceJob(ParallelAttention{Channels: 16, Heads: 2}, 2, [3]int{3, 4, 1}, none, array{}),
		spaceJob(ParallelAttention{Channels: 16, Heads: 2}, 1, [3]int{1, 3, 2}, [3]int{0, 2, 1}, array{}),
		spaceJob(ParallelAttention{Channels: 24, Heads: 2, MLP: 6}, 2, [3]int{4, 1, 2}, [3]int{3, 0, 0}, array{}),
		spaceJob(ParallelAttention{Channels: 24, Heads: 2, MLP: 6}, 2, [3]int{2, 3, 2}, none, normal(seeded("keep"), 2)),
		spaceJob(ParallelAttention{Channels: 88, Heads: 1, MLP: 10}, 1, [3]int{3, 2, 1}, [3]int{2, 1, 0}, array{}),
		spaceJob(ParallelAttention{Channels: 176, Heads: 2, MLP: 4}, 1, [3]int{2, 2, 2}, none, array{}),
		spaceJob(ParallelAttention{Channels: 17, Heads: 1, MLP: 2, RoPE: RoPEShared}, 3, [3]int{1, 1, 5}, [3]int{0, 0, 4}, array{}),
		spaceJob(ParallelAttention{Channels: 27, Heads: 3, RoPE: RoPEPerAxis, Norm: group}, 2, [3]int{2, 1, 3}, [3]int{1, 0, 2}, array{}),
		spaceJob(ParallelAttention{Channels: 12, Heads: 1, RoPE: RoPEPerAxis}, 2, [3]int{1, 1, 1}, none, array{}),
		spaceJob(ParallelAttention{Channels: 18, Heads: 1, Norm: group}, 1, [3]int{5, 1, 1}, [3]int{2, 0, 0}, normal(seeded("keep"), 1)))
}

func TestParallelAttentionGradients(t *testing.T) {
	var cases []gradCase
	for _, p := range []ParallelAttention{
		{Channels: 16, Heads: 2, MLP: 6, RoPE: RoPEPerAxis},
		{Channels: 17, Heads: 1, MLP: 4, RoPE: RoPEShared, Norm: NormConfig{Form: NormGroup, Groups: 17}},
	} {
		j := spaceJob(p, 2, [3]int{2, 2, 3}, [3]int{1, 0, 2}, normal(seeded("keep"), 2))
		w := randomParams(seeded(j.name), func(v Vars) { p.Weights(v) })
		cases = append(cases, gradCase{name: j.name, in: j.in, keys: append(append([]string{"x"}, w.keys...), "keep"),
			graph: func(in []*Node) *Node { return j.graph(in)[0] }})
	}
	checkGradients(t, cases...)
}

func TestParallelAttentionSymmetries(t *testing.T) {
	p := ParallelAttention{Channels: 16, Heads: 2, MLP: 6}
	grid, none := [3]int{2, 3, 1}, [3]int{}
	j := spaceJob(p, 3, grid, none, array{})
	x, want := j.in[0], j.want[0]
	frames := []int{2, 0, 1}
	with := func(x array) []array { return append([]array{x}, j.in[1:]...) }
	zero, ones := newArray(3), newArray(3)
	ones.data = []float64{1, 1, 1}
	dropped, all := spaceJob(p, 3, grid, none, zero), spaceJob(p, 3, grid, none, ones)
	runJobs(t,
		job{name: "frames", in: with(x.permuted(0, frames)), graph: j.graph, want: []array{want.permuted(0, frames)}},
		job{name: "all dropped", in: dropped.in, graph: dropped.graph, check: closeTo(x, 0)},
		job{name: "all kept", in: all.in, graph: all.graph, want: []array{want}})
}

// TestParallelAttentionRoll checks that rolling the table of angles by r equals rolling the
// tokens by r and the result back, with the released frequencies.
func TestParallelAttentionRoll(t *testing.T) {
	var jobs []job
	for _, c := range []struct{ grid, roll [3]int }{
		{[3]int{5, 3, 1}, [3]int{3, 0, 0}}, {[3]int{4, 1, 3}, [3]int{1, 0, 2}}, {[3]int{3, 2, 4}, [3]int{2, 1, 3}},
		{[3]int{1, 1, 6}, [3]int{0, 0, 5}},
	} {
		p := ParallelAttention{Channels: 32, Heads: 2, MLP: 4}
		w := randomParams(seeded(fmt.Sprint(c)), func(v Vars) { p.Weights(v) })
		w.get("rotary_emb.freqs").replace(wide(RoPEBase(16)))
		dims := []int{2, c.grid[0], c.grid[1], c.grid[2], 32}
		x := normal(seeded(fmt.Sprint(c)), dims...)
		flat := []int{2, c.grid[0] * c.grid[1] * c.grid[2], 32}
		roll := func(a array) array {
			for axis := range 3 {
				a = a.rolled(1+axis, c.roll[axis])
			}
			return a
		}
		jobs = append(jobs, job{name: fmt.Sprint(c), in: append([]array{x.reshape(flat...), roll(x).reshape(flat...)}, w.in...),
			graph: func(in []*Node) []*Node {
				pw := p.Weights(w.vars(in[2:]))
				return []*Node{p.Apply(in[0], pw, c.grid, rollNode(in[0], c.roll), nil),
					p.Apply(in[1], pw, c.grid, nil, nil), p.Apply(in[0], pw, c.grid, nil, nil)}
			},
			check: func(t *testing.T, got []array) {
				requireClose(t, roll(got[0].reshape(dims...)), got[1].reshape(dims...), 1e-5)
				require.NotEqual(t, got[2].data, got[0].data, "the roll matters")
			}})
	}
	runSweep(t, jobs...)
}

func TestParallelAttentionRefuses(t *testing.T) {
	p := ParallelAttention{Channels: 16, Heads: 2}
	apply := func(in []*Node) *Node {
		w := randomParams(seeded("refuses"), func(v Vars) { p.Weights(v) })
		var nodes []*Node
		for _, a := range w.in {
			nodes = append(nodes, ConstTensor(in[0].Graph(), a.tensor()))
		}
		return p.Apply(in[0], p.Weights(w.vars(nodes)), [3]int{2, 3, 1}, nil, in[1])
	}
	requireRefused(t, apply, [][]int{{2, 5, 16}, {2}}, "ParallelAttention x", "expected shape [-1 6 16]", "got [2 5 16]")
	requireRefused(t, apply, [][]int{{2, 6, 15}, {2}}, "ParallelAttention x", "got [2 6 15]")
	requireRefused(t, apply, [][]int{{2, 6, 16}, {3}}, "DropPath keep", "expected shape [2]", "got [3]")
	none := VarsFrom(func(string, Init, []int) *Node { return nil })
	require.PanicsWithError(t, "layers: ParallelAttention: 3 heads do not divide 16 channels",
		func() { ParallelAttention{Channels: 16, Heads: 3}.Weights(none) })
	require.PanicsWithError(t, "layers: ParallelAttention: MLP width 5 is odd",
		func() { ParallelAttention{Channels: 16, Heads: 2, MLP: 5}.Weights(none) })
}

package csm_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
)

// hmlpCase is a grid and the strides that its plan must have.
type hmlpCase struct {
	name   string
	grid   []int
	bcs    data.Boundaries
	o      csm.Options
	stride [3][2]int
}

func hmlpCases() []hmlpCase {
	p, w := data.Both(data.Periodic), data.Both(data.Wall)
	wo := data.Boundary{Low: data.Wall, High: data.Open}
	few := func(n int) csm.Options { return csm.Options{Tokens: [3]int{n, n, n}} }
	one := [2]int{1, 1}
	return []hmlpCase{
		{"2x1 beside 3x1", []int{16, 24}, data.Boundaries{p, wo}, few(8), [3][2]int{{2, 1}, {3, 1}, one}},
		{"3x2 beside 2x2", []int{24, 16}, data.Boundaries{p, p}, few(4), [3][2]int{{3, 2}, {2, 2}, one}},
		{"singleton first", []int{1, 24, 16}, data.Boundaries{p, w, p}, few(4), [3][2]int{one, {3, 2}, {2, 2}}},
		{"singleton in the middle", []int{16, 1, 24}, data.Boundaries{p, p, p}, few(8), [3][2]int{{2, 1}, one, {3, 1}}},
		{"periodic stride 6", []int{48, 8}, data.Boundaries{p, p}, few(4), [3][2]int{{6, 2}, {2, 1}, one}},
		{"a line", []int{40}, data.Boundaries{p}, few(5), [3][2]int{{4, 2}, one, one}},
		{"open ring", []int{25, 16}, data.Boundaries{p, w}, few(4), [3][2]int{{5, 1}, {2, 2}, one}},
		{"no jitter", []int{32, 16}, data.Boundaries{w, p}, csm.Options{Tokens: [3]int{4, 4, 4}, NoJitter: true}, [3][2]int{{4, 2}, {2, 2}, one}},
		{"three axes", []int{8, 8, 9}, data.Boundaries{p, w, wo}, csm.Options{Tokens: [3]int{2, 2, 2}, Kernel: [2]int{4, 2}}, [3][2]int{{2, 2}, {2, 2}, {3, 2}}},
	}
}

func (c hmlpCase) plan(t *testing.T) *csm.Plan {
	t.Helper()
	plan, err := csm.NewPlan(c.grid, c.bcs, c.o)
	require.NoError(t, err)
	for i, a := range plan.Axes {
		require.Equal(t, c.stride[i], a.Stride, "strides of axis %d: %s", i, a.Reason)
	}
	return plan
}

func (c hmlpCase) hmlp() csm.HMLP {
	return csm.HMLP{States: 9, Inner: 3, Hidden: 4, Kernel: c.o.Kernel}
}

// random draws weights of the required shapes.
func random(h csm.HMLP, rng *rand.Rand) params {
	p := params{}
	v := layers.VarsFrom(func(key string, init layers.Init, dims []int) *Node {
		a := noise(rng, max(init.Uniform, 0.2), dims...)
		for i := range a.v {
			a.v[i] += init.Constant
		}
		p[key] = a
		return nil
	})
	h.EncoderWeights(v.In("embed"))
	h.DecoderWeights(v.In("debed"))
	return p
}

// inputs returns the weights as graph inputs, and a function from these to Vars.
func (p params) inputs() (keys []string, list []*tensors.Tensor, vars func(in []*Node) layers.Vars) {
	keys = slices.Sorted(maps.Keys(p))
	for _, k := range keys {
		list = append(list, p[k].tensor())
	}
	return keys, list, func(in []*Node) layers.Vars {
		return layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in[slices.Index(keys, key)] })
	}
}

var (
	fieldIDs = []int32{8, 4, 4} // an index may repeat
	allIDs   = append(slices.Clone(fieldIDs), 2, 0, 1)
)

func TestNaiveEncoderDecoder(t *testing.T) {
	const frames = 2
	for i, c := range hmlpCases() {
		t.Run(c.name, func(t *testing.T) {
			plan, h := c.plan(t), c.hmlp()
			rng := rand.New(rand.NewPCG(11, uint64(i)))
			w := random(h, rng)
			pad, tok := plan.PaddedGrid(), plan.TokenGrid()
			x := noise(rng, 1, frames, pad[0], pad[1], pad[2], len(allIDs))
			tokens := noise(rng, 1, frames, tok[0], tok[1], tok[2], h.Hidden)
			_, list, vars := w.inputs()
			n := len(list)
			list = append(list, x.tensor(), tokens.tensor(), testbackend.Tensor(allIDs, len(allIDs)),
				testbackend.Tensor(fieldIDs, len(fieldIDs)), testbackend.Tensor([]float64{1.3}, 1))
			got := testbackend.RunAs[float64](t, func(in []*Node) []*Node {
				v, rest := vars(in), in[n:]
				enc, dec := h.EncoderWeights(v.In("embed")), h.DecoderWeights(v.In("debed"))
				return []*Node{
					h.Encode(rest[0], enc, rest[2], nil, plan),
					h.Encode(rest[0], enc, rest[2], rest[4], plan),
					h.Decode(rest[1], dec, rest[3], plan),
				}
			}, list...)
			near(t, w.encode(x, allIDs, 1, plan).v, got[0], 1e-12, "tokens")
			near(t, w.encode(x, allIDs, 1.3, plan).v, got[1], 1e-12, "tokens of scaled fields")
			want := w.decode(tokens, fieldIDs, plan)
			require.Equal(t, []int{frames, pad[0], pad[1], pad[2], len(fieldIDs)}, want.dims, "a decoded axis comes back whole")
			near(t, want.v, got[2], 1e-12, "fields")
		})
	}
}

// TestRoll checks that rolling a periodic field by one patch rolls its tokens by one, and
// vice versa. This is exact only if kernels equal strides: otherwise patches overlap,
// points at the ends count twice in the means of the norms, and the roll changes which
// points these are.
func TestRoll(t *testing.T) {
	p := data.Both(data.Periodic)
	c := hmlpCase{grid: []int{32, 24}, bcs: data.Boundaries{p, p},
		o:      csm.Options{Tokens: [3]int{3, 3, 3}, Kernel: [2]int{4, 2}},
		stride: [3][2]int{{4, 2}, {4, 2}, {1, 1}}}
	plan, h := c.plan(t), c.hmlp()
	require.Equal(t, [3]int{32, 24, 1}, plan.PaddedGrid(), "nothing to pad")
	rng := rand.New(rand.NewPCG(13, 1))
	tok := plan.TokenGrid()
	_, list, vars := random(h, rng).inputs()
	n := len(list)
	list = append(list, noise(rng, 1, 1, 32, 24, 1, len(allIDs)).tensor(), noise(rng, 1, 1, tok[0], tok[1], tok[2], h.Hidden).tensor(),
		testbackend.Tensor(allIDs, len(allIDs)), testbackend.Tensor(fieldIDs, len(fieldIDs)))
	for axis := range 2 {
		roll := func(x *Node, by int) *Node {
			m := x.Shape().Dim(1 + axis)
			return Concatenate([]*Node{SliceAxis(x, 1+axis, AxisRange(m-by)), SliceAxis(x, 1+axis, AxisRange(0, m-by))}, 1+axis)
		}
		got := testbackend.RunAs[float64](t, func(in []*Node) []*Node {
			x, tokens, all, ids := in[n], in[n+1], in[n+2], in[n+3]
			enc, dec := h.EncoderWeights(vars(in).In("embed")), h.DecoderWeights(vars(in).In("debed"))
			return []*Node{
				roll(h.Encode(x, enc, all, nil, plan), 1), h.Encode(roll(x, 8), enc, all, nil, plan),
				roll(h.Decode(tokens, dec, ids, plan), 8), h.Decode(roll(tokens, 1), dec, ids, plan),
			}
		}, list...)
		near(t, got[0], got[1], 1e-12, fmt.Sprintf("tokens, axis %d", axis))
		near(t, got[2], got[3], 1e-12, fmt.Sprintf("fields, axis %d", axis))
	}
}

// TestHMLPGradients compares directional derivatives along random directions, of all
// weights and inputs together and of each alone, with central differences.
func TestHMLPGradients(t *testing.T) {
	for _, i := range []int{1, 2, 6, 8} {
		c := hmlpCases()[i]
		t.Run(c.name, func(t *testing.T) {
			plan, h := c.plan(t), c.hmlp()
			rng := rand.New(rand.NewPCG(17, uint64(i)))
			pad := plan.PaddedGrid()
			w := random(h, rng)
			w["x"] = noise(rng, 1, 1, pad[0], pad[1], pad[2], len(allIDs))
			w["scale"] = noise(rng, 1, 1)
			keys, list, vars := w.inputs()
			direction := map[string]array{}
			for _, k := range keys {
				direction[k] = noise(rng, 1, w[k].dims...)
				list = append(list, direction[k].tensor())
			}
			target := noise(rng, 1, 1, pad[0], pad[1], pad[2], len(fieldIDs))
			n := len(keys)
			list = append(list, target.tensor())
			got := testbackend.RunAs[float64](t, func(in []*Node) []*Node {
				all, ids := Const(in[0].Graph(), allIDs), Const(in[0].Graph(), fieldIDs)
				loss := func(in []*Node, target *Node) *Node {
					v := vars(in)
					tokens := h.Encode(v.Var("x", layers.Zero), h.EncoderWeights(v.In("embed")), all, v.Var("scale", layers.Zero), plan)
					return ReduceAllSum(Mul(h.Decode(tokens, h.DecoderWeights(v.In("debed")), ids, plan), target))
				}
				point, dir, target := in[:n], in[n:2*n], in[2*n]
				moved := func(i int, by float64) *Node {
					at := slices.Clone(point)
					at[i] = Add(at[i], MulScalar(dir[i], by))
					return loss(at, target)
				}
				var exact, central []*Node
				const step = 1e-5
				for i, g := range Gradient(loss(point, target), point...) {
					exact = append(exact, ReduceAllSum(Mul(g, dir[i])))
					central = append(central, DivScalar(Sub(moved(i, step), moved(i, -step)), 2*step))
				}
				return []*Node{Stack(exact, 0), Stack(central, 0)}
			}, list...)
			for i, k := range keys {
				require.NotZero(t, got[0][i], k)
				require.InEpsilon(t, got[1][i], got[0][i], 1e-6, "gradient of %s", k)
			}
		})
	}
}

package poseidon

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// opsRun computes the parts of the case of single operations in one graph and compares
// every tensor of the file that is a result.
type opsRun struct {
	t      *testing.T
	f      *golden.File
	in     map[string]*tensors.Tensor
	builds []func(in map[string]*Node, out *testbackend.Outputs)
	// used holds the names of inputs and of results that are compared without a graph.
	used map[string]bool
}

// add registers a part: the names of its inputs, or prefixes that end with a dot or a star,
// and its graph.
func (r *opsRun) add(inputs []string, build func(in map[string]*Node, out *testbackend.Outputs)) {
	for _, name := range r.f.Names() {
		for _, want := range inputs {
			if name == want || strings.HasSuffix(want, ".") && strings.HasPrefix(name, want) {
				v, shape := r.f.Float32(r.t, name)
				r.in[name], r.used[name] = testbackend.Tensor(v, shape...), true
			}
		}
	}
	r.builds = append(r.builds, build)
}

// gradients adds the gradients of Σ y·dy: "<name>dx" and "<name>grad.<key>" for every
// parameter, which is the input "<weights><key>".
func gradients(in map[string]*Node, out *testbackend.Outputs, name, weights string, y *Node) {
	names, nodes := []string{"dx"}, []*Node{in[name+"x"]}
	for key, node := range in {
		if key, ok := strings.CutPrefix(key, weights); ok {
			names, nodes = append(names, "grad."+key), append(nodes, node)
		}
	}
	for i, d := range Gradient(ReduceAllSum(Mul(y, in[name+"dy"])), nodes...) {
		out.Add(name+names[i], d)
	}
}

func testOps(t *testing.T, c golden.Case) {
	r := &opsRun{t: t, f: c.Open(t), in: map[string]*tensors.Tensor{}, used: map[string]bool{}}
	r.norms()
	r.merging()
	r.windows()
	r.attention()
	r.resampling()
	r.tables()
	out := testbackend.RunNamed(t, r.in, func(in map[string]*Node, out *testbackend.Outputs) {
		for _, build := range r.builds {
			build(in, out)
		}
	})
	for _, name := range r.f.Names() {
		got, ok := out[name]
		if !ok {
			require.True(t, r.used[name], "the case has %s", name)
			continue
		}
		tol := valueTol
		if strings.Contains(name, ".grad.") || strings.HasSuffix(name, ".dx") {
			tol = gradientTol
		}
		want, _ := r.f.Float32(t, name)
		golden.CompareL2(t, name, got, want, tol)
	}
}

func (r *opsRun) norms() {
	norm := Norm{Channels: 6, Conditioned: true}
	for _, name := range []string{"cln0.", "cln1."} {
		r.add([]string{"cln.", name + "x", name + "dy", name + "time"}, func(in map[string]*Node, out *testbackend.Outputs) {
			y := norm.Apply(in[name+"x"], norm.Weights(vars(in, "cln.")), in[name+"time"])
			out.Add(name+"y", y)
			gradients(in, out, name, "cln.", y)
		})
	}
}

func (r *opsRun) merging() {
	tokens := func(x *Node, height int) *Node {
		return Reshape(x, x.Shape().Dim(0), height, -1, x.Shape().Dim(2))
	}
	flat := func(x *Node) *Node { return Reshape(x, x.Shape().Dim(0), -1, x.Shape().Dim(3)) }
	r.add([]string{"merge.w.", "merge.x", "merge.time", "merge35.x"}, func(in map[string]*Node, out *testbackend.Outputs) {
		m := Merging{Channels: 6, Conditioned: true}
		w := m.Weights(vars(in, "merge.w."))
		out.Add("merge.y", flat(m.Apply(tokens(in["merge.x"], 5), w, in["merge.time"])))
		out.Add("merge35.y", flat(m.Apply(tokens(in["merge35.x"], 3), w, in["merge.time"])))
	})
	r.add([]string{"unmerge.w.", "unmerge.x", "unmerge.time"}, func(in map[string]*Node, out *testbackend.Outputs) {
		u := Unmerging{Channels: 8, Conditioned: true}
		w := u.Weights(vars(in, "unmerge.w."))
		out.Add("unmerge.y", flat(u.Apply(tokens(in["unmerge.x"], 3), w, [2]int{5, 5}, in["unmerge.time"])))
	})
}

// windows compares the masks: the original's table holds −100 and is added twice.
func (r *opsRun) windows() {
	for _, name := range r.f.Names() {
		var grid [2]int
		var w Windows
		if n, _ := fmt.Sscanf(name, "mask.%dx%d.ws%d.s%d", &grid[0], &grid[1], &w.Size, &w.Shift); n != 4 {
			continue
		}
		r.add([]string{"cln.bias.bias"}, func(in map[string]*Node, out *testbackend.Outputs) {
			out.Add(name, DivScalar(w.Mask(in["cln.bias.bias"].Graph(), grid, dtypes.Float32), 2))
		})
	}
}

func (r *opsRun) attention() {
	r.add([]string{"wattn.w.", "wattn.x", "wattn.dy", "wattn.mask"}, func(in map[string]*Node, out *testbackend.Outputs) {
		a := WindowAttention{Channels: 8, Heads: 2, Window: 4}
		w := a.selfWeights(vars(in, "wattn.w."))
		mask, d := MulScalar(in["wattn.mask"], 2), in["wattn.x"].Shape().Dimensions
		x := Reshape(in["wattn.x"], 2, 4, 16, 8)
		y := Reshape(a.attend(x, w, mask), d...)
		out.Add("wattn.y", y)
		gradients(in, out, "wattn.", "wattn.w.", y)
		// Attention returns its weights if the values are the identity.
		q, k, _, bias := a.operands(x, w, mask)
		dims := []int{2, 4 * a.Heads, 16, 16}
		identity := BroadcastToDims(Reshape(DiagonalWithValue(ConstAs(x, 1), 16), 1, 1, 16, 16), dims...)
		weights := Reshape(layers.SoftmaxAttention(q, k, identity, bias), 8, a.Heads, 16, 16)
		out.Add("wattn.probs_sub", every(weights, 0, 3))
	})
}

func (r *opsRun) resampling() {
	r.add([]string{"fft.x8", "fft.x7"}, func(in map[string]*Node, out *testbackend.Outputs) {
		for _, name := range r.f.Names() {
			var size int
			for form, x := range map[string]*Node{"fft.down%d": in["fft.x8"], "fft.up%d": in["fft.x8"], "fft.x7_down%d": in["fft.x7"], "fft.x7_up%d": in["fft.x7"]} {
				if n, _ := fmt.Sscanf(name, form, &size); n == 1 {
					out.Add(name, Resample(x, size))
				}
			}
		}
	})
}

// tables compares the inputs and the index of the position bias. The index of window 16 has
// every 15th row and column.
func (r *opsRun) tables() {
	for _, name := range r.f.Names() {
		var size int
		if n, _ := fmt.Sscanf(name, "coords_table.%d", &size); n == 1 {
			var got []float32
			for _, at := range coordinates(size) {
				got = append(got, float32(at[0]), float32(at[1]))
			}
			want, _ := r.f.Float32(r.t, name)
			golden.CompareL2(r.t, name, got, want, 1e-7)
			r.used[name] = true
		}
		if n, _ := fmt.Sscanf(name, "pos_index.%d", &size); n == 1 {
			want, shape := r.f.Int32(r.t, name)
			tokens, stride := size*size, 1
			if shape[0] < tokens {
				stride = (tokens + shape[0] - 1) / shape[0]
			}
			all := offsets(size)
			var got []int32
			for q := 0; q < tokens; q += stride {
				for k := 0; k < tokens; k += stride {
					got = append(got, all[q*tokens+k][0])
				}
			}
			assert.Equal(r.t, want, got, name)
			r.used[name] = true
		}
	}
}

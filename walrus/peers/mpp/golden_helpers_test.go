package mpp

import (
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/stretchr/testify/require"
)

// Tolerances, relative in the Euclidean norm. The original's distance between float32 and
// float64 is 1.2e-6 to 3.1e-6 for outputs.
const (
	outputTol   = 2e-5
	gradientTol = 1e-4
	rolloutTol  = 2e-4
)

type (
	named  = map[string]*Node
	values = map[string]*tensors.Tensor
)

// goldenRun is a golden case with the inputs of its graph.
type goldenRun struct {
	t      *testing.T
	f      *golden.File
	config Config
	inputs values
}

// newGoldenRun reads the configuration and, if the case has any, the weights and makes the
// weights inputs "w.<key>".
func newGoldenRun(t *testing.T, c golden.Case) *goldenRun {
	t.Helper()
	r := &goldenRun{t: t, f: c.Open(t), inputs: values{}}
	var original struct{ Config Config }
	c.Decode(t, &original)
	r.config = original.Config
	if c.Weights != "" {
		f, prefix := c.OpenWeights(t)
		r.weights(f, prefix)
	}
	return r
}

// weights makes the tensors of a file whose names have a prefix inputs "w.<key>".
func (r *goldenRun) weights(f *golden.File, prefix string) {
	r.t.Helper()
	for _, name := range f.Names() {
		if key, ok := strings.CutPrefix(name, prefix); ok {
			r.weight(f, name, key)
		}
	}
}

// weight makes a tensor of a file the input "w.<key>".
func (r *goldenRun) weight(f *golden.File, name, key string) {
	r.t.Helper()
	v, shape := f.Float32(r.t, name)
	r.inputs["w."+key] = testbackend.Tensor(v, shape...)
}

// read makes tensors of the case inputs of the same names.
func (r *goldenRun) read(names ...string) {
	r.t.Helper()
	for _, name := range names {
		if info, _ := r.f.Safetensors().Info(name); info.DType == "I32" {
			v, shape := r.f.Int32(r.t, name)
			r.inputs[name] = testbackend.Tensor(v, shape...)
			continue
		}
		v, shape := r.f.Float32(r.t, name)
		r.inputs[name] = testbackend.Tensor(v, shape...)
	}
}

// vars returns Vars that finds parameters among the inputs with a prefix.
func vars(in named, prefix string) layers.Vars {
	return layers.VarsFrom(func(key string, _ layers.Init, dims []int) *Node {
		n, ok := in[prefix+key]
		must(ok, "the golden weights have no %s", key)
		n.AssertDims(dims...)
		return n
	})
}

// model returns the model of the case.
func (r *goldenRun) model() *Model {
	r.t.Helper()
	m, err := NewModel(r.config)
	require.NoError(r.t, err)
	return m
}

// periodic returns the axes H and W that are periodic. The original's flags bcs have W
// first.
func (r *goldenRun) periodic() [2]bool {
	bcs, _ := r.f.Int32(r.t, "bcs")
	return [2]bool{bcs[1] == 1, bcs[0] == 1}
}

// system returns the fields of the case for an emulator.
func (r *goldenRun) system() System {
	labels, _ := r.f.Int32(r.t, "state_labels")
	s := System{Periodic: r.periodic()}
	for _, l := range labels {
		s.Labels = append(s.Labels, int(l))
	}
	return s
}

// compare checks a tensor of the case.
func (r *goldenRun) compare(name string, got []float32, tol float64) {
	r.t.Helper()
	want, _ := r.f.Float32(r.t, name)
	golden.CompareL2(r.t, name, got, want, tol)
}

// compareFluctuation checks fields [..., B, C, H, W] of the case without the mean of the
// input x [T, B, C, H, W], whose size would hide errors.
func (r *goldenRun) compareFluctuation(name string, got []float32, tol float64) {
	r.t.Helper()
	want, _ := r.f.Float32(r.t, name)
	x, shape := r.f.Float32(r.t, "x")
	means := fieldMeans(x, shape)
	golden.CompareL2(r.t, name+" − mean", minusMeans(got, means, shape), minusMeans(want, means, shape), tol)
}

// fieldMeans returns the mean of every sample and field of x [T, B, C, H, W].
func fieldMeans(x []float32, shape []int) []float64 {
	fields, points := shape[1]*shape[2], shape[3]*shape[4]
	means := make([]float64, fields)
	for i, v := range x {
		means[i/points%fields] += float64(v) / float64(shape[0]*points)
	}
	return means
}

// minusMeans subtracts the means of fields from v [..., B, C, H, W].
func minusMeans(v []float32, means []float64, shape []int) []float32 {
	out, points := slices.Clone(v), shape[3]*shape[4]
	for i := range out {
		out[i] -= float32(means[i/points%len(means)])
	}
	return out
}

// moveLast moves the last axis of x before the two axes of space, or back.
func moveLast(x *Node, back bool) *Node {
	r := x.Rank()
	order := make([]int, r)
	for i := range order {
		order[i] = i
	}
	order[r-3], order[r-2], order[r-1] = r-1, r-3, r-2
	if back {
		order[r-3], order[r-2], order[r-1] = r-2, r-1, r-3
	}
	return TransposeAllDims(x, order...)
}

func channelsFirst(x *Node) *Node { return moveLast(x, false) }
func channelsLast(x *Node) *Node  { return moveLast(x, true) }

// tap returns a tap that adds the intermediate results that the case has, "tap.<name>", in
// its layout: frames in the order T, B; channels first but in two tensors; of "…_sub" every
// n-th point of each axis of space; of "…_t0b0" the first frame alone.
func (r *goldenRun) tap(batch int, out *testbackend.Outputs) tap {
	return func(name string, x *Node) {
		name = strings.TrimPrefix(name, "embed.space_")
		if name == "bag" {
			name = "space_bag"
		}
		d := x.Shape().Clone().Dimensions
		x = layers.SwapFirst(Reshape(x, append([]int{batch, -1}, d[len(d)-3:]...)...)) // [T, B, h, w, C]
		space := 2
		if name != "space_bag" && name != "normalised" {
			x, space = channelsFirst(x), 3
		}
		for _, suffix := range []string{"", "_sub", "_t0b0"} {
			full := "tap." + name + suffix
			info, ok := r.f.Safetensors().Info(full)
			if !ok {
				continue
			}
			specs := make([]SliceAxisSpec, 5)
			for a := range specs {
				specs[a] = AxisRange()
			}
			switch suffix {
			case "_t0b0":
				specs[0], specs[1] = AxisElem(0), AxisElem(0)
			case "_sub":
				shape := info.Shape[len(info.Shape)-(5-space):]
				for i := range 2 {
					n := x.Shape().Dim(space + i)
					specs[space+i] = AxisRange().Stride((n + shape[i] - 1) / shape[i])
				}
			}
			out.Add(full, Slice(x, specs...))
		}
	}
}

// taps lists the intermediate results of the case.
func (r *goldenRun) taps() (names []string) {
	for _, name := range r.f.Names() {
		if strings.HasPrefix(name, "tap.") {
			names = append(names, name)
		}
	}
	return names
}

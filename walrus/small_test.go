package walrus_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// smallConfig returns the preset micro with two blocks, few tokens and few fields: a
// network with all parts that runs in milliseconds.
func smallConfig() walrus.Config {
	c := walrus.Micro()
	c.Blocks = 2
	c.Tokens = [3]int{4, 4, 2}
	c.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z", "mask", "pressure")
	return c
}

// livelyWeights returns random weights whose blocks change their input. The blocks of
// initial weights are nearly the identity, so that errors in them would not show.
func livelyWeights(t *testing.T, c walrus.Config) *walrus.Weights {
	t.Helper()
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	rng := rand.New(rand.NewPCG(1, 1))
	for _, p := range w.Params() {
		if p.Init.Buffer {
			continue
		}
		v := valuesOf(t, w, p.Key)
		scale := 0.1
		if len(p.Dims) > 1 {
			scale = 1 / math.Sqrt(float64(p.Size()/p.Dims[0]))
		}
		for i := range v {
			v[i] = float32(p.Init.Constant + scale*rng.NormFloat64())
		}
		require.NoError(t, w.Set(p.Key, testbackend.Tensor(v, p.Dims...)))
	}
	return w
}

// graphWeights returns w as graph inputs for varsOf.
func graphWeights(t *testing.T, w *walrus.Weights) map[string]*tensors.Tensor {
	t.Helper()
	in := map[string]*tensors.Tensor{}
	for _, p := range w.Params() {
		in["w."+p.Key] = testbackend.Tensor(valuesOf(t, w, p.Key), p.Dims...)
	}
	return in
}

// flow returns a window of smooth moving waves of a density and a velocity.
func flow(grid []int, bcs data.Boundaries, frames int) *data.Window {
	w := &data.Window{Name: "flow", Grid: grid, Boundaries: bcs,
		Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	points := w.Points()
	for t := range frames {
		frame := make([]float32, len(w.Channels(false))*points)
		for i := range frame {
			c, p := i/points, i%points
			frame[i] = float32(1 + 0.3*math.Sin(0.2*float64(p)+float64(c)+0.1*float64(t)*float64(c+1)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// withMask adds a mask that is 1 at every tenth point.
func withMask(w *data.Window) *data.Window {
	w.Fields = append(w.Fields, data.Field{Name: data.MaskName, Constant: true})
	w.Constants = make([]float32, w.Points())
	for i := range w.Constants {
		if i%10 == 0 {
			w.Constants[i] = 1
		}
	}
	return w
}

var (
	periodic = data.Both(data.Periodic)
	walled   = data.Both(data.Wall)
)

// noiseOf draws n standard normal values.
func noiseOf(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 99))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

// requireNear compares with a tolerance relative to the largest magnitude.
func requireNear(t *testing.T, want, got []float32, tol float64, what string) {
	t.Helper()
	require.Len(t, got, len(want), what)
	scale := 0.0
	for _, v := range want {
		scale = math.Max(scale, math.Abs(float64(v)))
	}
	require.Positive(t, scale, what)
	for i, v := range want {
		if d := math.Abs(float64(got[i])-float64(v)) / scale; !(d <= tol) {
			require.Failf(t, "values differ", "%s: at %d: expected %v, got %v, %.3g of the largest magnitude, allowed %.3g", what, i, v, got[i], d, tol)
		}
	}
}

package main

import (
	"context"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// horizon is the number of frames of the tasks rollout, gradient and product.
const horizon = 5

// derivatives are the tasks on a forecast of horizon frames. They return 0, and product the
// difference that it measures.
var derivatives = map[string]func(ctx context.Context, em *walrus.Emulator, w *data.Window) (float64, error){
	"rollout": func(ctx context.Context, em *walrus.Emulator, w *data.Window) (float64, error) {
		_, err := em.Forecast(ctx, w, horizon)
		return 0, err
	},
	"gradient": func(ctx context.Context, em *walrus.Emulator, w *data.Window) (float64, error) {
		_, err := em.Gradient(ctx, w, horizon, energy, walrus.GradientOptions{})
		return 0, err
	},
	"product": product,
}

// energy is the mean square of the last frame.
var energy = walrus.NewObjective(func(t walrus.Trajectory) *Node { return ReduceAllMean(Square(t.Frame(horizon))) })

// differentiate repeats a task of derivatives.
func differentiate(w *walrus.Weights, o walrus.EmulatorOptions, s size, task string, steps int, count func()) (off float64, err error) {
	if err := enliven(w); err != nil {
		return 0, err
	}
	em, err := walrus.NewEmulator(w, o)
	if err != nil {
		return 0, err
	}
	defer em.Close()
	seen, err := window(s).Slice(0, s.frames)
	if err != nil {
		return 0, err
	}
	for range steps {
		if off, err = derivatives[task](context.Background(), em, seen); err != nil {
			return 0, err
		}
		count()
	}
	return off, nil
}

// enliven replaces the initial weights, with which a forecast is nearly its last frame, by
// random values.
func enliven(w *walrus.Weights) error {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, p := range w.Params() {
		if p.Init.Buffer {
			continue
		}
		scale := 0.1
		if len(p.Dims) > 1 {
			scale = 1 / math.Sqrt(float64(p.Size()/p.Dims[0]))
		}
		v := make([]float32, p.Size())
		for i := range v {
			v[i] = float32(p.Init.Constant + scale*rng.NormFloat64())
		}
		if err := w.Set(p.Key, tensors.FromFlatDataAndDimensions(v, p.Dims...)); err != nil {
			return err
		}
	}
	return nil
}

// product returns |v·(J·t) − (Jᵀ·v)·t| of random v and t, divided by the sum over the frames
// of ‖v‖·‖J·t‖.
func product(ctx context.Context, em *walrus.Emulator, w *data.Window) (float64, error) {
	rng := rand.New(rand.NewPCG(2, 2))
	random := func(n int) (out [][]float32) {
		for range n {
			frame := make([]float32, len(w.Frames[0]))
			for i := range frame {
				frame[i] = float32(rng.NormFloat64())
			}
			out = append(out, frame)
		}
		return out
	}
	v, t := random(horizon), random(len(w.Frames))
	pulled, err := em.VJP(ctx, w, v, walrus.GradientOptions{})
	if err != nil {
		return 0, err
	}
	pushed, err := em.JVP(ctx, w, horizon, walrus.Tangent{Frames: t}, walrus.GradientOptions{})
	if err != nil {
		return 0, err
	}
	difference, size := 0.0, 0.0
	for k := range v {
		difference += dot(v[k], pushed[k])
		size += math.Sqrt(dot(v[k], v[k]) * dot(pushed[k], pushed[k]))
	}
	for i := range t {
		difference -= dot(pulled.Frames[i], t[i])
	}
	return math.Abs(difference) / size, nil
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

package main

import (
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/data"
)

// The data: frames of a periodic square of side × side points.
const (
	side    = 24
	history = 4
	batch   = 4
)

var around = data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}

// waves draws a run of waves on deep water: three plane waves of random height, phase
// and direction, each with the frequency √|k|·c. The speed c is random, too, and only
// the frames reveal it.
func waves(rng *rand.Rand, frames int) *data.Window {
	w := &data.Window{Name: "waves", Fields: []data.Field{{Name: "height"}}, Grid: []int{side, side}, Boundaries: around}
	for range frames {
		w.Frames = append(w.Frames, make([]float32, side*side))
	}
	c := 0.2 + 0.15*rng.Float64()
	for range 3 {
		kx, ky := float64(1+rng.IntN(2)), float64(rng.IntN(5)-2)
		height, phase := 0.5+rng.Float64(), 2*math.Pi*rng.Float64()
		omega := c * math.Sqrt(2*math.Pi*math.Hypot(kx, ky))
		for t, frame := range w.Frames {
			for i := range frame {
				at := 2 * math.Pi * (kx*float64(i/side) + ky*float64(i%side)) / side
				frame[i] += float32(height * math.Cos(at-omega*float64(t)+phase))
			}
		}
	}
	return w
}

// fields packs windows of one channel into the networks' layout [T, B, C, H, W, D].
func fields(windows ...*data.Window) *tensors.Tensor {
	frames := len(windows[0].Frames)
	flat := make([]float32, 0, frames*len(windows)*side*side)
	for t := range frames {
		for _, w := range windows {
			flat = append(flat, w.Frames[t]...)
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, frames, len(windows), 1, side, side, 1)
}

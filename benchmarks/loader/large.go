package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// makeLarge writes a data set of about 4 GB: 1000 frames of 1024 × 1024 points,
// not compressed.
func makeLarge(dir string) error {
	return makeWaves(dir, "large", []int{1024, 1024}, 1000, []data.Field{{Name: "density"}})
}

// makeReal writes 64 frames of a density, a pressure and a velocity on a grid of real
// size, not compressed.
func makeReal(dir string, grid []int) error {
	return makeWaves(dir, "real", grid, 64, []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}})
}

// makeWaves writes a data set of one run: the sum of travelling waves whose amplitudes fall
// with the wave number as in turbulence, so that files compress like those of simulations.
func makeWaves(dir, name string, grid []int, steps int, fields []data.Field) error {
	h := well.Header{Dataset: name, Trajectories: 1, Deflate: -1, Fields: fields,
		Boundaries: data.Boundaries{data.Both(data.Open), data.Both(data.Open)}}
	for _, n := range grid {
		axis := make([]float32, n)
		for i := range axis {
			axis[i] = float32(i)
		}
		h.Coordinates = append(h.Coordinates, axis)
	}
	for i := range steps {
		h.Times = append(h.Times, float32(i))
	}
	folder := filepath.Join(dir, "data", "train")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	w, err := well.Create(filepath.Join(folder, name+".hdf5"), h, well.WriteOptions{})
	if err != nil {
		return err
	}
	channels := 0
	for _, f := range fields {
		channels += int(math.Pow(float64(len(grid)), float64(f.Order)))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var waves []wave
	for k := 1; k <= 32; k++ {
		angle := 2 * math.Pi * rng.Float64()
		waves = append(waves, wave{float64(k) * math.Cos(angle), float64(k) * math.Sin(angle), rng.Float64(), math.Pow(float64(k), -5./6)})
	}
	frame := make([]float32, channels*grid[0]*grid[1])
	for step := range steps {
		for c := range channels {
			drawWaves(frame[c*grid[0]*grid[1]:][:grid[0]*grid[1]], grid, waves, float64(step)/float64(steps)+0.37*float64(c))
		}
		if err := w.Frame(0, step, frame); err != nil {
			w.Abort()
			return err
		}
	}
	return w.Close()
}

// wave is a plane wave with a wave vector (per box) and a phase (of a period).
type wave struct{ x, y, phase, amplitude float64 }

// drawWaves adds waves at a time. Each is a product of two terms per axis.
func drawWaves(dst []float32, grid []int, waves []wave, time float64) {
	sums := make([]float64, len(dst))
	for _, w := range waves {
		cos, sin := make([]float64, grid[1]), make([]float64, grid[1])
		for j := range cos {
			sin[j], cos[j] = math.Sincos(2 * math.Pi * w.y * float64(j) / float64(grid[1]))
		}
		for i := range grid[0] {
			s, c := math.Sincos(2 * math.Pi * (w.x*float64(i)/float64(grid[0]) + w.phase + time*math.Hypot(w.x, w.y)))
			s, c = s*w.amplitude, c*w.amplitude
			row := sums[i*grid[1]:][:grid[1]]
			for j := range row {
				row[j] += s*cos[j] + c*sin[j]
			}
		}
	}
	for i, x := range sums {
		dst[i] = float32(x)
	}
}

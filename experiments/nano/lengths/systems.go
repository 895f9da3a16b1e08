package lengths

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
)

// ring returns a periodic boundary for every axis.
func ring(dims int) data.Boundaries {
	out := make(data.Boundaries, dims)
	for i := range out {
		out[i] = data.Both(data.Periodic)
	}
	return out
}

// each calls visit with the centre of every point of a grid on a box with sides of
// length 1.
func each(grid []int, visit func(p int, x []float64)) {
	x := make([]float64, len(grid))
	points := 1
	for _, n := range grid {
		points *= n
	}
	for p := range points {
		rest := p
		for a := len(grid) - 1; a >= 0; a-- {
			x[a] = (float64(rest%grid[a]) + 0.5) / float64(grid[a])
			rest /= grid[a]
		}
		visit(p, x)
	}
}

// bump returns the value of a Gaussian on a circle of length 1.
func bump(x, width float64) float64 {
	sum := 0.0
	for image := -2.0; image <= 2; image++ {
		sum += math.Exp(-(x + image) * (x + image) / (2 * width * width))
	}
	return sum
}

// tracer returns a blob that moves along the first axis, as in the system advection.
func tracer(grid []int, frames int, rng *rand.Rand) *data.Window {
	w := &data.Window{Name: "tracer", Fields: []data.Field{{Name: "concentration"}}, Grid: grid, Boundaries: ring(len(grid))}
	centre := make([]float64, len(grid))
	for a := range centre {
		centre[a] = rng.Float64()
	}
	width, shift := 0.08+0.08*rng.Float64(), 0.01+0.015*rng.Float64()
	for k := range frames {
		frame := make([]float32, w.Points())
		each(grid, func(p int, x []float64) {
			v := bump(x[0]+float64(k)*shift-centre[0], width)
			for a := 1; a < len(grid); a++ {
				v *= bump(x[a]-centre[a], width)
			}
			frame[p] = float32(v)
		})
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// The wave's medium and box, as in the system acoustics.
const (
	waveSide    = 2.0
	waveDensity = 1.5
	waveModulus = 4.0
	waveStep    = 0.05
	waveModes   = 3 // along each axis, at either sign
)

// wave returns a pulse of pressure that spreads from rest in a homogeneous medium. It
// is a sum of modes, each p = g cos(k·ξ) cos ωt and u = g k/(ρω) sin(k·ξ) sin ωt.
func wave(grid []int, frames int, rng *rand.Rand) *data.Window {
	dims := len(grid)
	w := &data.Window{Name: "wave", Grid: grid, Boundaries: ring(dims), Fields: []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1},
		{Name: "density", Constant: true}, {Name: "speed_of_sound", Constant: true}}}
	points, speed := w.Points(), math.Sqrt(waveModulus/waveDensity)
	for range points {
		w.Constants = append(w.Constants, waveDensity)
	}
	for range points {
		w.Constants = append(w.Constants, float32(speed))
	}
	centre := make([]float64, dims)
	for a := range centre {
		centre[a] = rng.Float64()
	}
	for range frames {
		w.Frames = append(w.Frames, make([]float32, (1+dims)*points))
	}
	eachMode(dims, func(mode []float64) {
		square := 0.0
		for _, m := range mode {
			square += m * m
		}
		norm := 2 * math.Pi / waveSide * math.Sqrt(square)
		amplitude, omega := math.Exp(-square/3), speed*norm
		rises, rests := make([]float64, frames), make([]float64, frames)
		for k := range frames {
			rises[k], rests[k] = math.Sincos(omega * waveStep * float64(k))
		}
		each(grid, func(p int, x []float64) {
			phase := 0.0
			for a, m := range mode {
				phase += 2 * math.Pi * m * (x[a] - centre[a])
			}
			sin, cos := math.Sincos(phase)
			for k, frame := range w.Frames {
				frame[p] += float32(amplitude * cos * rests[k])
				if square == 0 {
					continue
				}
				u := amplitude * 2 * math.Pi / waveSide / (waveDensity * omega) * sin * rises[k]
				for a, m := range mode {
					frame[(1+a)*points+p] += float32(m * u)
				}
			}
		})
	})
	return w
}

// eachMode calls visit with the wave numbers along each axis.
func eachMode(dims int, visit func([]float64)) {
	mode := make([]float64, dims)
	var next func(axis int)
	next = func(axis int) {
		if axis == dims {
			visit(mode)
			return
		}
		for m := -waveModes; m <= waveModes; m++ {
			mode[axis] = float64(m)
			next(axis + 1)
		}
	}
	next(0)
}

// simulate runs a system of data/solve. Its solvers need even numbers of points. A grid
// with an odd number is simulated at twice the points, and the frames hold the means of
// blocks of two.
func simulate(ctx context.Context, name string, grid []int, frames int, rng *rand.Rand) (*data.Window, error) {
	s, err := solve.Lookup(name)
	if err != nil {
		return nil, err
	}
	block, fine := 1, append([]int{}, grid...)
	for _, n := range grid {
		if n%2 != 0 {
			block = 2
		}
	}
	for a := range fine {
		fine[a] *= block
	}
	values, err := s.Draw(rng, nil)
	if err != nil {
		return nil, err
	}
	run, err := s.Start(fine, values, rng)
	if err != nil {
		return nil, err
	}
	whole := &data.Window{Fields: s.Fields, Grid: fine}
	w := &data.Window{Name: name, Fields: s.Fields, Grid: grid, Boundaries: s.Boundaries}
	channels := len(whole.Channels(false))
	values32 := make([]float32, channels*whole.Points())
	for k := range frames {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if k > 0 {
			if err := run.Advance(s.Interval); err != nil {
				return nil, err
			}
		}
		run.Frame(values32)
		w.Frames = append(w.Frames, coarse(values32, channels, fine, grid, block))
	}
	return w, nil
}

// coarse returns the means over blocks of a frame.
func coarse(fine []float32, channels int, from, to []int, block int) []float32 {
	points, size := 1, 1
	for a := range to {
		points *= to[a]
		size *= from[a]
	}
	out := make([]float32, channels*points)
	share := 1 / float32(size/points)
	for c := range channels {
		for p := range size {
			rest, at, stride := p, 0, 1
			for a := len(to) - 1; a >= 0; a-- {
				at += rest % from[a] / block * stride
				rest /= from[a]
				stride *= to[a]
			}
			out[c*points+at] += share * fine[c*size+p]
		}
	}
	return out
}

package solve

import (
	"math"
	"slices"
)

// flowStarts names the initial states of 2D flows; the first is [periodic.shear].
var flowStarts = []string{"shear", "shear_layers", "jets", "vortices", "taylor_green", "random", "turbulence", "patches"}

// resolveFlow makes the cells square in a box with sides around 1, and the Reynolds number
// low enough for the grid to resolve vorticity and tracer.
func resolveFlow(c *Case) {
	long, short := float64(slices.Max(c.Grid)), float64(slices.Min(c.Grid))
	c.Length = square(c.Grid, max(0.5, math.Sqrt(short/long)))
	most := 45 / (c.Length[0] / float64(c.Grid[0]))
	c.Values["Reynolds"] = min(c.Values["Reynolds"], most)
	c.Values["Schmidt"] = min(c.Values["Schmidt"], 1.5*most/c.Values["Reynolds"])
}

// flowStart draws the vorticity, tracer and mean velocity of an initial state.
func flowStart(b *periodic, u Setup) (vorticity, tracer []float64, mean [2]float64) {
	switch u.Start {
	case "shear":
		vorticity, tracer = b.shear(u)
		return vorticity, tracer, mean
	case "shear_layers", "jets":
		vorticity, tracer = b.layers(u)
	case "vortices":
		vorticity = b.vortices(u)
	case "taylor_green":
		vorticity = b.taylorGreen(u)
	case "turbulence":
		vorticity = b.powerLaw(u.Rng, 0.3+1.2*u.Rng.Float64())
	case "patches":
		vorticity = b.pattern(u.Rng, "patches")
	default:
		vorticity = b.random(u.Rng, 1.5+(min(6, float64(slices.Min(b.n))/10)-1.5)*u.Rng.Float64())
	}
	if tracer == nil || u.Rng.IntN(2) == 0 {
		tracer = b.pattern(u.Rng, scalarStarts[u.Rng.IntN(len(scalarStarts))])
	}
	centred(vorticity)
	b.topSpeed(vorticity, logUniform(u.Rng, 0.4, 1.2))
	if u.Rng.IntN(2) == 0 {
		mean = [2]float64{0.4 * u.Rng.NormFloat64(), 0.4 * u.Rng.NormFloat64()}
	}
	return vorticity, tracer, mean
}

// topSpeed scales a vorticity to a given maximum speed of its velocity.
func (b *periodic) topSpeed(vorticity []float64, speed float64) {
	r := flowRun{etd: &etd{box: b}}
	var velocity [][]float64
	for _, v := range r.velocity(b.forward(nil, vorticity)) {
		velocity = append(velocity, b.inverse(nil, v))
	}
	most := 1e-12
	for p, x := range velocity[0] {
		most = max(most, math.Hypot(x, velocity[1][p]))
	}
	for p := range vorticity {
		vorticity[p] *= speed / most
	}
}

func sech2(x float64) float64 { c := math.Cosh(x); return 1 / (c * c) }

// shear returns two layers across which the velocity along x changes sign, with a random
// perturbation. The tracer is 1 between the layers and 0 elsewhere.
func (b *periodic) shear(u Setup) (vorticity, tracer []float64) {
	noise := b.random(u.Rng, 3)
	width := (0.04 + 0.04*u.Rng.Float64()) * (b.length[1] / 2)
	first, second := b.length[1]/4, 3*b.length[1]/4
	vorticity, tracer = make([]float64, b.points), make([]float64, b.points)
	for p := range vorticity {
		y := b.position(p)[1]
		low, high := (y-first)/width, (y-second)/width
		// u = tanh at the low layer, −tanh at the high one; ω = −∂u/∂y.
		vorticity[p] = (sech2(high)-sech2(low))/width + 3*noise[p]
		tracer[p] = 0.5 * (math.Tanh(low) - math.Tanh(high))
	}
	centred(vorticity)
	return vorticity, tracer
}

// layers returns up to four shear layers at random positions across a random axis, or jets,
// which are pairs of close layers. The tracer follows the velocity along the layers.
func (b *periodic) layers(u Setup) (vorticity, tracer []float64) {
	axis, pairs := u.Rng.IntN(2), 1+u.Rng.IntN(2)
	length := b.length[axis]
	noise := b.random(u.Rng, 1.5+3*u.Rng.Float64())
	disturbed := length * logUniform(u.Rng, 0.003, 0.04)
	vorticity, tracer = make([]float64, b.points), make([]float64, b.points)
	cell := length / float64(b.n[axis])
	for i := range pairs {
		width := max(1.5*cell, length*logUniform(u.Rng, 0.015, 0.05))
		centre := length * (float64(i) + 0.3 + 0.4*u.Rng.Float64()) / float64(pairs)
		half := length / float64(pairs) * (0.15 + 0.12*u.Rng.Float64())
		if u.Start == "jets" {
			half = 1.2 * width
		}
		sign := float64(1 - 2*u.Rng.IntN(2))
		for p := range vorticity {
			y := b.position(p)[axis] + disturbed*noise[p] - centre
			y -= length * math.Round(y/length)
			low, high := (y+half)/width, (y-half)/width
			vorticity[p] += sign * (sech2(high) - sech2(low)) / width
			tracer[p] += 0.5 * (math.Tanh(low) - math.Tanh(high))
		}
	}
	return vorticity, tracer
}

// vortices returns single Gaussian vortices and dipoles.
func (b *periodic) vortices(u Setup) []float64 {
	out, side := make([]float64, b.points), slices.Min(b.length)
	add := func(centre []float64, width, height float64) {
		for p := range out {
			d := b.toward(centre, b.position(p))
			out[p] += height * math.Exp(-(d[0]*d[0]+d[1]*d[1])/(2*width*width))
		}
	}
	for range 1 + u.Rng.IntN(7) {
		centre, width := b.somewhere(u.Rng), side*logUniform(u.Rng, 0.04, 0.12)
		height := (0.3 + u.Rng.Float64()) * float64(1-2*u.Rng.IntN(2))
		add(centre, width, height)
		if u.Rng.IntN(2) == 0 { // a dipole
			sin, cos := math.Sincos(2 * math.Pi * u.Rng.Float64())
			add([]float64{centre[0] + 2.2*width*cos, centre[1] + 2.2*width*sin}, width, -height)
		}
	}
	return out
}

// taylorGreen returns an array of vortices with a random perturbation.
func (b *periodic) taylorGreen(u Setup) []float64 {
	out, noise := make([]float64, b.points), b.random(u.Rng, 3)
	var modes, shift [2]float64
	for a, n := range b.n {
		modes[a], shift[a] = float64(1+u.Rng.IntN(max(1, min(3, n/12)))), u.Rng.Float64()
	}
	strength := logUniform(u.Rng, 0.02, 0.4)
	for p := range out {
		x := b.position(p)
		phase := func(a int) float64 { return 2 * math.Pi * (modes[a]*x[a]/b.length[a] + shift[a]) }
		out[p] = math.Cos(phase(0))*math.Cos(phase(1)) + strength*noise[p]
	}
	return out
}

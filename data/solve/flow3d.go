package solve

import (
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// navierStokes3D returns the system of incompressible flow in a periodic 3D box.
func navierStokes3D() *System {
	s := &System{
		Name: "navier_stokes_3d", Title: "incompressible flow in three dimensions",
		Equation: "∂u/∂t = u×ω − ∇(p + u²/2) + ∇²u/Re, ∇·u = 0, ω = ∇×u",
		Method:   "rotational form, pseudospectral with 2/3 dealiasing, ETDRK4",
		Fields:   []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}}, Boundaries: all(3, data.Periodic),
		Grid: same(3, 16), Length: same(3, 2*math.Pi), Frames: 13, Interval: 0.2,
		Parameters: []Parameter{{"Reynolds", "Re", 20, 60, false}},
		Variety: Variety{Grids: grids3D, Starts: []string{"random", "taylor_green", "abc", "narrow", "rough", "shear", "rings"},
			Interval: [2]float64{0.08, 0.8}, Parameters: []Parameter{{"Reynolds", "", 5, 200, true}}, Resolve: resolveFlow3D},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, u.Length)
		linear := b.laplace(1 / u.Values["Reynolds"])
		r := &flow3D{etd: &etd{box: b, linear: [][]complex128{linear, linear, linear}},
			velocity: b.scratch(3), rotation: b.scratch(3), modes: b.modes(3)}
		for _, v := range flow3DStart(b, u) {
			r.hat = append(r.hat, b.forward(nil, v))
		}
		b.project(r.hat)
		r.scaleTo(1)
		r.nonlinear = r.rate
		r.step = func() float64 { return 0.6 * b.crossing(r.hat) }
		return r, nil
	}
	return s
}

// resolveFlow3D makes the cells cubes and the Reynolds number low enough for the grid to
// resolve the smallest vortices.
func resolveFlow3D(c *Case) {
	c.Length = square(c.Grid, 2*math.Pi)
	c.Values["Reynolds"] = min(c.Values["Reynolds"], 5*float64(slices.Min(c.Grid)))
}

// flow3DStart draws a velocity: a known flow with a perturbation, or a pattern for each
// component. The caller removes its divergence.
func flow3DStart(b *periodic, u Setup) [][]float64 {
	var noise [][]float64
	kind := u.Start
	if slices.Contains([]string{"taylor_green", "abc", "shear"}, kind) {
		kind = "random"
	}
	for range 3 {
		noise = append(noise, b.pattern(u.Rng, kind))
	}
	if kind == u.Start {
		return noise
	}
	out, strength := b.knownFlow(u), logUniform(u.Rng, 0.02, 0.4)
	for i, v := range noise {
		for p, x := range v {
			out[i][p] += strength * x
		}
	}
	return out
}

// knownFlow returns a Taylor–Green flow, an Arnold–Beltrami–Childress flow or shear layers,
// with randomly permuted axes and a random origin.
func (b *periodic) knownFlow(u Setup) [][]float64 {
	out, turn := b.scratch(3), u.Rng.IntN(3)
	var phase, factor [3]float64
	for a := range phase {
		phase[a], factor[a] = 2*math.Pi*u.Rng.Float64(), 0.3+u.Rng.Float64()
	}
	x, y, z := turn, (turn+1)%3, (turn+2)%3
	for p := range b.points {
		var sin, cos [3]float64
		for a, v := range b.position(p) {
			sin[a], cos[a] = math.Sincos(2*math.Pi*v/b.length[a] + phase[a])
		}
		switch u.Start {
		case "taylor_green":
			out[x][p], out[y][p] = sin[x]*cos[y]*cos[z], -cos[x]*sin[y]*cos[z]
		case "abc":
			out[x][p] = factor[0]*sin[z] + factor[2]*cos[y]
			out[y][p] = factor[1]*sin[x] + factor[0]*cos[z]
			out[z][p] = factor[2]*sin[y] + factor[1]*cos[x]
		default: // two layers of the smallest width that the grid resolves
			out[x][p] = math.Tanh((1 + factor[0]) * sin[y])
		}
	}
	return out
}

// flow3D is a Run for the velocity in 3D.
type flow3D struct {
	*etd
	velocity, rotation [][]float64
	modes              [][]complex128
}

func (r *flow3D) Advance(time float64) error { return r.advance(time) }
func (r *flow3D) Constants([]float32)        {}

// curl sets dst to the modes of ∇×u.
func (b *periodic) curl(dst, u [][]complex128) {
	for a := range 3 {
		k, l := b.k[(a+1)%3], b.k[(a+2)%3]
		v, w := u[(a+1)%3], u[(a+2)%3]
		for i := range dst[a] {
			re, im := k[i]*real(w[i])-l[i]*real(v[i]), k[i]*imag(w[i])-l[i]*imag(v[i])
			dst[a][i] = complex(-im, re)
		}
	}
}

// potential sets dst to k·û/k². The modes of the scalar φ with ∇²φ = ∇·u are −i times dst.
func (b *periodic) potential(dst []complex128, u [][]complex128) []complex128 {
	for i := range dst {
		sum, square := complex(0, 0), 0.0
		for a, v := range u {
			k := b.k[a][i]
			sum += complex(k*real(v[i]), k*imag(v[i]))
			square += k * k
		}
		dst[i] = 0
		if square > 0 {
			dst[i] = complex(real(sum)/square, imag(sum)/square)
		}
	}
	return dst
}

// project removes the divergence of a vector field.
func (b *periodic) project(u [][]complex128) {
	phi := b.potential(make([]complex128, b.points), u)
	for a, v := range u {
		for i, k := range b.k[a] {
			v[i] -= complex(k*real(phi[i]), k*imag(phi[i]))
		}
	}
}

// lamb sets dst to the modes of u×ω.
func (r *flow3D) lamb(dst, hat [][]complex128) {
	b := r.box
	b.curl(r.modes, hat)
	b.inverses(append(slices.Clone(r.velocity), r.rotation...), append(slices.Clone(hat), r.modes...))
	u, w := r.velocity, r.rotation
	for p := range b.points {
		x, y, z := u[0][p], u[1][p], u[2][p]
		w[0][p], w[1][p], w[2][p] = y*w[2][p]-z*w[1][p], z*w[0][p]-x*w[2][p], x*w[1][p]-y*w[0][p]
	}
	b.forwards(dst, w)
	for _, f := range dst {
		b.dealias(f)
	}
}

func (r *flow3D) rate(dst, hat [][]complex128) {
	r.lamb(dst, hat)
	r.box.project(dst)
}

// scaleTo scales the velocity to a maximum speed.
func (r *flow3D) scaleTo(speed float64) {
	r.box.inverses(r.velocity, r.hat)
	limit(r.velocity, speed)
	r.box.forwards(r.hat, r.velocity)
}

// Frame writes pressure and velocity. The pressure is the potential of u×ω minus the
// kinetic energy per mass, with mean 0.
func (r *flow3D) Frame(dst []float32) {
	b := r.box
	force := b.modes(3)
	r.lamb(force, r.hat)
	phi := b.potential(force[0], force)
	for i, v := range phi { // ∇φ = the curl-free part of u×ω
		phi[i] = complex(imag(v), -real(v))
	}
	pressure := b.inverse(nil, phi)
	for p := range pressure {
		for _, v := range r.velocity {
			pressure[p] -= v[p] * v[p] / 2
		}
	}
	centred(pressure)
	dst = narrow(dst, pressure)
	for _, v := range r.velocity {
		dst = narrow(dst, v)
	}
}

// restart reads the velocity and removes its divergence.
func (r *flow3D) restart(frame, _ []float32) error {
	for i, hat := range r.hat {
		r.box.forward(hat, channel(frame, 1+i, r.box.points))
	}
	r.box.project(r.hat)
	return nil
}

package solve

import (
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// advection is the experiment of paper Appendix D: a blob that moves at a speed
// which no field tells. The paper writes N(m, σI) and does not say whether σ is the
// variance; here it is the standard deviation.
func advection() *System {
	s := &System{
		Name: "advection", Title: "linear advection with hidden speed (paper Appendix D)",
		Equation: "∂u/∂t = ν ∂u/∂x", Method: "exact in Fourier space",
		Fields: []data.Field{{Name: "concentration"}}, Boundaries: all(2, data.Periodic),
		Grid: []int{32, 32}, Length: []float64{1, 1}, Frames: 31, Interval: 0.1,
		Parameters: []Parameter{{"speed", "ν, towards smaller x", 0.05, 0.25, false}},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, s.Length)
		cx, cy := 0.25+0.5*u.Rng.Float64(), 0.25+0.5*u.Rng.Float64()
		width := 0.05 + 0.2*u.Rng.Float64()
		blob := make([]float64, b.points)
		for p := range blob {
			x := b.position(p)
			// The Gaussian and its images, so that it is smooth across the edge.
			blob[p] = wrapped(x[0]-cx, width) * wrapped(x[1]-cy, width)
		}
		linear := make([]complex128, b.points)
		for i, k := range b.k[0] {
			linear[i] = complex(0, u.Values["speed"]*k)
		}
		return spectralRun{&etd{box: b, hat: [][]complex128{b.forward(nil, blob)}, linear: [][]complex128{linear}}}, nil
	}
	return s
}

// wrapped is a Gaussian of the given width on a circle of length 1.
func wrapped(x, width float64) float64 {
	sum := 0.0
	for image := -2.0; image <= 2; image++ {
		sum += math.Exp(-(x + image) * (x + image) / (2 * width * width))
	}
	return sum
}

func diffusion() *System {
	s := &System{
		Name: "diffusion", Title: "diffusion", Equation: "∂u/∂t = ν ∇²u", Method: "exact in Fourier space",
		Fields: []data.Field{{Name: "concentration"}}, Boundaries: all(2, data.Periodic),
		Grid: []int{32, 32}, Length: []float64{1, 1}, Frames: 31, Interval: 0.05,
		Parameters: []Parameter{{"diffusivity", "ν", 0.002, 0.01, false}},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, s.Length)
		return spectralRun{&etd{box: b, hat: [][]complex128{b.forward(nil, b.random(u.Rng, 3))}, linear: [][]complex128{b.laplace(u.Values["diffusivity"])}}}, nil
	}
	return s
}

func kuramotoSivashinsky() *System {
	s := &System{
		Name: "kuramoto_sivashinsky", Title: "Kuramoto–Sivashinsky: cellular chaos",
		Equation: "∂u/∂t = −∇²u − ∇⁴u − ½|∇u|², mean removed", Method: "pseudospectral, ETDRK4",
		Fields: []data.Field{{Name: "height"}}, Boundaries: all(2, data.Periodic),
		Grid: []int{32, 32}, Length: []float64{32, 32}, Frames: 31, Interval: 1,
		Parameters: []Parameter{{"spin_up", "time before the first frame", 40, 60, false}},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, s.Length)
		linear := make([]complex128, b.points)
		for i, k := range b.k2 {
			linear[i] = complex(k-k*k, 0)
		}
		start := b.random(u.Rng, 4)
		for i := range start {
			start[i] *= 0.1
		}
		e := &etd{box: b, hat: [][]complex128{b.forward(nil, start)}, linear: [][]complex128{linear}, step: func() float64 { return 0.125 }}
		gx, gy := make([]float64, b.points), make([]float64, b.points)
		e.nonlinear = func(dst, hat [][]complex128) {
			b.derivative(gx, hat[0], 0)
			b.derivative(gy, hat[0], 1)
			for i, x := range gx {
				gx[i] = -0.5 * (x*x + gy[i]*gy[i])
			}
			b.dealias(b.forward(dst[0], gx))
			dst[0][0] = 0
		}
		return spectralRun{e}, e.advance(u.Values["spin_up"])
	}
	return s
}

func grayScott() *System {
	s := &System{
		Name: "gray_scott", Title: "Gray–Scott reaction and diffusion: spots and labyrinths",
		Equation: "∂A/∂t = 2e-5 ∇²A − A B² + F (1 − A), ∂B/∂t = 1e-5 ∇²B + A B² − (F + k) B", Method: "pseudospectral, ETDRK4",
		Fields: []data.Field{{Name: "A"}, {Name: "B"}}, Boundaries: all(2, data.Periodic),
		Grid: []int{64, 64}, Length: []float64{1, 1}, Frames: 31, Interval: 30,
		Parameters: []Parameter{{"F", "feed rate", 0.025, 0.04, false}, {"k", "kill rate", 0.055, 0.06, false}},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, s.Length)
		a, c := make([]float64, b.points), make([]float64, b.points)
		noise := b.random(u.Rng, 3)
		for i, x := range noise {
			spot := 1 / (1 + math.Exp(-8*(x-1)))
			a[i], c[i] = 1-0.5*spot, 0.3*spot
		}
		e := &etd{box: b, hat: [][]complex128{b.forward(nil, a), b.forward(nil, c)},
			linear: [][]complex128{b.laplace(2e-5), b.laplace(1e-5)}, step: func() float64 { return 1 }}
		feed, kill := u.Values["F"], u.Values["k"]
		e.nonlinear = func(dst, hat [][]complex128) {
			b.inverse(a, hat[0])
			b.inverse(c, hat[1])
			for i, x := range a {
				r := x * c[i] * c[i]
				a[i], c[i] = -r+feed*(1-x), r-(feed+kill)*c[i]
			}
			b.forward(dst[0], a)
			b.forward(dst[1], c)
		}
		return spectralRun{e}, nil
	}
	return s
}

package solve

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// advection returns the system of the experiment in paper Appendix D: a blob that moves at
// a speed that is not a field. The paper writes N(m, σI) without saying whether σ is the
// variance; here it is the standard deviation.
func advection() *System {
	s := &System{
		Name: "advection", Title: "linear advection with hidden speed (paper Appendix D)",
		Equation: "∂u/∂t = ν ∂u/∂x", Method: "exact in Fourier space",
		Fields: []data.Field{{Name: "concentration"}}, Boundaries: all(2, data.Periodic),
		Grid: []int{32, 32}, Length: []float64{1, 1}, Frames: 31, Interval: 0.1,
		Parameters: []Parameter{{"speed", "ν, towards smaller x", 0.05, 0.25, false}},
		Variety: Variety{Grids: grids2D, Starts: append([]string{"blob"}, scalarStarts...), Interval: [2]float64{0.02, 0.2},
			Parameters: []Parameter{{"speed", "", -0.4, 0.4, false}}, Resolve: squareBox(1)},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, u.Length)
		blob := u.scalar(b, "blob", func() []float64 { return gaussian(b, u.Rng) })
		linear := make([]complex128, b.points)
		for i, k := range b.k[0] {
			linear[i] = complex(0, u.Values["speed"]*k)
		}
		return spectralRun{&etd{box: b, hat: [][]complex128{b.forward(nil, blob)}, linear: [][]complex128{linear}}}, nil
	}
	return s
}

// gaussian returns a round Gaussian near the centre of the box.
func gaussian(b *periodic, rng *rand.Rand) []float64 {
	cx, cy := 0.25+0.5*rng.Float64(), 0.25+0.5*rng.Float64()
	width := 0.05 + 0.2*rng.Float64()
	out := make([]float64, b.points)
	for p := range out {
		x := b.position(p)
		// Add the periodic images, so that the field is smooth at the edges.
		out[p] = wrapped(x[0]/b.length[0]-cx, width) * wrapped(x[1]/b.length[1]-cy, width)
	}
	return out
}

// scalar draws a scalar field of the given start. It calls draw for the system's default
// start, own, and draws all others by [periodic.pattern] with an offset.
func (u Setup) scalar(b *periodic, own string, draw func() []float64) []float64 {
	if u.Start == own {
		return draw()
	}
	out, offset := b.pattern(u.Rng, u.Start), u.Rng.Float64()
	for p := range out {
		out[p] += offset
	}
	return out
}

// squareBox returns a function for [Variety].Resolve that makes the cells square and the
// shortest side of the box as long as given.
func squareBox(shortest float64) func(*Case) {
	return func(c *Case) { c.Length = square(c.Grid, shortest) }
}

// wrapped returns a Gaussian of the given width on a circle of length 1.
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
		Variety: Variety{Grids: grids2D, Starts: append([]string{"smooth"}, scalarStarts...), Interval: [2]float64{0.02, 0.25},
			Parameters: []Parameter{{"diffusivity", "", 0.0005, 0.01, true}}, Resolve: squareBox(1)},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, u.Length)
		f := u.scalar(b, "smooth", func() []float64 { return b.random(u.Rng, 3) })
		return spectralRun{&etd{box: b, hat: [][]complex128{b.forward(nil, f)}, linear: [][]complex128{b.laplace(u.Values["diffusivity"])}}}, nil
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
		Variety: Variety{Grids: grids2D, Starts: append([]string{"weak"}, scalarStarts...), Interval: [2]float64{0.25, 2},
			Parameters: []Parameter{{"spin_up", "", 2, 40, true}},
			Resolve:    func(c *Case) { c.Length = cells(c.Grid, math.Pow(32/float64(slices.Min(c.Grid)), 0.3)) }},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, u.Length)
		linear := make([]complex128, b.points)
		for i, k := range b.k2 {
			linear[i] = complex(k-k*k, 0)
		}
		start := u.scalar(b, "weak", func() []float64 {
			f := b.random(u.Rng, 4)
			for i := range f {
				f[i] *= 0.1
			}
			return f
		})
		e := &etd{box: b, hat: [][]complex128{b.forward(nil, start)}, linear: [][]complex128{linear}, step: func() float64 { return 0.125 }}
		gx, gy := make([]float64, b.points), make([]float64, b.points)
		e.nonlinear = func(dst, hat [][]complex128) {
			b.gradient([][]float64{gx, gy}, hat[0])
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
		Variety: Variety{Grids: grids2D, Starts: []string{"spots", "developed", "random", "narrow", "blobs", "patches", "stripes", "rings"}, Interval: [2]float64{5, 45},
			Parameters: []Parameter{{"F", "", 0.016, 0.1, true}, {"k", "", 0.045, 0.07, false}}, Resolve: resolveGrayScott},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, u.Length)
		a, c := grayScottStart(b, u)
		e := &etd{box: b, hat: [][]complex128{b.forward(nil, a), b.forward(nil, c)},
			linear: [][]complex128{b.laplace(2e-5), b.laplace(1e-5)}, step: func() float64 { return 1 }}
		feed, kill := u.Values["F"], u.Values["k"]
		e.nonlinear = func(dst, hat [][]complex128) {
			b.inverse2(a, c, hat[0], hat[1])
			for i, x := range a {
				r := x * c[i] * c[i]
				a[i], c[i] = -r+feed*(1-x), r-(feed+kill)*c[i]
			}
			b.forward2(dst[0], dst[1], a, c)
		}
		if u.Start != "spots" {
			e.step = func() float64 { return 2 }
		}
		if u.Start == "developed" {
			return spectralRun{e}, e.advance(logUniform(u.Rng, 200, 1200))
		}
		return spectralRun{e}, nil
	}
	return s
}

// resolveGrayScott keeps the side of the cells between 1/75 and 1/45, so that every grid
// resolves the patterns, and the kill rate where patterns exist: close to √F/2 − F, where
// the uniform state with B > 0 appears (Pearson, Science 261, 1993).
func resolveGrayScott(c *Case) {
	c.Length = cells(c.Grid, math.Pow(64/float64(slices.Min(c.Grid)), 0.3)/64)
	f, part := c.Values["F"], (c.Values["k"]-0.045)/0.025
	wide := 0.0025 + 0.05*max(0, 0.1-f)
	if slices.Contains([]string{"narrow", "patches", "stripes", "random"}, c.Start) {
		// These starts seed B in half of the box. B consumes A and dies out at low feed
		// rates.
		f, wide = max(f, 0.03), wide/2
	}
	c.Values["F"], c.Values["k"] = f, math.Sqrt(f)/2-f-0.002+part*wide
}

// grayScottStart returns A and B: some B and less A where a pattern is high.
func grayScottStart(b *periodic, u Setup) (a, c []float64) {
	a, c = make([]float64, b.points), make([]float64, b.points)
	var pattern []float64
	level := 1.0
	switch u.Start {
	case "spots":
		pattern = b.random(u.Rng, 3)
	case "developed":
		pattern = b.random(u.Rng, float64(slices.Min(b.n))/12)
	default:
		pattern, level = b.pattern(u.Rng, u.Start), 0.3+0.5*u.Rng.Float64()
	}
	for i, x := range pattern {
		spot := 1 / (1 + math.Exp(-8*(x-level)))
		a[i], c[i] = 1-0.5*spot, 0.3*spot
	}
	return a, c
}

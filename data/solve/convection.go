package solve

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/gowalrus/gowalrus/data"
)

// rayleighBenard returns the system of convection between a warm floor and a cold lid.
func rayleighBenard() *System {
	s := &System{
		Name: "rayleigh_benard", Title: "Rayleigh–Bénard convection between a warm floor and a cold lid, no slip",
		Equation:   "∂u/∂t + (u·∇)u = −∇p + √(Pr/Ra) ∇²u + b e_y, ∇·u = 0, ∂b/∂t + u·∇b = ∇²b/√(Ra Pr), b = 1 below and 0 above",
		Method:     "staggered grid of second order, projection by Fourier transform and tridiagonal solves, SSP Runge–Kutta of third order",
		Fields:     []data.Field{{Name: "buoyancy"}, {Name: "pressure"}, {Name: "velocity", Order: 1}},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Grid:       []int{64, 32}, Length: []float64{2, 1}, Frames: 31, Interval: 0.5,
		Parameters: []Parameter{{"Rayleigh", "Ra", 5e4, 3e5, false}, {"Prandtl", "Pr", 0.5, 2, false}, {"spin_up", "time before the first frame", 8, 14, false}},
		Variety: Variety{Starts: convectionStarts, Interval: [2]float64{0.15, 1.6}, Resolve: fitConvection,
			Grids: [][]int{{24, 24}, {32, 32}, {48, 24}, {64, 32}, {32, 64}, {96, 32}, {48, 48}, {64, 64}, {80, 40}, {36, 24}},
			Parameters: []Parameter{{Name: "Rayleigh", Low: 1e4, High: 1e6, Log: true}, {Name: "Prandtl", Low: 0.1, High: 10, Log: true},
				{Name: "spin_up", Low: 0, High: 14}}},
	}
	s.start = func(u Setup) (Run, error) {
		if u.Start != convectionStarts[0] {
			return startConvection(u)
		}
		r := newConvection(u.Grid, s.Length, u.Values["Rayleigh"], u.Values["Prandtl"])
		b := newPeriodic(u.Grid, s.Length)
		noise := b.random(u.Rng, 3)
		for p := range r.q[0] {
			y := b.position(p)[1]
			r.q[0][p] = 1 - y + 0.05*noise[p]*math.Sin(math.Pi*y)
		}
		return r, r.Advance(u.Values["spin_up"])
	}
	return s
}

// convection solves the Boussinesq equations between walls along y, periodic along x, on a
// staggered grid: buoyancy and pressure in the cells, velocities on the faces at the low
// ends of the cells. The faces on the lid are not stored, because their velocity is 0.
type convection struct {
	nx, ny    int
	dx, dy    float64
	nu, kappa float64
	// q holds buoyancy, u and v.
	q, old, rate [3][]float64
	pressure     []float64
	// padded holds q with one ghost cell on every side.
	padded [3][]float64
	// The ghost cells have the buoyancy floor − sign·b below the floor and lid − sign·b
	// above the lid.
	floor, lid, sign float64
	// pace bounds the time step by 1/pace if buoyancy is the fastest process.
	pace float64
	// pivot and upper are the factors of the tridiagonal systems, mode by mode.
	pivot, upper []float64

	fft  *fourier.CmplxFFT
	line []complex128
	hat  []complex128
}

func newConvection(n []int, length []float64, rayleigh, prandtl float64) *convection {
	s := &convection{nx: n[0], ny: n[1], dx: length[0] / float64(n[0]), dy: length[1] / float64(n[1]),
		nu: math.Sqrt(prandtl / rayleigh), kappa: 1 / math.Sqrt(rayleigh*prandtl), fft: fourier.NewCmplxFFT(n[0]),
		line: make([]complex128, n[0]), hat: make([]complex128, n[0]*n[1]), pressure: make([]float64, n[0]*n[1]),
		pivot: make([]float64, n[0]*n[1]), upper: make([]float64, n[0]*n[1]), floor: 2, sign: 1}
	for i := range s.q {
		s.q[i], s.old[i], s.rate[i] = make([]float64, n[0]*n[1]), make([]float64, n[0]*n[1]), make([]float64, n[0]*n[1])
		s.padded[i] = make([]float64, (n[0]+2)*(n[1]+2))
	}
	s.factor()
	return s
}

func (s *convection) at(i, j int) int { return (i+s.nx)%s.nx*s.ny + j }

// v returns the velocity along y on the low face of cell (i, j), 0 on a wall.
func (s *convection) v(i, j int) float64 {
	if j <= 0 || j >= s.ny {
		return 0
	}
	return s.q[2][s.at(i, j)]
}

// pad copies the fields to arrays with one ghost cell on every side. Beyond a wall, the
// velocity along x changes sign, so that it vanishes on the wall; the buoyancy is such that
// the mean of both cells is the wall's; the velocity along y is 0.
func (s *convection) pad() {
	row := s.ny + 2
	for i := -1; i <= s.nx; i++ {
		from, to := s.at(i, 0), (i+1)*row
		for f, q := range s.q {
			copy(s.padded[f][to+1:], q[from:from+s.ny])
		}
		b, u, v := s.padded[0][to:to+row], s.padded[1][to:to+row], s.padded[2][to:to+row]
		b[0], b[row-1] = s.floor-s.sign*b[1], s.lid-s.sign*b[row-2]
		u[0], u[row-1] = -u[1], -u[row-2]
		v[0], v[1], v[row-1] = 0, 0, 0
	}
}

// corner returns u·v at the lower left corner of the cell with padded index p.
func (s *convection) corner(p int) float64 {
	u, v, row := s.padded[1], s.padded[2], s.ny+2
	return (u[p-1] + u[p]) / 2 * (v[p-row] + v[p]) / 2
}

// laplace returns the Laplacian of a padded field at a cell.
func (s *convection) laplace(f []float64, p int) float64 {
	c, row := f[p], s.ny+2
	return (f[p+row]-2*c+f[p-row])/(s.dx*s.dx) + (f[p+1]-2*c+f[p-1])/(s.dy*s.dy)
}

// rates computes the time derivatives, and the pressure that keeps the velocity free of
// divergence.
func (s *convection) rates() {
	s.pad()
	row := s.ny + 2
	for i := range s.nx {
		for j := range s.ny {
			s.cell(i*s.ny+j, (i+1)*row+j+1, j == 0)
		}
	}
	s.project()
}

// cell computes the rates of cell p, whose padded index is c.
func (s *convection) cell(p, c int, bottom bool) {
	row := s.ny + 2
	b, u, v := s.padded[0], s.padded[1], s.padded[2]
	right := u[c+row] * (b[c] + b[c+row]) / 2
	left := u[c] * (b[c-row] + b[c]) / 2
	above := v[c+1] * (b[c] + b[c+1]) / 2
	below := v[c] * (b[c-1] + b[c]) / 2
	s.rate[0][p] = -(right-left)/s.dx - (above-below)/s.dy + s.kappa*s.laplace(b, c)
	low, high := (u[c-row]+u[c])/2, (u[c]+u[c+row])/2
	s.rate[1][p] = -(high*high-low*low)/s.dx - (s.corner(c+1)-s.corner(c))/s.dy + s.nu*s.laplace(u, c)
	if bottom {
		s.rate[2][p] = 0
		return
	}
	low, high = (v[c-1]+v[c])/2, (v[c]+v[c+1])/2
	s.rate[2][p] = -(high*high-low*low)/s.dy - (s.corner(c+row)-s.corner(c))/s.dx + s.nu*s.laplace(v, c) + (b[c-1]+b[c])/2
}

// project subtracts the pressure gradient from the rates of the velocity.
func (s *convection) project() {
	for i := range s.nx {
		for j := range s.ny {
			above := 0.0
			if j+1 < s.ny {
				above = s.rate[2][s.at(i, j+1)]
			}
			s.pressure[s.at(i, j)] = (s.rate[1][s.at(i+1, j)]-s.rate[1][s.at(i, j)])/s.dx + (above-s.rate[2][s.at(i, j)])/s.dy
		}
	}
	s.poisson()
	for i := range s.nx {
		for j := range s.ny {
			p := s.at(i, j)
			s.rate[1][p] -= (s.pressure[p] - s.pressure[s.at(i-1, j)]) / s.dx
			if j > 0 {
				s.rate[2][p] -= (s.pressure[p] - s.pressure[s.at(i, j-1)]) / s.dy
			}
		}
	}
}

// poisson replaces the divergence in s.pressure by the pressure, whose mean is 0. It solves
// a tridiagonal system along y for each Fourier mode along x.
func (s *convection) poisson() {
	for j := range s.ny {
		for i := range s.nx {
			s.line[i] = complex(s.pressure[s.at(i, j)], 0)
		}
		for m, v := range s.fft.Coefficients(s.line, s.line) {
			s.hat[m*s.ny+j] = v
		}
	}
	for m := range s.nx {
		s.tridiagonal(m)
	}
	mean := 0.0
	for j := range s.ny {
		for m := range s.nx {
			s.line[m] = s.hat[m*s.ny+j]
		}
		for i, v := range s.fft.Sequence(s.line, s.line) {
			s.pressure[s.at(i, j)] = real(v) / float64(s.nx)
			mean += s.pressure[s.at(i, j)]
		}
	}
	for p := range s.pressure {
		s.pressure[p] -= mean / float64(len(s.pressure))
	}
}

// factor factors the tridiagonal systems (p[j+1] − 2 p[j] + p[j−1])/dy² − λ p[j] = d[j] of
// all modes, with zero gradient at the walls. The mean mode is determined up to a constant;
// its first value is set to 0.
func (s *convection) factor() {
	side := 1 / (s.dy * s.dy)
	for m := range s.nx {
		lambda := (2 - 2*math.Cos(2*math.Pi*float64(m)/float64(s.nx))) / (s.dx * s.dx)
		before := 0.0
		for j := range s.ny {
			diagonal, low, up := -2*side-lambda, side, side
			if j == 0 || j == s.ny-1 {
				diagonal += side
			}
			if j == 0 {
				low = 0
				if m == 0 {
					diagonal, up = 1, 0
				}
			}
			pivot := diagonal - low*before
			before = up / pivot
			s.pivot[m*s.ny+j], s.upper[m*s.ny+j] = pivot, before
		}
	}
}

// tridiagonal solves the system of mode m in place.
func (s *convection) tridiagonal(m int) {
	d, pivot, upper := s.hat[m*s.ny:(m+1)*s.ny], s.pivot[m*s.ny:(m+1)*s.ny], s.upper[m*s.ny:(m+1)*s.ny]
	if m == 0 {
		d[0] = 0
	}
	low, re, im := 0.0, 0.0, 0.0
	for j, v := range d {
		re, im = (real(v)-low*re)/pivot[j], (imag(v)-low*im)/pivot[j]
		d[j] = complex(re, im)
		low = 1 / (s.dy * s.dy)
	}
	for j := s.ny - 2; j >= 0; j-- {
		re, im = real(d[j])-upper[j]*re, imag(d[j])-upper[j]*im
		d[j] = complex(re, im)
	}
}

// Advance advances the solution by a time.
func (s *convection) Advance(time float64) error {
	for time > 0 {
		rate := max(s.pace, 4*max(s.nu, s.kappa)*(1/(s.dx*s.dx)+1/(s.dy*s.dy)))
		for p := range s.q[1] {
			rate = max(rate, 2*(math.Abs(s.q[1][p])/s.dx+math.Abs(s.q[2][p])/s.dy))
		}
		if err := lost([]float64{rate}); err != nil {
			return err
		}
		if err := tooMany(time * rate); err != nil {
			return err
		}
		h := min(1/rate, time)
		if time-h < 1e-9*h {
			h = time
		}
		s.once(h)
		time -= h
	}
	return lost(s.q[:]...)
}

// once takes one step of the Runge–Kutta scheme.
func (s *convection) once(h float64) {
	for f := range s.q {
		copy(s.old[f], s.q[f])
	}
	for _, c := range sspStages {
		s.rates()
		for f, q := range s.q {
			for p := range q {
				q[p] = c[0]*s.old[f][p] + c[1]*(q[p]+h*s.rate[f][p])
			}
		}
	}
}

// Frame writes the buoyancy, the pressure and the velocity at the cell centres.
func (s *convection) Frame(dst []float32) {
	s.rates() // updates the pressure
	dst = narrow(dst, s.q[0])
	dst = narrow(dst, s.pressure)
	u, v := make([]float64, len(s.pressure)), make([]float64, len(s.pressure))
	for i := range s.nx {
		for j := range s.ny {
			u[s.at(i, j)] = (s.q[1][s.at(i, j)] + s.q[1][s.at(i+1, j)]) / 2
			v[s.at(i, j)] = (s.v(i, j) + s.v(i, j+1)) / 2
		}
	}
	narrow(narrow(dst, u), v)
}

// Constants does nothing: the system has no constant fields.
func (s *convection) Constants([]float32) {}

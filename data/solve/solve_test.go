package solve

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

func generator() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// start starts a system with the fixed parameters and random values of the others.
func start(t testing.TB, s *System, grid []int, fixed map[string]float64) Run {
	t.Helper()
	rng := generator()
	values, err := s.Draw(rng, fixed)
	require.NoError(t, err)
	r, err := s.Start(grid, values, rng)
	require.NoError(t, err)
	return r
}

// frame returns the channels of a run's current frame, [C][points].
func frame(r Run, channels, points int) [][]float32 {
	all := make([]float32, channels*points)
	r.Frame(all)
	var out [][]float32
	for c := range channels {
		out = append(out, all[c*points:(c+1)*points])
	}
	return out
}

func distance(a, b []float64) float64 {
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(a[i]-b[i]))
	}
	return worst
}

// TestEverySystem: every system runs on its default grid, its fields change and stay
// finite, and the same seed gives the same frames.
func TestEverySystem(t *testing.T) {
	for _, s := range Systems() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			w := data.Window{Fields: s.Fields, Grid: s.Grid, Boundaries: s.Boundaries}
			require.NoError(t, w.ValidateLayout())
			assert.Len(t, s.Coordinates(s.Grid), len(s.Grid))
			channels := len(w.Channels(false))
			a, b := start(t, s, nil, nil), start(t, s, nil, nil)
			first := frame(a, channels, w.Points())
			assert.Equal(t, first, frame(b, channels, w.Points()), "same seed")
			require.NoError(t, a.Advance(2*s.Interval))
			last := frame(a, channels, w.Points())
			for c, name := range w.Channels(false) {
				change, size := 0.0, 0.0
				for p, v := range last[c] {
					require.True(t, finite(float64(v)), name)
					change += math.Abs(float64(v - first[c][p]))
					size += math.Abs(float64(first[c][p]))
				}
				assert.Greater(t, change, 1e-3*size, "%s stands still", name)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	s, err := Lookup("gray_scott")
	require.NoError(t, err)
	assert.Equal(t, "gray_scott", s.Name)
	_, err = Lookup("ether")
	assert.ErrorContains(t, err, `unknown system "ether": expected one of acoustics, acoustics_3d, active_matter, advection`)
	_, err = s.Draw(generator(), map[string]float64{"mass": 1})
	assert.ErrorContains(t, err, `gray_scott: unknown parameter "mass": expected some of F, k`)
	_, err = s.Draw(generator(), map[string]float64{"F": math.NaN()})
	assert.ErrorContains(t, err, "expected a finite number, got NaN")
	for _, grid := range [][]int{{32}, {32, 6}, {32, 33}, {0, 32}} {
		_, err := s.Start(grid, nil, generator())
		assert.ErrorContains(t, err, "gray_scott: expected ", "%v", grid)
	}
	a, err := s.Draw(generator(), nil)
	require.NoError(t, err)
	b, err := s.Draw(generator(), map[string]float64{"F": 1})
	require.NoError(t, err)
	assert.Equal(t, a["k"], b["k"], "fixing one parameter leaves the others")
}

// TestFourier: transforms, derivatives and coordinates of the box agree with analytic
// functions.
func TestFourier(t *testing.T) {
	b := newPeriodic([]int{16, 10, 12}, []float64{1, 2, 3})
	f, fx, fz := make([]float64, b.points), make([]float64, b.points), make([]float64, b.points)
	for p := range f {
		x := b.position(p)
		a, c := 2*math.Pi*3*x[0], 2*math.Pi*(x[1]/2+2*x[2]/3)
		f[p] = math.Sin(a) * math.Cos(c)
		fx[p] = 6 * math.Pi * math.Cos(a) * math.Cos(c)
		fz[p] = -4 * math.Pi / 3 * math.Sin(a) * math.Sin(c)
	}
	hat := b.forward(nil, f)
	assert.Less(t, distance(f, b.inverse(nil, hat)), 1e-14)
	assert.Less(t, distance(fx, b.derivative(nil, hat, 0)), 1e-12)
	assert.Less(t, distance(fz, b.derivative(nil, hat, 2)), 1e-12)
	coarse := newPeriodic([]int{16, 16}, []float64{1, 1}).random(generator(), 2)
	sum, square := 0.0, 0.0
	for _, v := range coarse {
		sum, square = sum+v, square+v*v
	}
	assert.InDelta(t, 0, sum/256, 1e-12)
	assert.InDelta(t, 1, square/256, 1e-12)
}

// TestAdvection: the blob moves as in the exact solution.
func TestAdvection(t *testing.T) {
	s, err := Lookup("advection")
	require.NoError(t, err)
	// A quarter of the box is eight cells of 32, towards smaller x.
	r := start(t, s, nil, map[string]float64{"speed": 0.25})
	before := frame(r, 1, 1024)[0]
	require.NoError(t, r.Advance(1))
	after := frame(r, 1, 1024)[0]
	for i := range 32 {
		for j := range 32 {
			require.InDelta(t, before[(i+8)%32*32+j], after[i*32+j], 1e-6)
		}
	}
}

// TestDiffusion: a single mode decays by exp(−ν k² t).
func TestDiffusion(t *testing.T) {
	b := newPeriodic([]int{32, 32}, []float64{1, 1})
	wave := make([]float64, b.points)
	b.addWave(wave, []int{2, -1}, 1, 0.5)
	r := spectralRun{&etd{box: b, hat: [][]complex128{b.forward(nil, wave)}, linear: [][]complex128{b.laplace(0.01)}}}
	require.NoError(t, r.Advance(0.7))
	decay := math.Exp(-0.01 * 4 * math.Pi * math.Pi * 5 * 0.7)
	for p, v := range b.inverse(nil, r.hat[0]) {
		require.InDelta(t, decay*wave[p], v, 1e-12)
	}
}

// TestBurgersColeHopf: in 1D the equation has the exact solution u = −2ν φ_x/φ, where φ
// solves the heat equation.
func TestBurgersColeHopf(t *testing.T) {
	const nu = 0.3
	exact := func(x, t float64) float64 {
		e := 0.6 * math.Exp(-nu*t)
		return 2 * nu * e * math.Sin(x) / (1 + e*math.Cos(x))
	}
	s, err := Lookup("burgers")
	require.NoError(t, err)
	r := start(t, s, []int{64, 8}, map[string]float64{"viscosity": nu}).(spectralRun)
	u := make([]float64, r.box.points)
	for p := range u {
		u[p] = exact(r.box.position(p)[0], 0)
	}
	r.box.forward(r.hat[0], u)
	clear(r.hat[1])
	require.NoError(t, r.Advance(0.5))
	for p, v := range r.box.inverse(nil, r.hat[0]) {
		require.InDelta(t, exact(r.box.position(p)[0], 0.5), v, 1e-6)
	}
}

// TestBurgers3D: a flow along z that depends only on x diffuses like heat, because its
// advection term is 0.
func TestBurgers3D(t *testing.T) {
	s, err := Lookup("burgers_3d")
	require.NoError(t, err)
	r := start(t, s, nil, map[string]float64{"viscosity": 0.2}).(spectralRun)
	wave := make([]float64, r.box.points)
	r.box.addWave(wave, []int{2, 0, 0}, 0, 1)
	clear(r.hat[0])
	clear(r.hat[1])
	r.box.forward(r.hat[2], wave)
	require.NoError(t, r.Advance(0.5))
	for p, v := range r.box.inverse(nil, r.hat[2]) {
		require.InDelta(t, math.Exp(-0.2*4*0.5)*wave[p], v, 1e-10)
	}
}

// TestTaylorGreen: Taylor–Green vortices decay without changing shape and have the known
// pressure.
func TestTaylorGreen(t *testing.T) {
	s, err := Lookup("navier_stokes")
	require.NoError(t, err)
	r := start(t, s, []int{32, 64}, map[string]float64{"Reynolds": 50}).(*flowRun)
	b, w := r.box, make([]float64, r.box.points)
	k := 2 * math.Pi
	for p := range w {
		x := b.position(p)
		w[p] = 2 * k * math.Cos(k*x[0]) * math.Cos(k*x[1])
	}
	b.forward(r.hat[0], w)
	require.NoError(t, r.Advance(0.3))
	decay := math.Exp(-2 * k * k * 0.3 / 50)
	got := frame(r, 4, b.points)
	for p := range w {
		x := b.position(p)
		require.InDelta(t, -decay*math.Cos(k*x[0])*math.Sin(k*x[1]), got[2][p], 1e-6, "u")
		require.InDelta(t, decay*math.Sin(k*x[0])*math.Cos(k*x[1]), got[3][p], 1e-6, "v")
		require.InDelta(t, decay*decay/4*(math.Cos(2*k*x[0])+math.Cos(2*k*x[1])), -got[1][p], 1e-6, "p")
	}
}

// TestTensors: the trace of the velocity gradient is the divergence, 0; the strain rate is
// its symmetric part.
func TestTensors(t *testing.T) {
	s, err := Lookup("navier_stokes_tensor")
	require.NoError(t, err)
	r := start(t, s, nil, nil)
	require.NoError(t, r.Advance(0.2))
	got := frame(r, 11, 2048)
	for p := range 2048 {
		xx, xy, yx, yy := got[3][p], got[4][p], got[5][p], got[6][p]
		require.InDelta(t, 0, xx+yy, 2e-5)
		assert.InDelta(t, (xy+yx)/2, got[8][p], 1e-5)
		require.Equal(t, got[8][p], got[9][p])
		require.Equal(t, xx, got[7][p])
	}
}

// TestFlowOrder: halving the step divides the error by about 16.
func TestFlowOrder(t *testing.T) {
	solve := func(h float64) []float64 {
		s, err := Lookup("kuramoto_sivashinsky")
		require.NoError(t, err)
		r := start(t, s, []int{24, 24}, map[string]float64{"spin_up": 20}).(spectralRun)
		r.step = func() float64 { return h }
		require.NoError(t, r.Advance(2))
		return r.box.inverse(nil, r.hat[0])
	}
	exact := solve(1.0 / 256)
	ratio := distance(solve(1.0/16), exact) / distance(solve(1.0/32), exact)
	assert.InDelta(t, 4, math.Log2(ratio), 0.7, "order of ETDRK4")
}

// TestKuramotoSivashinsky: small waves grow or decay at the rate k² − k⁴.
func TestKuramotoSivashinsky(t *testing.T) {
	s, err := Lookup("kuramoto_sivashinsky")
	require.NoError(t, err)
	r := start(t, s, nil, map[string]float64{"spin_up": 1}).(spectralRun)
	for _, mode := range [][]int{{1, 0}, {3, 2}, {5, 4}} {
		wave := make([]float64, r.box.points)
		r.box.addWave(wave, mode, 1e-9, 0)
		r.box.forward(r.hat[0], wave)
		require.NoError(t, r.Advance(2))
		k := 2 * math.Pi / 32
		k2 := k * k * float64(mode[0]*mode[0]+mode[1]*mode[1])
		grown := r.box.inverse(nil, r.hat[0])
		for p, v := range wave {
			require.InDelta(t, v*math.Exp(2*(k2-k2*k2)), grown[p], 1e-15, "%v", mode)
		}
	}
}

// TestGrayScott: a uniform mixture follows the ordinary differential equation, and the
// state A = 1, B = 0 does not change.
func TestGrayScott(t *testing.T) {
	s, err := Lookup("gray_scott")
	require.NoError(t, err)
	r := start(t, s, []int{8, 8}, map[string]float64{"F": 0.03, "k": 0.06}).(spectralRun)
	uniform := func(f int, v float64) {
		clear(r.hat[f])
		r.hat[f][0] = complex(v*64, 0)
	}
	uniform(0, 1)
	uniform(1, 0)
	require.NoError(t, r.Advance(50))
	assert.InDelta(t, 64, real(r.hat[0][0]), 1e-9)
	uniform(0, 0.5)
	uniform(1, 0.4)
	require.NoError(t, r.Advance(20))
	a, b := 0.5, 0.4
	const h = 1e-4
	for range int(20 / h) {
		x := a * b * b
		a, b = a+h*(-x+0.03*(1-a)), b+h*(x-0.09*b)
	}
	assert.InDelta(t, a, real(r.hat[0][0])/64, 1e-4)
	assert.InDelta(t, b, real(r.hat[1][0])/64, 1e-4)
}

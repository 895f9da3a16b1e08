package solve

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// radiating is a gas that loses heat by radiation at temperatures between 1/contrast (cold)
// and 1 (hot). With T = p/ρ and x = 1 + ln(T)/ln(contrast), it loses the fraction 4x(1 − x)
// of the thermal energy per cooling time.
type radiating struct {
	gas
	cooling, contrast float64
}

// source subtracts the radiated energy.
func (g radiating) source(rate, w []float64) {
	p := w[g.dims+1]
	x := 1 + math.Log(p/w[0])/math.Log(g.contrast)
	if x > 0 && x < 1 {
		rate[g.dims+1] -= 4 * x * (1 - x) * p / ((g.gamma - 1) * g.cooling)
	}
}

// pace limits the time step to a fraction of the cooling time.
func (g radiating) pace() float64 { return 2 / g.cooling }

// radiativeLayer returns the system of cold dense gas below hot thin gas, as in The Well's
// turbulent_radiative_layer_2D.
func radiativeLayer() *System {
	around, wall, open := data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Open)
	s := &System{
		Name: "radiative_layer", Title: "cold gas and hot gas that slide along each other, mix and radiate",
		Equation: "∂ρ/∂t + ∇·(ρu) = 0, ∂(ρu)/∂t + ∇·(ρu⊗u + p) = 0, ∂E/∂t + ∇·((E + p) u) = −4x(1 − x) p/((γ − 1) τ) for 0 < x < 1, " +
			"x = 1 + ln(p/ρ)/ln χ, p = (γ − 1)(E − ρu²/2), γ = 5/3",
		Method:     "finite volumes, limited linear reconstruction, HLLC flux, SSP Runge–Kutta of third order",
		Fields:     []data.Field{{Name: "density"}, {Name: "pressure"}, {Name: "velocity", Order: 1}},
		Boundaries: data.Boundaries{around, open}, Grid: []int{32, 64}, Length: []float64{1, 2}, Frames: 31, Interval: 0.1,
		Parameters: []Parameter{{"cooling", "τ, the cooling time", 0.1, 3, true}, {"contrast", "χ, the density of the cold gas over that of the hot gas", 10, 50, true}},
		Variety: Variety{Grids: [][]int{{24, 24}, {32, 32}, {32, 64}, {24, 72}, {48, 48}, {32, 96}, {64, 64}, {48, 96}, {64, 32}, {96, 96}},
			Starts: []string{"layer", "clouds", "random temperature"}, Interval: [2]float64{0.02, 0.25},
			Boundaries: []data.Boundaries{{around, open}, {around, open}, {around, wall}, all(2, data.Periodic), {open, open}, {open, wall}},
			Parameters: []Parameter{{Name: "cooling", Low: 0.03, High: 10, Log: true}, {Name: "contrast", Low: 3, High: 100, Log: true}}},
	}
	s.start = startRadiative
	return s
}

func startRadiative(u Setup) (Run, error) {
	cooling, contrast := u.Values["cooling"], u.Values["contrast"]
	if !(cooling > 0) {
		return nil, fmt.Errorf("cooling: expected a positive time, got %v", cooling)
	}
	if !(contrast > 1) {
		return nil, fmt.Errorf("contrast: expected more than 1, got %v", contrast)
	}
	c := newCanvas(u)
	s := newGasState(c)
	s.temperatures(u.Start, contrast, u.Boundaries)
	law := radiating{gas{2, 5.0 / 3}, cooling, contrast}
	fv := newFiniteVolume(law, u.Grid, c.length, u.Boundaries)
	s.into(fv)
	return radiativeRun{fv}, nil
}

// temperatures draws cold and hot gas at pressure 1. The hot gas moves.
func (s *gasState) temperatures(kind string, contrast float64, bcs data.Boundaries) {
	ripple, height := s.smooth(s.between(1, 3)), s.between(0.35, 0.6)
	speed, depth, thick := s.between(0.2, 0.8), s.between(0.01, 0.04)*s.side, s.between(0.02, 0.05)*s.side
	cold := make([]float64, s.points) // the fraction of cold gas
	switch kind {
	case "clouds":
		cold = s.bumps(s.count(1, 4), 1, 3, bcs)
		for p, v := range cold {
			cold[p] = (1 + math.Tanh(4*(v-0.6))) / 2
		}
	case "random temperature":
		for p, v := range s.smooth(s.between(0.7, 2)) {
			cold[p] = (1 + math.Tanh(v)) / 2
		}
		speed *= 0.3
	default:
		for p, v := range ripple {
			y := s.position(p)[1] + depth*v
			cold[p] = (1 - math.Tanh((y-height*s.length[1])/thick)) / 2
			if bcs[1].IsPeriodic() {
				cold[p] *= (1 + math.Tanh((y-0.15*s.length[1])/thick)) / 2
			}
		}
	}
	for p, v := range cold {
		s.density[p] = math.Pow(contrast, v)
		s.velocity[0][p] = speed * (0.5 - v)
		s.velocity[1][p] = 0.05 * speed * ripple[p]
	}
}

type radiativeRun struct{ *finiteVolume }

func (r radiativeRun) Advance(time float64) error { return r.advance(time) }
func (r radiativeRun) Constants([]float32)        {}

// Frame writes density, pressure and velocity.
func (r radiativeRun) Frame(dst []float32) {
	n := r.points
	all := make([]float32, 4*n)
	r.writePrimitive(all, 4)
	copy(dst, all[:n])
	copy(dst[n:], all[3*n:])
	copy(dst[2*n:], all[n:3*n])
}

func (r radiativeRun) restart(frame, _ []float32) error {
	return r.fill(func(w []float64, p int) {
		for v, channel := range []int{0, 2, 3, 1} {
			w[v] = float64(frame[channel*r.points+p])
		}
	})
}

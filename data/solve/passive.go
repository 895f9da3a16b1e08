package solve

import (
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// advectionDiffusion returns the system of a scalar in a steady flow, whose velocity is a
// constant field.
func advectionDiffusion() *System {
	s := &System{
		Name: "advection_diffusion", Title: "a scalar in a known steady flow",
		Equation: "∂c/∂t + u·∇c = κ ∇²c, u given with ∇·u = 0", Method: "pseudospectral with 2/3 dealiasing, ETDRK4",
		Fields:     []data.Field{{Name: "concentration"}, {Name: "velocity", Order: 1, Constant: true}},
		Boundaries: all(2, data.Periodic), Grid: []int{32, 32}, Length: []float64{1, 1}, Frames: 31, Interval: 0.05,
		Parameters: []Parameter{{"diffusivity", "κ", 0.001, 0.004, true}},
		Variety: Variety{Grids: grids2D, Starts: scalarStarts, Interval: [2]float64{0.012, 0.12},
			Parameters: []Parameter{{"diffusivity", "", 0.0002, 0.01, true}}, Resolve: resolvePassive},
	}
	s.start = func(u Setup) (Run, error) {
		b := newPeriodic(u.Grid, u.Length)
		f := u
		f.Start = flowStarts[1+u.Rng.IntN(len(flowStarts)-1)]
		vorticity, _, mean := flowStart(b, f)
		concentration := u.scalar(b, "", nil)
		flow := flowRun{mean: mean, etd: &etd{box: b}}
		r := &passive{velocity: b.scratch(2), etd: &etd{box: b, hat: [][]complex128{b.forward(nil, concentration)},
			linear: [][]complex128{b.laplace(u.Values["diffusivity"])}}}
		r.modes = flow.velocity(b.forward(nil, vorticity))
		b.inverses(r.velocity, r.modes)
		r.nonlinear = func(dst, hat [][]complex128) { b.advect(dst, r.velocity, hat) }
		r.step = func() float64 { return 0.6 * b.crossing(r.modes) }
		return r, nil
	}
	return s
}

// resolvePassive makes the cells square and the diffusivity large enough for the grid to
// resolve the stretched scalar.
func resolvePassive(c *Case) {
	c.Length = square(c.Grid, 1)
	c.Values["diffusivity"] = max(c.Values["diffusivity"], 0.025/float64(slices.Min(c.Grid)))
}

// passive is a Run for a scalar in a steady flow.
type passive struct {
	*etd
	velocity [][]float64
	modes    [][]complex128
}

func (r *passive) Advance(time float64) error { return r.advance(time) }
func (r *passive) Frame(dst []float32)        { spectralRun{r.etd}.Frame(dst) }

// Constants writes the velocity.
func (r *passive) Constants(dst []float32) {
	for _, v := range r.velocity {
		dst = narrow(dst, v)
	}
}

// restart reads scalar and velocity and removes the divergence of the velocity.
func (r *passive) restart(frame, constants []float32) error {
	b := r.box
	b.forward(r.hat[0], channel(frame, 0, b.points))
	if constants == nil {
		return nil
	}
	for i := range r.modes {
		b.forward(r.modes[i], channel(constants, i, b.points))
	}
	b.project(r.modes)
	b.inverses(r.velocity, r.modes)
	return nil
}

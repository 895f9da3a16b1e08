package solve

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// Initial is a given initial state, in place of a random one.
type Initial struct {
	// Frame holds the channels of the variable fields, as [Run.Frame] writes them. Channels
	// that [System.Free] does not name are ignored, because the others determine them.
	Frame []float32
	// Constants holds the channels of the constant fields, as [Run.Constants] writes them.
	// nil draws them as [System.Start] does.
	Constants []float32
	// Boundaries replaces the boundaries of the system if [System.TakesBoundaries] reports
	// true. nil keeps them.
	Boundaries data.Boundaries
}

// free lists the channels that can be chosen, for systems in which not all can.
var free = map[string][]string{
	"acoustics":            {"pressure", "velocity_x", "velocity_y", "density"},
	"euler_periodic":       {"density", "pressure", "momentum_x", "momentum_y"},
	"euler_open":           {"density", "pressure", "momentum_x", "momentum_y"},
	"euler_3d":             {"density", "pressure", "momentum_x", "momentum_y", "momentum_z"},
	"navier_stokes":        {"tracer", "velocity_x", "velocity_y"},
	"navier_stokes_tensor": {"velocity_x", "velocity_y"},
	"navier_stokes_3d":     {"velocity_x", "velocity_y", "velocity_z"},
	"active_matter":        {"concentration", "D_xx", "D_xy", "D_yx", "D_yy"},
	"viscoelastic":         {"c_zz", "velocity_x", "velocity_y", "C_xx", "C_xy", "C_yx", "C_yy"},
	"rayleigh_benard":      {"buoyancy", "velocity_x", "velocity_y"},
	"rayleigh_taylor":      {"density", "velocity_x", "velocity_y"},
	"acoustics_3d":         {"pressure", "velocity_x", "velocity_y", "velocity_z", "density"},
}

// Free returns the names of the channels, variable and constant, that determine the state
// of a system. The others are computed from them: the pressure of an incompressible flow
// from its velocity, the energy of a gas from density, pressure and momentum.
func (s *System) Free() []string {
	if names, ok := free[s.Name]; ok {
		return slices.Clone(names)
	}
	w := data.Window{Fields: s.Fields, Grid: s.Grid}
	return append(w.Channels(false), w.Channels(true)...)
}

// TakesBoundaries reports whether the solver supports boundaries other than the system's
// default. Solvers that use Fourier modes do not.
func (s *System) TakesBoundaries() bool {
	switch s.Name {
	case "acoustics", "acoustics_3d", "radiative_layer", "shallow_water", "euler_periodic", "euler_open", "euler_3d":
		return true
	}
	return false
}

// restarter is a Run that can be set to a given state. The caller checks the length of the
// frame and that its values are finite.
type restarter interface {
	restart(frame, constants []float32) error
}

// bounded is a Run whose boundaries can be replaced.
type bounded interface{ bound(data.Boundaries) }

// StartFrom starts a simulation from given fields on a grid (nil means the default grid).
// An incompressible flow loses the part of its velocity that has divergence and, on Fourier
// modes, its mean velocity; staggered grids average velocities to the faces. The run's
// first frame is the resulting initial state. A parameter spin_up has no effect.
func (s *System) StartFrom(grid []int, values map[string]float64, in Initial) (Run, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if grid == nil {
		grid = s.Grid
	}
	if err := s.checkInitial(grid, in); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	own := map[string]float64{}
	for name, v := range values {
		own[name] = v
	}
	if _, ok := own["spin_up"]; ok {
		own["spin_up"] = 1e-9 // replaced below; a spectral run cannot advance by 0
	}
	run, err := s.Start(grid, own, rand.New(rand.NewPCG(0, 0)))
	if err != nil {
		return nil, err
	}
	if in.Boundaries != nil {
		if b, ok := run.(bounded); ok {
			b.bound(in.Boundaries)
		}
	}
	r, ok := run.(restarter)
	if !ok {
		return nil, fmt.Errorf("%s cannot start from given fields", s.Name)
	}
	if err := r.restart(in.Frame, in.Constants); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return run, nil
}

// checkInitial checks lengths, values and boundaries.
func (s *System) checkInitial(grid []int, in Initial) error {
	w := data.Window{Fields: s.Fields, Grid: grid, Boundaries: s.Boundaries, Frames: [][]float32{in.Frame}, Constants: in.Constants}
	if in.Constants == nil {
		w.Fields = slices.DeleteFunc(slices.Clone(s.Fields), func(f data.Field) bool { return f.Constant })
	}
	if in.Boundaries != nil {
		w.Boundaries = in.Boundaries
		if !s.TakesBoundaries() && !slices.Equal(in.Boundaries, s.Boundaries) {
			return fmt.Errorf("boundaries: expected %v, the only ones that its solver knows, got %v", s.Boundaries, in.Boundaries)
		}
	}
	return w.Validate()
}

// channel returns one channel of a frame as float64.
func channel(frame []float32, i, points int) []float64 {
	out := make([]float64, points)
	for p, v := range frame[i*points : (i+1)*points] {
		out[p] = float64(v)
	}
	return out
}

func (r spectralRun) restart(frame, _ []float32) error {
	for i, hat := range r.hat {
		r.box.forward(hat, channel(frame, i, r.box.points))
	}
	return nil
}

// restart reads the tracer and the velocity.
func (r *flowRun) restart(frame, _ []float32) error {
	if r.tensors {
		return r.restartFlow(frame, 1)
	}
	r.box.forward(r.hat[1], channel(frame, 0, r.box.points))
	return r.restartFlow(frame, 2)
}

// restartFlow sets the vorticity to ∂v/∂x − ∂u/∂y of the velocity in channels first and
// first+1.
func (r *flowRun) restartFlow(frame []float32, first int) error {
	b := r.box
	r.mean = [2]float64{}
	u := b.forward(nil, channel(frame, first, b.points))
	v := b.forward(nil, channel(frame, first+1, b.points))
	for i := range r.hat[0] {
		r.hat[0][i] = complex(0, b.k[0][i])*v[i] - complex(0, b.k[1][i])*u[i]
	}
	return nil
}

func (s *finiteVolume) bound(b data.Boundaries) { s.boundaries = b }

// fill sets every cell to the primitive variables that read returns.
func (s *finiteVolume) fill(read func(w []float64, p int)) error {
	w := make([]float64, s.law.vars())
	for p := range s.points {
		read(w, p)
		if err := s.law.legal(w); err != nil {
			return fmt.Errorf("point %d: %w", p, err)
		}
		s.set(p, w)
	}
	return nil
}

func (r waterRun) restart(frame, _ []float32) error {
	return r.fill(func(w []float64, p int) {
		for v := range w {
			w[v] = float64(frame[v*r.points+p])
		}
	})
}

// restart reads density, pressure and momentum, which determine the energy.
func (r gasRun) restart(frame, _ []float32) error {
	at := func(i, p int) float64 { return float64(frame[i*r.points+p]) }
	return r.fill(func(w []float64, p int) {
		w[0], w[r.gas.dims+1] = at(1, p), at(2, p)
		for a := range r.gas.dims {
			w[1+a] = at(3+a, p) / w[0]
		}
	})
}

func (s *sound) bound(b data.Boundaries) { s.boundaries = b }

// restart averages the velocities to the faces and computes the speed of sound from the
// density.
func (s *sound) restart(frame, constants []float32) error {
	points := s.n[0] * s.n[1]
	if constants != nil {
		copy(s.density, channel(constants, 0, points))
		for p, rho := range s.density {
			if !(rho > 0) {
				return fmt.Errorf("density at point %d: expected a positive one, got %v", p, rho)
			}
		}
	}
	s.state[0] = channel(frame, 0, points)
	s.toFaces(channel(frame, 1, points), channel(frame, 2, points))
	return nil
}

// toFaces sets the velocities on the faces to the means of the adjacent cells.
func (s *sound) toFaces(u, v []float64) {
	nx, ny := s.n[0], s.n[1]
	for i := range nx + 1 {
		for j := range ny {
			s.state[1][i*ny+j] = (u[s.cell((i+nx-1)%nx, j)] + u[s.cell(i%nx, j)]) / 2
		}
	}
	for i := range nx {
		for j := range ny + 1 {
			s.state[2][i*(ny+1)+j] = (v[s.cell(i, (j+ny-1)%ny)] + v[s.cell(i, j%ny)]) / 2
		}
	}
	s.closeEnds(&s.state)
}

// restart averages the velocities to the faces and removes their divergence.
func (s *convection) restart(frame, _ []float32) error {
	points := s.nx * s.ny
	s.q[0] = channel(frame, 0, points)
	u, v := channel(frame, 2, points), channel(frame, 3, points)
	for i := range s.nx {
		for j := range s.ny {
			p := s.at(i, j)
			s.rate[1][p] = (u[s.at(i-1, j)] + u[p]) / 2
			s.rate[2][p] = 0 // the floor
			if j > 0 {
				s.rate[2][p] = (v[s.at(i, j-1)] + v[p]) / 2
			}
		}
	}
	s.project()
	copy(s.q[1], s.rate[1])
	copy(s.q[2], s.rate[2])
	return lost(s.q[:]...)
}

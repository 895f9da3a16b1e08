package solve

import (
	"math"
	"math/cmplx"
)

// etd solves û' = L·û + N(û) mode by mode: the linear part exactly, the nonlinear part to
// fourth order (ETDRK4 of Cox and Matthews, J. Comput. Phys. 176, 2002, with the
// coefficients of Kassam and Trefethen, SIAM J. Sci. Comput. 26, 2005).
type etd struct {
	box *periodic
	hat [][]complex128
	// linear holds L of each field; nonlinear computes N and may be nil.
	linear    [][]complex128
	nonlinear func(dst, hat [][]complex128)
	// step returns the largest stable time step for the current state.
	step func() float64

	h      float64 // time step of coeffs
	coeffs []etdCoefficients
	stages [7][][]complex128
}

// etdCoefficients holds the coefficients of one field.
type etdCoefficients struct{ e, e2, q, f1, f2, f3 []complex128 }

// newCoefficients computes the coefficients as means over a circle around each h·L, which
// avoids the cancellation in their formulas.
func newCoefficients(linear []complex128, h float64) etdCoefficients {
	n := len(linear)
	c := etdCoefficients{make([]complex128, n), make([]complex128, n), make([]complex128, n), make([]complex128, n), make([]complex128, n), make([]complex128, n)}
	const m = 32
	known := map[complex128]int{} // many modes share a value of L
	for i, l := range linear {
		if j, ok := known[l]; ok {
			c.e[i], c.e2[i], c.q[i], c.f1[i], c.f2[i], c.f3[i] = c.e[j], c.e2[j], c.q[j], c.f1[j], c.f2[j], c.f3[j]
			continue
		}
		known[l] = i
		z0 := complex(h, 0) * l
		c.e[i], c.e2[i] = cmplx.Exp(z0), cmplx.Exp(z0/2)
		for j := range m {
			z := z0 + cmplx.Rect(1, 2*math.Pi*(float64(j)+0.5)/m)
			e, e2, z3 := cmplx.Exp(z), cmplx.Exp(z/2), z*z*z
			c.q[i] += (e2 - 1) / z
			c.f1[i] += (-4 - z + e*(4-3*z+z*z)) / z3
			c.f2[i] += (2 + z + e*(-2+z)) / z3
			c.f3[i] += (-4 - 3*z - z*z + e*(4-z)) / z3
		}
		scale := complex(h/m, 0)
		c.q[i], c.f1[i], c.f2[i], c.f3[i] = scale*c.q[i], scale*c.f1[i], scale*c.f2[i], scale*c.f3[i]
	}
	return c
}

// prepare computes the coefficients for time step h.
func (s *etd) prepare(h float64) {
	if s.coeffs != nil && s.h == h {
		return
	}
	s.h, s.coeffs = h, nil
	for i, l := range s.linear {
		if i > 0 && &l[0] == &s.linear[i-1][0] {
			s.coeffs = append(s.coeffs, s.coeffs[i-1])
		} else {
			s.coeffs = append(s.coeffs, newCoefficients(l, h))
		}
	}
}

// advance advances the solution by a time in equal, stable steps.
func (s *etd) advance(time float64) error {
	n := 1
	if s.nonlinear != nil {
		steps := math.Ceil(time/s.step() - 1e-9)
		if err := tooMany(steps); err != nil {
			return err
		}
		n = int(steps)
		// The number of steps is a power of two, so that few sets of coefficients are
		// needed.
		n = 1 << int(math.Ceil(math.Log2(float64(max(n, 1)))))
	}
	s.prepare(time / float64(n))
	for range n {
		if s.nonlinear == nil {
			for f, hat := range s.hat {
				for i := range hat {
					hat[i] *= s.coeffs[f].e[i]
				}
			}
			continue
		}
		s.once()
	}
	for _, hat := range s.hat {
		if err := lost([]float64{real(hat[0]), cmplx.Abs(hat[len(hat)/3])}); err != nil {
			return err
		}
	}
	return nil
}

// pieces advances the solution by a time in equal parts no longer than longest. The time
// step is chosen again for each part, as the flow may become faster.
func (s *etd) pieces(time, longest float64) error {
	n := max(1, math.Ceil(time/longest-1e-9))
	if err := tooMany(n); err != nil {
		return err
	}
	for range int(n) {
		if err := s.advance(time / n); err != nil {
			return err
		}
	}
	return nil
}

// once takes one time step.
func (s *etd) once() {
	if s.stages[0] == nil {
		for k := range s.stages {
			for range s.hat {
				s.stages[k] = append(s.stages[k], make([]complex128, s.box.points))
			}
		}
	}
	nu, a, na, b, nb, c, nc := s.stages[0], s.stages[1], s.stages[2], s.stages[3], s.stages[4], s.stages[5], s.stages[6]
	s.nonlinear(nu, s.hat)
	s.combine(a, s.hat, nu, nil)
	s.nonlinear(na, a)
	s.combine(b, s.hat, na, nil)
	s.nonlinear(nb, b)
	s.combine(c, a, nb, nu)
	s.nonlinear(nc, c)
	for f, hat := range s.hat {
		k, nu, na, nb, nc := s.coeffs[f], nu[f], na[f], nb[f], nc[f]
		for i, v := range hat {
			hat[i] = k.e[i]*v + k.f1[i]*nu[i] + 2*k.f2[i]*(na[i]+nb[i]) + k.f3[i]*nc[i]
		}
	}
}

// combine sets dst to e2·base + q·n, or to e2·base + q·(2n − before).
func (s *etd) combine(dst, base, n, before [][]complex128) {
	for f, out := range dst {
		k, base, n := s.coeffs[f], base[f], n[f]
		for i, v := range n {
			if before != nil {
				v = 2*v - before[f][i]
			}
			out[i] = k.e2[i]*base[i] + k.q[i]*v
		}
	}
}

// laplace returns −d·k², the symbol of d·∇².
func (b *periodic) laplace(d float64) []complex128 {
	out := make([]complex128, b.points)
	for i, k := range b.k2 {
		out[i] = complex(-d*k, 0)
	}
	return out
}

// spectralRun is a Run whose frames hold the fields that etd solves for.
type spectralRun struct{ *etd }

func (r spectralRun) Advance(time float64) error { return r.advance(time) }

func (r spectralRun) Frame(dst []float32) {
	for _, hat := range r.hat {
		dst = narrow(dst, r.box.inverse(nil, hat))
	}
}

func (r spectralRun) Constants([]float32) {}

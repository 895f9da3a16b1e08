package solve

import (
	"math"
	"math/cmplx"
)

// fft computes the discrete Fourier transform of n complex numbers for many lines at once
// (Stockham's autosort algorithm: Cochran et al., Proc. IEEE 55, 1967). Neither direction
// is normalized.
type fft struct {
	n       int
	factors []int
	// forward holds e^(−2πij/n), back the conjugates.
	forward, back []complex128
	terms         []complex128
}

func newFFT(n int) *fft {
	f := &fft{n: n, terms: make([]complex128, n)}
	for rest := n; rest > 1; {
		r := 4
		for ; rest%r != 0; r = next(r) {
		}
		f.factors = append(f.factors, r)
		rest /= r
	}
	for j := range n {
		w := cmplx.Rect(1, -2*math.Pi*float64(j)/float64(n))
		f.forward, f.back = append(f.forward, w), append(f.back, cmplx.Conj(w))
	}
	return f
}

// next returns the radix to try after r: 4, 2, 3, 5, 7, ….
func next(r int) int {
	switch r {
	case 4:
		return 2
	case 2:
		return 3
	}
	return r + 2
}

// lines transforms the lines x[i], x[i+stride], x[i+2·stride], … for all i below stride.
// work is a buffer of the length of x.
func (f *fft) lines(x, work []complex128, stride int, back bool) {
	roots, sign := f.forward, -1.0
	if back {
		roots, sign = f.back, 1
	}
	from, to, n, s := x, work, f.n, stride
	for _, r := range f.factors {
		step := f.n / n
		switch r {
		case 2:
			pass2(to, from, roots, n/2, s, step)
		case 3:
			pass3(to, from, roots, n/3, s, step, sign)
		case 4:
			pass4(to, from, roots, n/4, s, step, sign)
		default:
			f.pass(to, from, roots, r, n/r, s, step)
		}
		from, to, n, s = to, from, n/r, s*r
	}
	if len(f.factors)%2 == 1 {
		copy(x, from)
	}
}

// pass2 is the pass of radix 2 over pairs of m·s numbers.
func pass2(to, from, roots []complex128, m, s, step int) {
	for p := range m {
		a, b := from[s*p:][:s], from[s*(p+m):][:s]
		x, y := to[s*2*p:][:s], to[s*(2*p+1):][:s]
		w := roots[p*step]
		for q, v := range a {
			u := b[q]
			x[q], y[q] = v+u, w*(v-u)
		}
	}
}

func pass3(to, from, roots []complex128, m, s, step int, sign float64) {
	sin := sign * math.Sqrt(3) / 2
	for p := range m {
		a, b, c := from[s*p:][:s], from[s*(p+m):][:s], from[s*(p+2*m):][:s]
		x, y, z := to[s*3*p:][:s], to[s*(3*p+1):][:s], to[s*(3*p+2):][:s]
		w1, w2 := roots[p*step], roots[2*p*step]
		for q, v := range a {
			sum, t := b[q]+c[q], b[q]-c[q]
			middle := complex(real(v)-real(sum)/2, imag(v)-imag(sum)/2)
			turned := complex(-sin*imag(t), sin*real(t))
			x[q], y[q], z[q] = v+sum, w1*(middle+turned), w2*(middle-turned)
		}
	}
}

func pass4(to, from, roots []complex128, m, s, step int, sign float64) {
	for p := range m {
		a, b, c, d := from[s*p:][:s], from[s*(p+m):][:s], from[s*(p+2*m):][:s], from[s*(p+3*m):][:s]
		x, y, z, u := to[s*4*p:][:s], to[s*(4*p+1):][:s], to[s*(4*p+2):][:s], to[s*(4*p+3):][:s]
		w1, w2, w3 := roots[p*step], roots[2*p*step], roots[3*p*step]
		for q, v := range a {
			even, odd := v+c[q], b[q]+d[q]
			less, t := v-c[q], b[q]-d[q]
			turned := complex(-sign*imag(t), sign*real(t))
			x[q], y[q], z[q], u[q] = even+odd, w1*(less+turned), w2*(even-odd), w3*(less-turned)
		}
	}
}

// pass is the pass of any radix r, computed as a plain sum.
func (f *fft) pass(to, from, roots []complex128, r, m, s, step int) {
	terms := f.terms[:r]
	for p := range m {
		for q := range s {
			for k := range terms {
				terms[k] = from[s*(p+k*m)+q]
			}
			for j := range r {
				sum := terms[0]
				for k := 1; k < r; k++ {
					sum += terms[k] * roots[j*k%r*(f.n/r)]
				}
				to[s*(r*p+j)+q] = sum * roots[j*p*step]
			}
		}
	}
}

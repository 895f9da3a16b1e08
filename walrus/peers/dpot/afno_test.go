package dpot

import (
	"fmt"
	"math"
	"math/cmplx"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// spectrumOf returns the discrete Fourier transform of a field over all axes, by its
// definition. inverse changes the sign of the exponent. Both are orthonormal.
func spectrumOf(field []complex128, dims []int, inverse bool) []complex128 {
	sign := -1.0
	if inverse {
		sign = 1
	}
	out := make([]complex128, 0, len(field))
	each(dims, func(k []int) {
		var sum complex128
		i := 0
		each(dims, func(n []int) {
			phase := 0.0
			for a := range dims {
				phase += float64(k[a]*n[a]) / float64(dims[a])
			}
			sum += field[i] * cmplx.Exp(complex(0, sign*2*math.Pi*phase))
			i++
		})
		out = append(out, sum/complex(math.Sqrt(float64(len(field))), 0))
	})
	return out
}

// naiveAFNO computes an AFNO on one sample x [n…, E], frequency by frequency. The
// half spectrum of the result is completed as the inverse real transform does: column k of
// the last axis counts for −k too, and the imaginary parts of columns 0 and n/2, after the
// transform of the other axes, are dropped.
func naiveAFNO(a AFNO, x []float32, dims []int, w1, b1, w2, b2 []float32) []float64 {
	e, k := a.Channels, a.Channels/a.Blocks
	points, last := product(dims), len(dims)-1
	result := make([][]complex128, points) // by frequency; nil for a frequency that is not kept
	spectra := make([][]complex128, e)
	for c := range e {
		field := make([]complex128, points)
		for p := range points {
			field[p] = complex(float64(x[p*e+c]), 0)
		}
		spectra[c] = spectrumOf(field, dims, false)
	}
	layer := func(z []complex128, w, b []float32, act bool) []complex128 {
		out := make([]complex128, e)
		for o := range e {
			n, j := o/k, o%k
			sum := complex(float64(b[n*k+j]), float64(b[e+n*k+j]))
			for i := range k {
				at := (n*k+i)*k + j
				sum += z[n*k+i] * complex(float64(w[at]), float64(w[e*k+at]))
			}
			if act {
				sum = complex(gelu(real(sum)), gelu(imag(sum)))
			}
			out[o] = sum
		}
		return out
	}
	p := 0
	each(dims, func(at []int) {
		kept := at[last] <= dims[last]/2
		for axis, n := range at {
			kept = kept && n < a.Modes[axis]
		}
		if kept {
			z := make([]complex128, e)
			for c := range e {
				z[c] = spectra[c][p]
			}
			result[p] = layer(layer(z, w1, b1, true), w2, b2, false)
		}
		p++
	})
	out := make([]float64, points*e)
	for c := range e {
		half := make([]complex128, points)
		for p, z := range result {
			if z != nil {
				half[p] = z[c]
			}
		}
		for p, v := range restoreReal(half, dims) {
			out[p*e+c] = v + float64(x[p*e+c])
		}
	}
	return out
}

func gelu(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }

// restoreReal transforms all axes but the last as complex numbers, and then the last one
// as the half spectrum of real values.
func restoreReal(half []complex128, dims []int) []float64 {
	n := dims[len(dims)-1]
	rows := len(half) / n
	columns := make([]complex128, len(half))
	for k := range n {
		column := make([]complex128, rows)
		for r := range rows {
			column[r] = half[r*n+k]
		}
		for r, v := range spectrumOf(column, dims[:len(dims)-1], true) {
			columns[r*n+k] = v
		}
	}
	out := make([]float64, len(half))
	for r := range rows {
		for i := range n {
			for k := 0; k <= n/2; k++ {
				v := columns[r*n+k] * cmplx.Exp(complex(0, 2*math.Pi*float64(k*i)/float64(n)))
				if k == 0 || 2*k == n {
					v = complex(real(columns[r*n+k])*real(cmplx.Exp(complex(0, 2*math.Pi*float64(k*i)/float64(n)))), 0)
				} else {
					v *= 2
				}
				out[r*n+i] += real(v) / math.Sqrt(float64(n))
			}
		}
	}
	return out
}

// TestAFNO: even and odd axes, axes of one token, and fewer modes than tokens.
func TestAFNO(t *testing.T) {
	type job struct {
		dims, modes []int
	}
	jobs := []job{{[]int{4, 6}, []int{9, 9}}, {[]int{5, 3}, []int{9, 9}}, {[]int{1, 4}, []int{9, 9}}, {[]int{3, 1}, []int{9, 9}},
		{[]int{6, 7}, []int{2, 3}}, {[]int{4, 4}, []int{1, 1}}, {[]int{3, 4, 2}, []int{9, 9, 9}}, {[]int{4, 3, 5}, []int{2, 2, 2}}, {[]int{1, 1, 1}, []int{9, 9, 9}}}
	in := feeds{}
	for _, name := range []string{"w1", "w2"} {
		in[name] = testbackend.Normal(name, 2, 2, 3, 3)
	}
	for _, name := range []string{"b1", "b2"} {
		in[name] = testbackend.Normal(name, 2, 2, 3)
	}
	const batch, channels = 2, 6
	for i, j := range jobs {
		in[fmt.Sprint("x", i)] = testbackend.Normal(fmt.Sprint("x", i), append(append([]int{batch}, j.dims...), channels)...)
	}
	got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		for i, j := range jobs {
			a := AFNO{Channels: channels, Blocks: 2, Modes: j.modes}
			out.Add(fmt.Sprint("x", i), a.Apply(in[fmt.Sprint("x", i)], AFNOWeights{in["w1"], in["b1"], in["w2"], in["b2"]}))
		}
	})
	for i, j := range jobs {
		name := fmt.Sprint("x", i)
		size := product(j.dims) * channels
		x := values(name, batch*size)
		var want []float32
		for b := range batch {
			y := naiveAFNO(AFNO{Channels: channels, Blocks: 2, Modes: j.modes}, x[b*size:(b+1)*size], j.dims,
				values("w1", 36), values("b1", 12), values("w2", 36), values("b2", 12))
			for _, v := range y {
				want = append(want, float32(v))
			}
		}
		golden.CompareL2(t, fmt.Sprintf("%v modes %v", j.dims, j.modes), got[name], want, 1e-6)
	}
}

// TestFourierIsOrthonormal: with all frequencies, the inverse transform restores the field.
func TestFourierIsOrthonormal(t *testing.T) {
	x := testbackend.Normal("x", 2, 4, 5, 6, 3)
	got := testbackend.Run(t, func(in []*Node) []*Node {
		f := AFNO{Modes: []int{9, 9, 9}}.transform(in[0])
		return []*Node{f.Inverse(f.Forward(in[0]))}
	}, x)
	golden.CompareL2(t, "restored", got[0], values("x", 2*4*5*6*3), 1e-6)
}

func TestAFNORefuses(t *testing.T) {
	a := AFNO{Channels: 4, Blocks: 2, Modes: []int{2, 2}}
	_, err := CallOnceN(testbackend.New(t), func(in []*Node) []*Node { return []*Node{a.Apply(in[0], AFNOWeights{})} }, testbackend.Normal("x", 2, 3, 4))
	require.ErrorContains(t, err, "AFNO x [B, n…, E]: got shape [2 3 4]")
}

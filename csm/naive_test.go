package csm_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// array is a row-major tensor for the plain loops below, which compute docs/reference.md §5
// and §6 sum by sum in float64.
type array struct {
	dims []int
	v    []float64
}

func zeros(dims ...int) array {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return array{dims, make([]float64, n)}
}

func noise(rng *rand.Rand, scale float64, dims ...int) array {
	a := zeros(dims...)
	for i := range a.v {
		a.v[i] = scale * rng.NormFloat64()
	}
	return a
}

func (a array) at(i ...int) *float64 {
	at := 0
	for k, d := range a.dims {
		at = at*d + i[k]
	}
	return &a.v[at]
}

func (a array) tensor() *tensors.Tensor { return testbackend.Tensor(a.v, a.dims...) }

// places calls f for every point of a grid.
func places(dims []int, f func(p [3]int)) {
	for i := range dims[0] {
		for j := range dims[1] {
			for k := range dims[2] {
				f([3]int{i, j, k})
			}
		}
	}
}

// collapse sums or averages a kernel over the axes on which x has one point.
func collapse(w array, x array, average bool) array {
	dims := slices.Clone(w.dims)
	for a := range 3 {
		if x.dims[1+a] == 1 {
			dims[2+a] = 1
		}
	}
	out := zeros(dims...)
	for o := range w.dims[0] {
		for i := range w.dims[1] {
			places(w.dims[2:], func(p [3]int) {
				q, v := p, *w.at(o, i, p[0], p[1], p[2])
				for a := range q {
					if dims[2+a] == 1 && w.dims[2+a] > 1 {
						q[a] = 0
						if average {
							v /= float64(w.dims[2+a])
						}
					}
				}
				*out.at(o, i, q[0], q[1], q[2]) += v
			})
		}
	}
	return out
}

// conv returns the convolution of x [F, H, W, D, Cin] with w [Cout, Cin, k, k, k].
func conv(x, w array, stride [3]int) array {
	w = collapse(w, x, false)
	dims := []int{x.dims[0], 0, 0, 0, w.dims[0]}
	for a := range 3 {
		dims[1+a] = (x.dims[1+a]-w.dims[2+a])/stride[a] + 1
	}
	y := zeros(dims...)
	for f := range dims[0] {
		places(dims[1:4], func(p [3]int) {
			for o := range dims[4] {
				sum := y.at(f, p[0], p[1], p[2], o)
				for i := range w.dims[1] {
					places(w.dims[2:], func(k [3]int) {
						*sum += *w.at(o, i, k[0], k[1], k[2]) *
							*x.at(f, p[0]*stride[0]+k[0], p[1]*stride[1]+k[1], p[2]*stride[2]+k[2], i)
					})
				}
			}
		})
	}
	return y
}

// convT returns the transposed convolution of x [F, h, w, d, Cin] with w [Cin, Cout, k, k,
// k]. It extends a periodic axis by as many tokens as the kernel is long, more than enough,
// and crops the result.
func convT(x, w array, stride [3]int, periodic [3]bool) array {
	w = collapse(w, x, true)
	var wrap [3]int
	dims, cut := []int{x.dims[0], 0, 0, 0, w.dims[1]}, []int{x.dims[0], 0, 0, 0, w.dims[1]}
	for a := range 3 {
		if periodic[a] {
			wrap[a] = w.dims[2+a]
		}
		cut[1+a] = (x.dims[1+a]-1)*stride[a] + w.dims[2+a]
		dims[1+a] = cut[1+a] + 2*wrap[a]*stride[a]
	}
	y := zeros(dims...)
	for f := range dims[0] {
		places([]int{x.dims[1] + 2*wrap[0], x.dims[2] + 2*wrap[1], x.dims[3] + 2*wrap[2]}, func(p [3]int) {
			q := p
			for a := range q {
				n := x.dims[1+a]
				q[a] = (p[a] - wrap[a] + 100*n) % n
			}
			for i := range w.dims[0] {
				v := *x.at(f, q[0], q[1], q[2], i)
				for o := range w.dims[1] {
					places(w.dims[2:], func(k [3]int) {
						*y.at(f, p[0]*stride[0]+k[0], p[1]*stride[1]+k[1], p[2]*stride[2]+k[2], o) += v * *w.at(i, o, k[0], k[1], k[2])
					})
				}
			}
		})
	}
	out := zeros(cut...)
	for f := range cut[0] {
		places(cut[1:4], func(p [3]int) {
			for o := range cut[4] {
				*out.at(f, p[0], p[1], p[2], o) = *y.at(f, p[0]+wrap[0]*stride[0], p[1]+wrap[1]*stride[1], p[2]+wrap[2]*stride[2], o)
			}
		})
	}
	return out
}

// normSiLU returns SiLU(RMSGroupNorm(y)), computed for each channel of each frame
// separately.
func normSiLU(y, weight array) array {
	const eps = 1.1920928955078125e-07 // of float32, for all types
	out := zeros(y.dims...)
	for f := range y.dims[0] {
		for c := range y.dims[4] {
			sum, n := 0.0, 0
			places(y.dims[1:4], func(p [3]int) { sum += math.Pow(*y.at(f, p[0], p[1], p[2], c), 2); n++ })
			scale := weight.v[c] / math.Sqrt(sum/float64(n)+eps)
			places(y.dims[1:4], func(p [3]int) {
				v := *y.at(f, p[0], p[1], p[2], c) * scale
				*out.at(f, p[0], p[1], p[2], c) = v / (1 + math.Exp(-v))
			})
		}
	}
	return out
}

// pick returns the entries ids along an axis (0 or 1), each multiplied by its factor.
func pick(w array, axis int, ids []int32, factor func(i int) float64) array {
	dims := slices.Clone(w.dims)
	dims[axis] = len(ids)
	out := zeros(dims...)
	inner := 1
	for _, d := range w.dims[axis+1:] {
		inner *= d
	}
	for at := range out.v {
		outer, i, rest := at/inner/len(ids), at/inner%len(ids), at%inner
		out.v[at] = factor(i) * w.v[(outer*w.dims[axis]+int(ids[i]))*inner+rest]
	}
	return out
}

// params holds the weights of an encoder and a decoder by their keys.
type params map[string]array

func (p params) encode(x array, ids []int32, scale float64, plan *csm.Plan) array {
	states, n := float64(p["embed.proj1.weight"].dims[1]), len(ids)
	w1 := pick(p["embed.proj1.weight"], 1, ids, func(i int) float64 {
		f := 1.0
		if i < n-2 {
			f = math.Sqrt((states - 3) / float64(n-3))
		}
		if i < n-3 {
			f *= scale
		}
		return f
	})
	s1, s2, _ := axes(plan)
	y := normSiLU(conv(x, w1, s1), p["embed.norm1.weight"])
	return normSiLU(conv(y, p["embed.proj2.weight"], s2), p["embed.norm2.weight"])
}

func (p params) decode(tokens array, ids []int32, plan *csm.Plan) array {
	one := func(int) float64 { return 1 }
	s1, s2, periodic := axes(plan)
	y := normSiLU(convT(tokens, p["debed.proj1.weight"], s2, periodic), p["debed.norm1.weight"])
	y = convT(y, pick(p["debed.proj2.weight"], 1, ids, one), s1, periodic)
	for i := range y.v {
		y.v[i] += p["debed.proj2.bias"].v[ids[i%len(ids)]]
	}
	return y
}

func axes(plan *csm.Plan) (s1, s2 [3]int, periodic [3]bool) {
	for i, a := range plan.Axes {
		s1[i], s2[i], periodic[i] = a.Stride[0], a.Stride[1], a.PeriodicTokens
	}
	return s1, s2, periodic
}

// near compares with a tolerance relative to the largest magnitude.
func near(t *testing.T, want, got []float64, tol float64, what string) {
	t.Helper()
	require.Len(t, got, len(want), what)
	scale := 0.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	require.Positive(t, scale, what)
	for i, v := range want {
		require.InDelta(t, v, got[i], tol*scale, "%s at %d", what, i)
	}
}

package main

import (
	"math"
	"slices"
)

// reactor takes the place of your program's source of data: a simulation, a sensor, a
// file. Here two chemicals react and diffuse in a periodic square (Gray–Scott):
//
//	∂A/∂t = 2e-5 ∇²A − A·B² + F·(1 − A)    ∂B/∂t = 1e-5 ∇²B + A·B² − (F + k)·B
type reactor struct {
	n    int
	a, b []float64
}

const feed, kill, diffA, diffB = 0.03, 0.057, 2e-5, 1e-5
const interval = 30 // between two frames, in time steps of length 1

// newReactor fills a square of n×n points with A and puts a few spots of B into it.
func newReactor(n int) *reactor {
	r := &reactor{n: n, a: make([]float64, n*n), b: make([]float64, n*n)}
	spots := [][2]float64{{0.2, 0.3}, {0.7, 0.25}, {0.45, 0.6}, {0.15, 0.8}, {0.8, 0.75}}
	for i := range r.a {
		x, y := (float64(i/n)+0.5)/float64(n), (float64(i%n)+0.5)/float64(n)
		r.a[i] = 1
		for _, s := range spots {
			w := math.Exp(-((x-s[0])*(x-s[0]) + (y-s[1])*(y-s[1])) / 0.002)
			r.a[i] -= 0.5 * w
			r.b[i] += 0.35 * w
		}
	}
	return r
}

// next advances by one interval and returns the frame: A, then B.
func (r *reactor) next() []float32 {
	for range interval {
		r.step()
	}
	frame := make([]float32, 0, 2*len(r.a))
	for _, v := range slices.Concat(r.a, r.b) {
		frame = append(frame, float32(v))
	}
	return frame
}

// step makes one step of Euler's method.
func (r *reactor) step() {
	n, h2 := r.n, 1/float64(r.n*r.n)
	a, b := make([]float64, len(r.a)), make([]float64, len(r.b))
	for i := range r.a {
		x, y := i/n, i%n
		around := [4]int{(x+1)%n*n + y, (x+n-1)%n*n + y, x*n + (y+1)%n, x*n + (y+n-1)%n}
		la, lb := -4*r.a[i], -4*r.b[i]
		for _, j := range around {
			la, lb = la+r.a[j], lb+r.b[j]
		}
		reaction := r.a[i] * r.b[i] * r.b[i]
		a[i] = r.a[i] + diffA*la/h2 - reaction + feed*(1-r.a[i])
		b[i] = r.b[i] + diffB*lb/h2 + reaction - (feed+kill)*r.b[i]
	}
	r.a, r.b = a, b
}

package jitter_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/stretchr/testify/require"
)

// block is one channel of one frame, [H, W, D] in row-major order. The functions below
// perform the steps of docs/reference.md §4 one by one in plain loops, independently of the
// package's gathers.
type block struct {
	dims [3]int
	v    []float32
}

func newBlock(dims [3]int, fill float32) block {
	b := block{dims, make([]float32, dims[0]*dims[1]*dims[2])}
	for i := range b.v {
		b.v[i] = fill
	}
	return b
}

func (b block) at(p [3]int) *float32 { return &b.v[(p[0]*b.dims[1]+p[1])*b.dims[2]+p[2]] }

// each calls f for every point.
func (b block) each(f func(p [3]int)) {
	for i := range b.dims[0] {
		for j := range b.dims[1] {
			for k := range b.dims[2] {
				f([3]int{i, j, k})
			}
		}
	}
}

// relabel returns a block of n points along an axis. Point p is a copy of point from(p) of
// b, or 0 if from(p) is negative.
func (b block) relabel(axis, n int, from func(p int) int) block {
	dims := b.dims
	dims[axis] = n
	out := newBlock(dims, 0)
	out.each(func(p [3]int) {
		q := p
		if q[axis] = from(p[axis]); q[axis] >= 0 {
			*out.at(p) = *b.at(q)
		}
	})
	return out
}

func (b block) padZeros(axis, low, high int) block {
	n := b.dims[axis]
	return b.relabel(axis, low+n+high, func(p int) int {
		if p < low || p >= low+n {
			return -1
		}
		return p - low
	})
}

func (b block) padCircular(axis, low, high int) block {
	n := b.dims[axis]
	return b.relabel(axis, low+n+high, func(p int) int { return ((p-low)%n + n) % n })
}

// roll moves point i to i+s, like torch.roll.
func (b block) roll(axis, s int) block {
	n := b.dims[axis]
	return b.relabel(axis, n, func(p int) int { return ((p-s)%n + n) % n })
}

func (b block) crop(axis, low, n int) block {
	return b.relabel(axis, n, func(p int) int { return p + low })
}

// naivePads pads the axes whose Wrap equals wrap.
func naivePads(b block, plan *csm.Plan, wrap bool) block {
	for i, a := range plan.Axes {
		switch {
		case a.Length == 1 || a.Wrap != wrap:
		case wrap:
			b = b.padCircular(i, a.PadLow, a.PadHigh)
		default:
			b = b.padZeros(i, a.PadLow, a.PadHigh)
		}
	}
	return b
}

// naiveFlags returns bias correction, closed and open on a grid whose axes, except periodic
// ones, are padded (docs/reference.md §4, step 2).
func naiveFlags(plan *csm.Plan, dims [3]int) [3]block {
	f := [3]block{newBlock(dims, 1), newBlock(dims, 0), newBlock(dims, 0)}
	side := map[data.BC]int{data.Wall: 1, data.Open: 2}
	for i, a := range plan.Axes {
		if a.Length == 1 || a.Wrap {
			continue
		}
		lowEnd, highBegin := a.PadLow, a.Padded-a.PadHigh
		if a.PadLow == 0 && a.PadHigh == 0 {
			highBegin = 0 // Python: x[-0:] is all of x
		}
		f[0].each(func(p [3]int) {
			if p[i] < lowEnd {
				*f[side[a.Boundary.Low]].at(p)++
				*f[0].at(p) = 0
			}
			if p[i] >= highBegin {
				*f[side[a.Boundary.High]].at(p)++
				*f[0].at(p) = 0
			}
		})
	}
	return f
}

// naiveApply is Apply for the channels of one frame.
func naiveApply(j jitter.Jitterer, fields []block, shift [3]int32) []block {
	var out []block
	for _, b := range fields {
		b = naivePads(b, j.Plan, false)
		if j.Mode == jitter.Padded {
			b = naivePads(b, j.Plan, true)
		}
		out = append(out, b)
	}
	flags := naiveFlags(j.Plan, out[0].dims)
	out = append(out, flags[:]...)
	for c, b := range out {
		for i, s := range shift {
			b = b.roll(i, int(s))
		}
		if j.Mode != jitter.Padded {
			b = naivePads(b, j.Plan, true)
		}
		out[c] = b
	}
	return out
}

// naiveInvert is Invert for one channel of one frame.
func naiveInvert(j jitter.Jitterer, b block, shift [3]int32) block {
	crop := func(wrap bool) {
		for i, a := range j.Plan.Axes {
			if a.Length > 1 && a.Wrap == wrap {
				b = b.crop(i, a.PadLow, a.Length)
			}
		}
	}
	if j.Mode != jitter.Padded {
		crop(true)
	}
	for i, s := range shift {
		b = b.roll(i, -int(s))
	}
	if j.Mode == jitter.Padded {
		crop(true)
	}
	crop(false)
	return b
}

// naiveSpread applies the transpose of naiveInvert as a matrix: values return to the padded
// points from which naiveInvert copies them, and all other points get 0.
func naiveSpread(j jitter.Jitterer, b block, shift [3]int32) block {
	pad := func(wrap bool) {
		for i, a := range j.Plan.Axes {
			if a.Length > 1 && a.Wrap == wrap {
				b = b.padZeros(i, a.PadLow, a.PadHigh)
			}
		}
	}
	pad(false)
	if j.Mode == jitter.Padded {
		pad(true)
	}
	for i, s := range shift {
		b = b.roll(i, int(s))
	}
	if j.Mode != jitter.Padded {
		pad(true)
	}
	return b
}

// blocks splits flat values [n, dims] into blocks.
func blocks(flat []float32, dims [3]int) []block {
	points := dims[0] * dims[1] * dims[2]
	var out []block
	for at := 0; at < len(flat); at += points {
		out = append(out, block{dims, flat[at : at+points]})
	}
	return out
}

func flat(bs []block) []float32 {
	var out []float32
	for _, b := range bs {
		out = append(out, b.v...)
	}
	return out
}

func noise(rng *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

// sameValues fails at the first difference and reports its position.
func sameValues(t *testing.T, want, got []float32, format string, args ...any) {
	t.Helper()
	what := fmt.Sprintf(format, args...)
	require.Len(t, got, len(want), what)
	for i, w := range want {
		if got[i] != w {
			require.Failf(t, "values differ", "%s: at %d: expected %v, got %v", what, i, w, got[i])
		}
	}
}

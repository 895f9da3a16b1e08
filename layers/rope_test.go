package layers

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"
)

// ropeTol is the tolerance of rotated values in float32: angles reach 128π, where one step
// of float32 is 3e-5.
const ropeTol = 1e-4

// wide converts float32 values to an array.
func wide(v []float32) array {
	a := newArray(len(v))
	for i, x := range v {
		a.data[i] = float64(x)
	}
	return a
}

func TestRoPETables(t *testing.T) {
	for _, c := range []struct{ k, m int }{{7, 0}, {8, 1}, {12, 1}, {16, 2}, {32, 4}, {64, 8}, {88, 11}} {
		require.Equal(t, c.m, RoPEFrequencies(c.k), "width %d", c.k)
		base := RoPEBase(c.k)
		require.Len(t, base, c.m)
		for j, f := range base {
			want := math.Pi
			if c.m > 1 {
				want = math.Pi * (1 + 127*float64(j)/float64(c.m-1))
			}
			require.InEpsilon(t, want, f, 1e-6, "width %d, frequency %d", c.k, j)
		}
	}
	require.Equal(t, []float32{-1}, RoPEPositions(1))
	require.Equal(t, []float32{-1, 1}, RoPEPositions(2))
	require.Equal(t, []float32{-1, -0.5, 0, 0.5, 1}, RoPEPositions(5))
	for _, n := range []int{16, 17, 32, 33} {
		p := RoPEPositions(n)
		for i := range p {
			require.InDelta(t, -1+2*float64(i)/float64(n-1), p[i], 1e-7)
			require.Equal(t, -p[n-1-i], p[i], "positions of %d tokens are symmetric", n)
		}
	}
}

// naiveAngles computes the angles [S, 3M] of a grid whose tokens were rolled.
func naiveAngles(freqs [3]array, grid, roll [3]int) array {
	m := len(freqs[0].data)
	out := newArray(grid[0]*grid[1]*grid[2], 3*m)
	row := 0
	each(grid[:], func(token []int) {
		for axis := range 3 {
			position := float64(RoPEPositions(grid[axis])[(token[axis]+roll[axis])%grid[axis]])
			for j := range m {
				out.set(position*freqs[axis].at(j), row, axis*m+j)
			}
		}
		row++
	})
	return out
}

// naiveRotate rotates pairs of neighbours on the last axis of x [R, S, K].
func naiveRotate(x, angles array) array {
	out := newArray(x.dims...)
	copy(out.data, x.data)
	for r := range x.dims[0] {
		for s := range x.dims[1] {
			for p := range angles.dims[1] {
				sin, cos := math.Sincos(angles.at(s, p))
				a, b := x.at(r, s, 2*p), x.at(r, s, 2*p+1)
				out.set(a*cos-b*sin, r, s, 2*p)
				out.set(b*cos+a*sin, r, s, 2*p+1)
			}
		}
	}
	return out
}

// ropeRolls returns rolls of a grid; the first is none.
func ropeRolls(grid [3]int) [][3]int {
	return [][3]int{{}, {grid[0] - 1, grid[1] / 2, grid[2] / 2}, {0, grid[1] - 1, grid[2] - 1}}
}

func TestAxialRoPE(t *testing.T) {
	var jobs []job
	for _, k := range []int{8, 12, 16, 17, 88} {
		for g, grid := range [][3]int{{5, 7, 1}, {4, 1, 3}, {1, 6, 4}, {3, 2, 4}, {1, 1, 1}} {
			for i, roll := range ropeRolls(grid) {
				name := fmt.Sprintf("K%d %v roll %v", k, grid, roll)
				freqs := [3]array{wide(RoPEBase(k)), wide(RoPEBase(k)), wide(RoPEBase(k))}
				if (g+i)%2 == 1 { // one set per axis
					rng := seeded(name)
					for a := range freqs {
						freqs[a] = normal(rng, RoPEFrequencies(k))
					}
				}
				angles := naiveAngles(freqs, grid, roll)
				x := normal(seeded(name), 2, angles.dims[0], k)
				in := []array{x, freqs[0], freqs[1], freqs[2], indices(roll[:]...)}
				jobs = append(jobs, job{name: name, in: in, tol32: ropeTol, want: []array{angles, naiveRotate(x, angles)},
					graph: func(in []*Node) []*Node {
						r := in[4]
						if i == 0 {
							r = nil
						}
						a := AxialRoPE{Freqs: [3]*Node{in[1], in[2], in[3]}}.Angles(grid, r)
						return []*Node{a, Rotate(in[0], a)}
					}})
			}
		}
	}
	runSweep(t, jobs...)
}

// TestAxialRoPERolls compares the table with rolling the tokens' angles, in one step and in
// several.
func TestAxialRoPERolls(t *testing.T) {
	grid := [3]int{4, 5, 3}
	freqs := wide(RoPEBase(16))
	table := naiveAngles([3]array{freqs, freqs, freqs}, grid, [3]int{}).reshape(4, 5, 3, 6)
	var jobs []job
	for _, rolls := range [][][3]int{{{1, 0, 0}}, {{3, 4, 2}}, {{3, 4, 2}, {2, 3, 2}, {3, 0, 1}}} {
		total := [3]int{}
		want := table
		for _, r := range rolls {
			for a := range 3 {
				total[a] = (total[a] + r[a]) % grid[a]
				// A token that moves up by r has the angle of the position r further on.
				want = want.rolled(a, (grid[a]-r[a])%grid[a])
			}
		}
		jobs = append(jobs, job{name: fmt.Sprint(rolls), in: []array{freqs, indices(total[:]...)}, tol32: 1e-6,
			graph: func(in []*Node) []*Node {
				return []*Node{AxialRoPE{Freqs: [3]*Node{in[0], in[0], in[0]}}.Angles(grid, in[1])}
			}, want: []array{want.reshape(60, 6)}})
	}
	runJobs(t, jobs...)
}

func TestRotateProperties(t *testing.T) {
	rng := seeded("rotate")
	x, a, b := normal(rng, 2, 3, 5, 20), normal(rng, 5, 6), normal(rng, 5, 6)
	square := newArray(2, 3, 5)
	each(x.dims, func(i []int) { square.add(x.at(i...)*x.at(i...), i[:3]...) })
	runJobs(t,
		job{name: "back and forth", in: []array{x, a}, want: []array{x},
			graph: func(in []*Node) []*Node { return []*Node{Rotate(Rotate(in[0], in[1]), Neg(in[1]))} }},
		job{name: "compose", in: []array{x, a, b}, tol32: 1e-5,
			graph: func(in []*Node) []*Node {
				return []*Node{Rotate(Rotate(in[0], in[1]), in[2]), Rotate(in[0], Add(in[1], in[2]))}
			},
			check: func(t *testing.T, got []array) { requireClose(t, got[0], got[1], 1e-5) }},
		job{name: "lengths stay", in: []array{x, a}, want: []array{square},
			graph: func(in []*Node) []*Node { return []*Node{ReduceSum(Square(Rotate(in[0], in[1])), -1)} }},
		job{name: "by halves", in: []array{x, a},
			graph: func(in []*Node) []*Node {
				angles := Reshape(in[1], 1, 1, 5, 6)
				return []*Node{halves(Rotate(in[0], in[1]), 3, 1, 6), rotateHalves(halves(in[0], 3, 1, 6), angles)}
			},
			check: func(t *testing.T, got []array) { requireClose(t, got[0], got[1], 0) }})
}

func TestHalves(t *testing.T) {
	x := newArray(2, 14, 3) // two heads of width 7 with two pairs on axis 1
	for i := range x.data {
		x.data[i] = float64(i)
	}
	order := []int{0, 2, 1, 3, 4, 5, 6, 7, 9, 8, 10, 11, 12, 13}
	runJobs(t,
		job{name: "middle axis", in: []array{x}, want: []array{x.permuted(1, order)},
			graph: func(in []*Node) []*Node { return []*Node{halves(in[0], 1, 2, 2)} }},
		job{name: "nothing left over", in: []array{x.reshape(6, 14)}, want: []array{x.reshape(6, 14).permuted(0, []int{0, 2, 4, 1, 3, 5})},
			graph: func(in []*Node) []*Node { return []*Node{halves(in[0], 0, 1, 3)} }})
}

func TestAxialRoPEGradients(t *testing.T) {
	rng := seeded("rope gradients")
	grid := [3]int{3, 1, 2}
	rotate := func(in []*Node) *Node {
		r := AxialRoPE{Freqs: [3]*Node{in[1], in[min(2, len(in)-1)], in[len(in)-1]}}
		return Rotate(in[0], r.Angles(grid, Const(in[0].Graph(), []int32{1, 0, 1})))
	}
	checkGradients(t,
		gradCase{name: "shared", keys: []string{"x", "freqs"},
			in: []array{normal(rng, 2, 6, 17), wide(RoPEBase(17))}, graph: rotate},
		gradCase{name: "per axis", keys: []string{"x", "freqs.0", "freqs.1", "freqs.2"},
			in: []array{normal(rng, 2, 6, 17), normal(rng, 2), normal(rng, 2), normal(rng, 2)}, graph: rotate})
}

func TestAxialRoPERefuses(t *testing.T) {
	rotate := func(in []*Node) *Node { return Rotate(in[0], in[1]) }
	requireRefused(t, rotate, [][]int{{2, 5, 16}, {4, 6}}, "expected shape [5 -1]", "got [4 6]")
	requireRefused(t, rotate, [][]int{{2, 5, 10}, {5, 6}}, "6 pairs", "width 10")
	none := VarsFrom(func(string, Init, []int) *Node { return nil })
	require.PanicsWithError(t, "layers: AxialRoPE: heads of width 7 have nothing to rotate: expected at least 8",
		func() { RoPEWeights(none, RoPEFixed, 7) })
}

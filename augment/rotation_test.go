package augment

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// volume returns a 3D window of random values with fields of every order, all kinds of
// boundaries and axes of different lengths.
func volume(rng *rand.Rand) *data.Window {
	w := &data.Window{
		Name: "box",
		Fields: []data.Field{{Name: "s"}, {Name: "v", Order: 1}, {Name: "T", Order: 2},
			{Name: "mask", Constant: true}, {Name: "force", Order: 1, Constant: true}},
		Grid:        []int{3, 4, 5},
		Boundaries:  data.Boundaries{{Low: data.Wall, High: data.Open}, data.Both(data.Periodic), data.Both(data.Wall)},
		Coordinates: [][]float32{{0, 1, 2}, {0, 0.5, 1, 1.5}, {-2, -1, 1, 2, 5}},
		Times:       []float32{0, 1},
		Scalars:     []data.Scalar{{Name: "Re", Constant: true, Values: []float32{10}}},
	}
	random := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(rng.NormFloat64())
		}
		return out
	}
	w.Frames = [][]float32{random(13 * 60), random(13 * 60)}
	w.Constants = random(4 * 60)
	return w
}

func apply(t *testing.T, rotation Rotation, w *data.Window) *data.Window {
	t.Helper()
	out, err := rotation.Apply(w)
	require.NoError(t, err)
	require.NoError(t, out.Validate())
	return out
}

func TestGroup(t *testing.T) {
	all := Octahedral()
	require.Len(t, all, 48)
	proper := 0
	for i, a := range all {
		require.NoError(t, a.Validate())
		assert.Equal(t, i, slices.Index(all, a), "no rotation is listed twice")
		assert.Equal(t, i < 24, a.Proper(), a.String())
		if a.Proper() {
			proper++
		}
		assert.Equal(t, Identity(), a.Then(a.Inverse()))
		assert.Equal(t, Identity(), a.Inverse().Then(a))
		assert.Equal(t, a, Identity().Then(a))
		for _, b := range all {
			ab := a.Then(b)
			assert.Contains(t, all, ab)
			assert.Equal(t, product(b.Matrix(), a.Matrix()), ab.Matrix())
			assert.Equal(t, a.Proper() == b.Proper(), ab.Proper())
			assert.Equal(t, ab.Inverse(), b.Inverse().Then(a.Inverse()))
		}
	}
	assert.Equal(t, 24, proper)
	assert.Equal(t, all[:24], Rotations())
	assert.Len(t, InPlane(Rotations()), 4)
	assert.Len(t, InPlane(all), 8, "the symmetries of the square")
	assert.Equal(t, "+x +y +z", Identity().String())
}

func product(a, b [3][3]int) (c [3][3]int) {
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				c[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return c
}

// TestApplyIsAHomomorphism: applying two rotations equals applying their product, bit for bit,
// and the inverse undoes a rotation.
func TestApplyIsAHomomorphism(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	w := volume(rng)
	for _, a := range Octahedral() {
		turned := apply(t, a, w)
		assert.Equal(t, w, apply(t, a.Inverse(), turned), a.String())
		b := Random(rng, Octahedral())
		assert.Equal(t, apply(t, a.Then(b), w), apply(t, b, turned), "%s then %s", a, b)
	}
}

// TestApplyAgainstLaw compares with the definition: the value at R·x is R applied to the
// value at x, where coordinates are relative to the centre of the box.
func TestApplyAgainstLaw(t *testing.T) {
	w := volume(rand.New(rand.NewPCG(3, 4)))
	for _, rotation := range Octahedral() {
		got := apply(t, rotation, w)
		r := rotation.Matrix()
		for x := range 3 {
			for y := range 4 {
				for z := range 5 {
					to := target(r, []int{x, y, z}, w.Grid, got.Grid)
					from := (x*4+y)*5 + z
					at := (to[0]*got.Grid[1]+to[1])*got.Grid[2] + to[2]
					checkPoint(t, r, w.Frames[1], got.Frames[1], from, at)
					require.Equal(t, w.Constants[from], got.Constants[at])
				}
			}
		}
	}
}

// target returns R·x, doubled so that the centre of an axis of even length is an integer.
func target(r [3][3]int, x, grid, turned []int) [3]int {
	var out [3]int
	for i := range 3 {
		for j := range 3 {
			out[i] += r[i][j] * (2*x[j] - grid[j] + 1)
		}
		out[i] = (out[i] + turned[i] - 1) / 2
	}
	return out
}

func checkPoint(t *testing.T, r [3][3]int, in, out []float32, from, at int) {
	require.Equal(t, in[from], out[at], "scalar")
	for i := range 3 {
		var v float32
		for j := range 3 {
			v += float32(r[i][j]) * in[(1+j)*60+from]
		}
		require.Equal(t, v, out[(1+i)*60+at], "vector")
		for k := range 3 {
			var s float32
			for j := range 3 {
				for l := range 3 {
					s += float32(r[i][j]*r[k][l]) * in[(4+3*j+l)*60+from]
				}
			}
			require.Equal(t, s, out[(4+3*i+k)*60+at], "tensor")
		}
	}
}

// TestTurnsCommuteWithDerivatives: the divergence of a rotated vector field is the rotated
// divergence, which requires that points and components are rotated together.
func TestTurnsCommuteWithDerivatives(t *testing.T) {
	w := volume(rand.New(rand.NewPCG(5, 6)))
	w.Fields = []data.Field{{Name: "v", Order: 1}}
	w.Frames, w.Constants, w.Times = [][]float32{w.Frames[0][:180]}, nil, nil
	for _, rotation := range Octahedral() {
		got := apply(t, rotation, w)
		div := *w
		div.Fields, div.Frames = []data.Field{{Name: "d"}}, [][]float32{divergence(w)}
		want := apply(t, rotation, &div).Frames[0]
		for i, v := range divergence(got) {
			require.InDelta(t, want[i], v, 1e-5)
		}
	}
}

// divergence computes central differences on a periodic grid with unit spacing.
func divergence(w *data.Window) []float32 {
	g := w.Grid
	out := make([]float32, w.Points())
	at := func(c, x, y, z int) float32 {
		x, y, z = (x+g[0])%g[0], (y+g[1])%g[1], (z+g[2])%g[2]
		return w.Frames[0][c*len(out)+(x*g[1]+y)*g[2]+z]
	}
	for x := range g[0] {
		for y := range g[1] {
			for z := range g[2] {
				out[(x*g[1]+y)*g[2]+z] = (at(0, x+1, y, z) - at(0, x-1, y, z) + at(1, x, y+1, z) - at(1, x, y-1, z) + at(2, x, y, z+1) - at(2, x, y, z-1)) / 2
			}
		}
	}
	return out
}

func TestApplyKeepsTheInput(t *testing.T) {
	w, same := volume(rand.New(rand.NewPCG(7, 8))), volume(rand.New(rand.NewPCG(7, 8)))
	for _, rotation := range Octahedral() {
		got := apply(t, rotation, w)
		clear(got.Frames[0])
		clear(got.Constants)
	}
	assert.Equal(t, same, w)
}

func TestApplyBoundaries(t *testing.T) {
	w := volume(rand.New(rand.NewPCG(9, 9)))
	got := apply(t, Rotation{[3]int{1, 0, 2}, [3]bool{false, true, false}}, w)
	assert.Equal(t, []int{4, 3, 5}, got.Grid)
	assert.Equal(t, data.Boundaries{data.Both(data.Periodic), {Low: data.Open, High: data.Wall}, data.Both(data.Wall)}, got.Boundaries)
	assert.Equal(t, [][]float32{{0, 0.5, 1, 1.5}, {-2, -1, 0}, {-2, -1, 1, 2, 5}}, got.Coordinates)
	assert.Equal(t, w.Times, got.Times)
}

func TestApplyErrors(t *testing.T) {
	quarter := Rotation{[3]int{1, 0, 2}, [3]bool{true, false, false}}
	for want, change := range map[string]func(w *data.Window) Rotation{
		"expected Cartesian coordinates, got the axes [r theta phi]": func(w *data.Window) Rotation {
			w.Curvilinear, w.Axes = true, []string{"r", "theta", "phi"}
			return quarter
		},
		"rotation: expected a permutation of 0, 1, 2, got [0 0 0]": func(*data.Window) Rotation { return Rotation{} },
		"frame 1: expected 780 values (13 channels":                func(w *data.Window) Rotation { w.Frames[1] = make([]float32, 3); return quarter },
		"boundaries: expected one per axis (3), got 0":             func(w *data.Window) Rotation { w.Boundaries = nil; return quarter },
	} {
		w := volume(rand.New(rand.NewPCG(1, 1)))
		_, err := change(w).Apply(w)
		assert.ErrorContains(t, err, want)
	}
	w := plane()
	_, err := Rotation{[3]int{2, 1, 0}, [3]bool{}}.Apply(w)
	assert.ErrorContains(t, err, "window sheet has 2 axes: the rotation +z +y +x moves others: embed it first")
	for _, rotation := range InPlane(Octahedral()) {
		apply(t, rotation, w)
	}
}

func plane() *data.Window {
	w := &data.Window{
		Name: "sheet", Fields: []data.Field{{Name: "p"}, {Name: "u", Order: 1}, {Name: "T", Order: 2}, {Name: "mask", Constant: true}},
		Grid: []int{3, 2}, Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)},
		Coordinates: [][]float32{{0, 1, 2}, {0, 1}}, Constants: []float32{1, 0, 0, 1, 0, 1},
	}
	rng := rand.New(rand.NewPCG(11, 12))
	for range 5 {
		frame := make([]float32, 7*6)
		for i := range frame {
			frame[i] = float32(math.Round(100 * rng.NormFloat64()))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// TestEmbed: Unembed undoes Embed, also after a rotation and its inverse.
func TestEmbed(t *testing.T) {
	w := plane()
	v, err := Embed(w)
	require.NoError(t, err)
	require.NoError(t, v.Validate())
	assert.Equal(t, []int{3, 2, 1}, v.Grid)
	assert.Equal(t, data.Both(data.Periodic), v.Boundaries[2])
	assert.Equal(t, []float32{0}, v.Coordinates[2])
	assert.Len(t, v.Frames[0], 13*6)
	assert.Equal(t, w.Volume().Real, v.Volume().Real)
	assert.Equal(t, w.Volume().Variable, v.Volume().Variable)
	back, err := Unembed(v, 2)
	require.NoError(t, err)
	assert.Equal(t, w, back)
	for _, rotation := range Octahedral() {
		turned := apply(t, rotation, v)
		zero := turned.Volume()
		for c, real := range zero.Real {
			if !real {
				assert.Zero(t, slices.Max(turned.Frames[2][c*6:(c+1)*6]), "padding stays zero")
			}
		}
		back, err := Unembed(apply(t, rotation.Inverse(), turned), 2)
		require.NoError(t, err)
		assert.Equal(t, w, back)
	}
	again, err := Embed(v)
	require.NoError(t, err)
	assert.Same(t, v, again)
	stood, err := Rotation{[3]int{2, 1, 0}, [3]bool{}}.Apply(v)
	require.NoError(t, err)
	_, err = Unembed(stood, 2)
	assert.ErrorContains(t, err, "expected one point on axis 2 of grid [1 2 3]: turn it back first")
	_, err = Unembed(w, 2)
	assert.ErrorContains(t, err, "expected an embedded window")
}

func TestStride(t *testing.T) {
	w := plane()
	w.Times = []float32{0, 1, 2, 3, 4}
	w.Scalars = []data.Scalar{{Name: "E", Values: []float32{9, 8, 7, 6, 5}}, {Name: "Re", Constant: true, Values: []float32{1}}}
	w.Origin = data.Origin{Start: 3, Stride: 2}
	got, err := Stride(w, 2)
	require.NoError(t, err)
	require.NoError(t, got.Validate())
	assert.Equal(t, [][]float32{w.Frames[0], w.Frames[2], w.Frames[4]}, got.Frames)
	assert.Equal(t, []float32{0, 2, 4}, got.Times)
	assert.Equal(t, []float32{9, 7, 5}, got.Scalars[0].Values)
	assert.Equal(t, data.Origin{Start: 3, Stride: 4}, got.Origin)
	_, err = Stride(w, 0)
	assert.ErrorContains(t, err, "expected a stride of at least 1, got 0")
}

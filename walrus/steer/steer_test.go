package steer_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/steer"
)

// box returns a window with a density around 2 and a velocity, both random.
func box(seed uint64, grid ...int) *data.Window {
	w := &data.Window{Name: "box", Grid: grid, Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	for range grid {
		w.Boundaries = append(w.Boundaries, data.Both(data.Periodic))
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 2 {
		frame := make([]float32, (1+len(grid))*w.Points())
		for i := range frame {
			frame[i] = float32(rng.NormFloat64())
			if i < w.Points() {
				frame[i] += 2
			}
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// masked marks every fifth point as solid.
func masked(w *data.Window) *data.Window {
	w.Fields = append(w.Fields, data.Field{Name: data.MaskName, Constant: true})
	w.Constants = make([]float32, w.Points())
	for i := range w.Constants {
		if i%5 == 0 {
			w.Constants[i] = 1
		}
	}
	return w
}

// frameOf returns a window of one frame with the layout of w.
func frameOf(w *data.Window, values []float32) *data.Window {
	f := *w
	f.Frames = [][]float32{slices.Clone(values)}
	return &f
}

// corrected applies a correction to a random frame of the window.
func corrected(t *testing.T, f walrus.Correction, w *data.Window) (before, after []float32) {
	t.Helper()
	other := box(99, w.Grid...)
	frame := frameOf(w, other.Frames[0])
	require.NoError(t, f(1, w, frame))
	return other.Frames[0], frame.Frames[0]
}

// requireIdle checks that a correction leaves a frame as it is.
func requireIdle(t *testing.T, f walrus.Correction, w *data.Window, values []float32) {
	t.Helper()
	frame := frameOf(w, values)
	require.NoError(t, f(1, w, frame))
	require.Equal(t, values, frame.Frames[0])
}

// weightedMean is the mean over points that are not solid, with weights along the first axis.
func weightedMean(w *data.Window, u []float32, weights []float64) float64 {
	sum, total := 0.0, 0.0
	rows := w.Points() / w.Grid[0]
	for p, v := range u[:w.Points()] {
		if w.Constants != nil && w.Constants[p] != 0 {
			continue
		}
		sum += weights[p/rows] * float64(v)
		total += weights[p/rows]
	}
	return sum / total
}

// TestConserve: the mean, with the volumes of the cells, is that of the history, and solid
// points stay as they are.
func TestConserve(t *testing.T) {
	flat := []float64{1, 1, 1, 1}
	uneven := box(3, 4, 6)
	uneven.Coordinates = [][]float32{{0, 1, 3, 7}, {0, 1, 2, 3, 4, 5}}
	for name, c := range map[string]struct {
		w       *data.Window
		weights []float64
	}{
		"plain": {box(1, 4, 6), flat}, "masked": {masked(box(2, 4, 6)), flat},
		"uneven": {uneven, []float64{1, 1.5, 3, 4}}, "3D": {box(4, 4, 3, 2), flat}, "1D": {box(5, 4), flat},
	} {
		t.Run(name, func(t *testing.T) {
			n, last := c.w.Points(), c.w.Frames[1]
			for kind, f := range map[string]walrus.Correction{"add": steer.ConserveMean("density"), "scale": steer.RescaleMean("density")} {
				before, after := corrected(t, f, c.w)
				want := weightedMean(c.w, last, c.weights)
				require.InDelta(t, want, weightedMean(c.w, after, c.weights), 1e-6, kind)
				require.Greater(t, math.Abs(want-weightedMean(c.w, before, c.weights)), 1e-3, "there was something to correct")
				require.Equal(t, before[n:], after[n:], "only the density changes")
				changes := map[string]bool{}
				for p := range n {
					if c.w.Constants != nil && c.w.Constants[p] != 0 {
						require.Equal(t, before[p], after[p], "solid")
						continue
					}
					if kind == "add" {
						changes[fmt.Sprintf("%.4f", after[p]-before[p])] = true
					} else {
						changes[fmt.Sprintf("%.4f", after[p]/before[p])] = true
					}
				}
				require.LessOrEqual(t, len(changes), 2, "one constant, up to its rounding: %v", changes)
				requireIdle(t, f, c.w, last)
			}
		})
	}
	w := box(1, 4, 6)
	_, after := corrected(t, steer.ConserveMean("velocity"), w)
	for c := 1; c <= 2; c++ {
		require.InDelta(t, weightedMean(w, w.Frames[1][24*c:], flat), weightedMean(w, after[24*c:], flat), 1e-6, "every component")
	}
}

func TestPositive(t *testing.T) {
	w := box(1, 4, 6)
	before, after := corrected(t, steer.Positive("velocity"), w)
	require.Equal(t, before[:24], after[:24])
	clipped := 0
	for i, v := range before[24:] {
		require.Equal(t, max(v, 0), after[24+i])
		if v < 0 {
			clipped++
		}
	}
	require.Positive(t, clipped)
	requireIdle(t, steer.Positive("velocity"), w, after)
}

// divergence is the largest |k·û| over the modes, by sums over all points.
func divergence(w *data.Window, u []float32, h []float64) float64 {
	n, most := w.Points(), 0.0
	position := func(p int) []int {
		out := make([]int, len(w.Grid))
		for a := len(w.Grid) - 1; a >= 0; a-- {
			out[a] = p % w.Grid[a]
			p /= w.Grid[a]
		}
		return out
	}
	for m := range n {
		mode := position(m)
		var re, im float64
		for a, size := range w.Grid {
			k := float64(mode[a])
			if 2*mode[a] == size {
				k = 0
			} else if 2*mode[a] > size {
				k -= float64(size)
			}
			k /= float64(size) * h[a]
			for p := range n {
				phase := 0.0
				for b, x := range position(p) {
					phase += float64(mode[b]*x) / float64(w.Grid[b])
				}
				v := float64(u[a*n+p])
				re += k * v * math.Cos(2*math.Pi*phase)
				im -= k * v * math.Sin(2*math.Pi*phase)
			}
		}
		most = max(most, math.Hypot(re, im))
	}
	return most
}

// TestDivergenceFree: the projection has no divergence, keeps the mean and what has no
// divergence, and removes the rest.
func TestDivergenceFree(t *testing.T) {
	for _, grid := range [][]int{{6, 8}, {5, 7}, {4, 6, 3}, {1, 6, 5}, {8}} {
		t.Run(fmt.Sprint(grid), func(t *testing.T) {
			w := box(1, grid...)
			h := []float64{0.5, 0.25, 2}[:len(grid)]
			f, n := steer.DivergenceFree("velocity", h...), w.Points()
			before, after := corrected(t, f, w)
			require.Equal(t, before[:n], after[:n])
			first := divergence(w, before[n:], h)
			require.Less(t, divergence(w, after[n:], h), 1e-6*first)
			for a := range grid {
				var was, is float64
				for p := range n {
					was, is = was+float64(before[(1+a)*n+p]), is+float64(after[(1+a)*n+p])
				}
				require.InDelta(t, was, is, 1e-5, "mean")
			}
			again := frameOf(w, after)
			require.NoError(t, f(1, w, again))
			for i, v := range after {
				require.InDelta(t, v, again.Frames[0][i], 1e-6, "a second projection")
			}
		})
	}

	// A shear flow has no divergence; a gradient is removed.
	w := box(1, 8, 8)
	shear, gradient := make([]float32, 3*64), make([]float32, 3*64)
	for p := range 64 {
		x, y := 2*math.Pi*float64(p/8)/8, 2*math.Pi*float64(p%8)/8
		shear[64+p], shear[128+p] = float32(math.Sin(y)), float32(3+math.Cos(2*x))
		gradient[64+p], gradient[128+p] = float32(math.Cos(x)*math.Sin(y)), float32(math.Sin(x)*math.Cos(y))
	}
	w.Coordinates = [][]float32{{0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}}
	f := steer.DivergenceFree("velocity")
	for i, frame := range []*data.Window{frameOf(w, shear), frameOf(w, gradient)} {
		require.NoError(t, f(1, w, frame))
		for p, v := range frame.Frames[0] {
			want := float32(0)
			if i == 0 {
				want = shear[p]
			}
			require.InDelta(t, want, v, 1e-6)
		}
	}
}

// TestNudge: observations replace or attract the forecast at their points and steps.
func TestNudge(t *testing.T) {
	w, nan := masked(box(1, 4, 6)), float32(math.NaN())
	o := steer.Observations{Channel: "velocity_y", Points: []int{1, 23, 7, 10}, Values: [][]float32{{9, 8, nan, 7}, nil}}
	before, after := corrected(t, steer.Nudge(o), w)
	for i, v := range after {
		switch i {
		case 48 + 1:
			require.Equal(t, float32(9), v)
		case 48 + 23:
			require.Equal(t, float32(8), v)
		default:
			require.Equal(t, before[i], v, "no observation, a missing one, or solid")
		}
	}
	requireIdle(t, steer.Nudge(o), w, after)
	o.Strength = 0.25
	before, after = corrected(t, steer.Nudge(o), w)
	require.InDelta(t, 0.75*before[49]+0.25*9, after[49], 1e-6)
	for _, step := range []int{2, 3} {
		frame := frameOf(w, before)
		require.NoError(t, steer.Nudge(o)(step, w, frame))
		require.Equal(t, before, frame.Frames[0], "a step without observations")
	}
}

// TestHold: boundary layers keep the values of the history.
func TestHold(t *testing.T) {
	points, err := steer.BoundaryPoints([]int{4, 6}, 1, true, 2)
	require.NoError(t, err)
	require.Equal(t, []int{4, 5, 10, 11, 16, 17, 22, 23}, points)
	points, err = steer.BoundaryPoints([]int{4, 6}, 0, false, 1)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2, 3, 4, 5}, points)
	w := masked(box(1, 4, 6))
	before, after := corrected(t, steer.Hold(points, "density", "velocity_x"), w)
	for i, v := range after {
		if i < 48 && i%24 < 6 && w.Constants[i%24] == 0 {
			require.Equal(t, w.Frames[1][i], v)
		} else {
			require.Equal(t, before[i], v)
		}
	}
	requireIdle(t, steer.Hold(points, "density"), w, w.Frames[1])
	_, err = steer.BoundaryPoints([]int{4, 6}, 2, false, 1)
	require.ErrorContains(t, err, "expected an axis of the grid [4 6]")
}

// TestSequence applies corrections in order.
func TestSequence(t *testing.T) {
	w := box(1, 4, 6)
	f := steer.Sequence(steer.Positive("density"), steer.RescaleMean("density"))
	_, after := corrected(t, f, w)
	flat := []float64{1, 1, 1, 1}
	require.InDelta(t, weightedMean(w, w.Frames[1], flat), weightedMean(w, after, flat), 1e-6)
	require.GreaterOrEqual(t, slices.Min(after[:24]), float32(0))
	stop := errors.New("stop")
	err := steer.Sequence(func(int, *data.Window, *data.Window) error { return stop }, nil)(1, w, frameOf(w, after))
	require.ErrorIs(t, err, stop)
	require.ErrorContains(t, steer.Sequence(nil)(1, w, frameOf(w, after)), "correction 0: expected a function, got nil")
}

func TestErrors(t *testing.T) {
	inf := float32(math.Inf(1))
	walls, curved, uneven, negative := box(1, 4, 6), box(1, 4, 6), box(1, 4, 6), box(1, 4, 6)
	walls.Boundaries[1] = data.Both(data.Wall)
	curved.Curvilinear, curved.Axes = true, []string{"r", "phi"}
	uneven.Coordinates = [][]float32{{0, 1, 2, 4}, {0, 1, 2, 3, 4, 5}}
	for p := range 24 {
		negative.Frames[1][p] = -1
	}
	for _, c := range []struct {
		want string
		f    walrus.Correction
		w    *data.Window
	}{
		{`steer: positive: expected one of the fields [density velocity], got "salt"`, steer.Positive("salt"), box(1, 4, 6)},
		{"steer: positive: expected the names of fields, got none", steer.Positive(), box(1, 4, 6)},
		{"steer: conserve mean: channel density: expected Cartesian coordinates", steer.ConserveMean("density"), curved},
		{"steer: rescale mean: channel density: expected a mean of the sign of that of the history, -1, got ", steer.RescaleMean("density"), negative},
		{"axis 1: expected periodic boundaries, got wall", steer.DivergenceFree("velocity", 1, 1), walls},
		{"expected the spacing of the points, or a window with coordinates", steer.DivergenceFree("velocity"), box(1, 4, 6)},
		{"axis 0: expected evenly spaced coordinates, got 1 at point 1", steer.DivergenceFree("velocity"), uneven},
		{"field density: expected a vector of 2 components", steer.DivergenceFree("density", 1, 1), box(1, 4, 6)},
		{"spacing: expected one per axis of the grid [4 6], got [1]", steer.DivergenceFree("velocity", 1), box(1, 4, 6)},
		{"expected a window without solid points", steer.DivergenceFree("velocity", 1, 1), masked(box(1, 4, 6))},
		{"axis 0: expected a spacing that is finite and not 0, got NaN", steer.DivergenceFree("velocity", math.NaN(), 1), box(1, 4, 6)},
		{`channel velocity: expected one of the channels [density velocity_x velocity_y], got "velocity"`, steer.Nudge(steer.Observations{Channel: "velocity"}), box(1, 4, 6)},
		{"step 1: expected a value for each of 2 points, got 1", steer.Nudge(steer.Observations{Channel: "density", Points: []int{1, 2}, Values: [][]float32{{1}}}), box(1, 4, 6)},
		{"expected points from 0 to 23 of the grid [4 6], got 24", steer.Nudge(steer.Observations{Channel: "density", Points: []int{24}, Values: [][]float32{{1}}}), box(1, 4, 6)},
		{"expected finite values, or NaN for missing ones, got +Inf at point 3", steer.Nudge(steer.Observations{Channel: "density", Points: []int{3}, Values: [][]float32{{inf}}}), box(1, 4, 6)},
		{"expected a strength from 0 to 1, got 2", steer.Nudge(steer.Observations{Channel: "density", Strength: 2}), box(1, 4, 6)},
		{"steer: hold: expected points from 0 to 23 of the grid [4 6], got -1", steer.Hold([]int{-1}, "density"), box(1, 4, 6)},
	} {
		err := c.f(1, c.w, frameOf(c.w, box(99, 4, 6).Frames[0]))
		require.ErrorContains(t, err, c.want)
	}
	require.ErrorContains(t, steer.Positive("density")(1, box(1, 4, 6), box(1, 4, 6)), "expected a frame, and a history")
	require.Error(t, steer.Positive("density")(1, nil, nil))
}

// BenchmarkCorrection measures ready corrections of a frame of three channels.
func BenchmarkCorrection(b *testing.B) {
	for name, f := range map[string]walrus.Correction{
		"conserve mean": steer.ConserveMean("density"), "positive": steer.Positive("density"),
		"divergence-free": steer.DivergenceFree("velocity", 1, 1),
	} {
		for _, n := range []int{128, 256} {
			b.Run(fmt.Sprintf("%s %d²", name, n), func(b *testing.B) {
				history, frame := box(1, n, n), frameOf(box(2, n, n), box(2, n, n).Frames[0])
				for b.Loop() {
					if err := f(1, history, frame); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

package picture

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// rollout returns two frames of two channels on 2×1 points, and a forecast of them.
func rollout() (*data.Window, [][]float32) {
	w := &data.Window{Name: "w", Grid: []int{2, 1}, Fields: []data.Field{{Name: "p"}, {Name: "rho"}},
		Boundaries: data.Boundaries{data.Both(data.Open), data.Both(data.Open)},
		Frames:     [][]float32{{-1, 1, 3, 4}, {-2, 2, 3, 5}}, Times: []float32{0.5, 1}}
	return w, [][]float32{{-1, 1, 3, 4}, {0, 3, 3, 6}}
}

func TestCompare(t *testing.T) {
	truth, forecast := rollout()
	panels, err := Compare(truth, forecast, Options{Title: "test"})
	require.NoError(t, err)
	require.Len(t, panels, 2)
	assert.Equal(t, "test: step 2 of 2, t = 1", panels[1].Title)
	assert.Equal(t, []string{"truth", "forecast", "error"}, panels[1].Columns)
	p, rho := panels[1].Rows[0], panels[1].Rows[1]
	assert.Equal(t, "p", p.Label)
	for i, want := range [][]float32{{-2, 2}, {0, 3}, {2, 1}} {
		assert.Equal(t, want, p.Cells[i].Values)
		assert.Equal(t, Range{-2, 2}, p.Cells[i].Range, "one range for truth, forecast and error")
		assert.Equal(t, "coolwarm", p.Cells[i].Map.Name())
		assert.Equal(t, i > 0, p.Cells[i].Bar)
	}
	assert.Equal(t, "viridis", rho.Cells[1].Map.Name(), "a quantity of one sign")
	assert.Equal(t, Range{3, 5}, rho.Cells[0].Range)
	assert.Equal(t, Range{-1, 1}, rho.Cells[2].Range)
	assert.Equal(t, panels[0].Rows[0].Cells[0].Range, p.Cells[0].Range, "one range for all steps")
	a, err := panels[0].Image()
	require.NoError(t, err)
	b, err := panels[1].Image()
	require.NoError(t, err)
	assert.Equal(t, a.Rect, b.Rect)
	again, err := panels[1].Image()
	require.NoError(t, err)
	assert.Equal(t, b.Pix, again.Pix, "the same picture each time")

	panels, err = Compare(truth, forecast, Options{Channels: []string{"rho"}, Scale: 3, Squares: true})
	require.NoError(t, err)
	assert.Len(t, panels[0].Rows, 1)
	assert.Equal(t, "rho", panels[0].Rows[0].Label)
	assert.False(t, panels[0].Smooth)
	assert.Equal(t, 3, panels[0].Scale)
}

// A truth without extent says nothing about the size of errors: their range follows the
// errors, and is the same at all steps.
func TestCompareConstantTruth(t *testing.T) {
	w, _ := rollout()
	w.Frames = [][]float32{{0, 0, 4, 4}, {0, 0, 4, 4}}
	panels, err := Compare(w, [][]float32{{0, 0, 4, 4}, {0.5, -3, 4, 4}}, Options{})
	require.NoError(t, err)
	for _, p := range panels {
		assert.Equal(t, Range{-1, 1}, p.Rows[0].Cells[0].Range)
		assert.Equal(t, Range{-3, 3}, p.Rows[0].Cells[2].Range)
		assert.Equal(t, Range{2, 6}, p.Rows[1].Cells[1].Range)
		assert.Equal(t, Range{-1, 1}, p.Rows[1].Cells[2].Range, "no errors")
	}
}

// ball returns a volume of 3×4×5 points with the values given by f.
func ball(f func(x, y, z int) float32) *data.Window {
	w := &data.Window{Name: "ball", Grid: []int{3, 4, 5}, Fields: []data.Field{{Name: "q"}}}
	var frame []float32
	for x := range 3 {
		w.Boundaries = append(w.Boundaries, data.Both(data.Periodic))
		for y := range 4 {
			for z := range 5 {
				frame = append(frame, f(x, y, z))
			}
		}
	}
	w.Frames = [][]float32{frame}
	return w
}

// Every picture of a volume holds the points that its heading names.
func TestFramesOfVolumes(t *testing.T) {
	at := func(x, y, z int) float32 { return float32(1 + 100*x + 10*y + z) }
	panels, err := Frames(ball(at), Options{})
	require.NoError(t, err)
	p := panels[0]
	assert.Equal(t, []string{"x = 1", "y = 2", "z = 2", "max along z"}, p.Columns)
	sizes := [][2]int{{4, 5}, {3, 5}, {3, 4}, {3, 4}}
	points := []func(i, j int) float32{
		func(i, j int) float32 { return at(1, i, j) },
		func(i, j int) float32 { return at(i, 2, j) },
		func(i, j int) float32 { return at(i, j, 2) },
		func(i, j int) float32 { return at(i, j, 4) },
	}
	for k, c := range p.Rows[0].Cells {
		require.Equal(t, sizes[k], [2]int{c.H, c.W}, p.Columns[k])
		for i := range c.H {
			for j := range c.W {
				require.Equal(t, points[k](i, j), c.Values[i*c.W+j], "%s: (%d, %d)", p.Columns[k], i, j)
			}
		}
		assert.Equal(t, Range{1, 235}, c.Range)
	}
	_, err = p.Image()
	require.NoError(t, err)

	// The projection of both signs is that of the magnitude, in other colours.
	w := ball(func(x, y, z int) float32 { return float32(z-2) - 0.5 })
	panels, err = Compare(w, w.Frames, Options{})
	require.NoError(t, err)
	require.Len(t, panels[0].Rows, 3)
	assert.Equal(t, "q, forecast", panels[0].Rows[1].Label)
	cells := panels[0].Rows[0].Cells
	assert.Equal(t, float32(2.5), cells[3].Values[0])
	assert.Equal(t, "viridis", cells[3].Map.Name())
	assert.Equal(t, Range{0, 2.5}, cells[3].Range)
	assert.True(t, cells[3].Bar)
	assert.Equal(t, "coolwarm", cells[2].Map.Name())
	assert.Equal(t, Range{-2.5, 2.5}, cells[2].Range)
	assert.True(t, cells[2].Bar)
}

// A plane in a grid of three axes is drawn as a plane.
func TestFramesOfEmbeddedPlanes(t *testing.T) {
	w, forecast := rollout()
	w.Grid, w.Boundaries = []int{2, 1, 2}, append(w.Boundaries, data.Both(data.Open))
	w.Fields = w.Fields[:1]
	panels, err := Compare(w, forecast, Options{})
	require.NoError(t, err)
	assert.Equal(t, [2]int{2, 2}, [2]int{panels[0].Rows[0].Cells[0].H, panels[0].Rows[0].Cells[0].W})
	assert.Equal(t, []float32{-1, 1, 3, 4}, panels[0].Rows[0].Cells[0].Values)
}

func TestCompareRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(w *data.Window, forecast *[][]float32, o *Options)
		want   string
	}{
		{"steps", func(_ *data.Window, f *[][]float32, _ *Options) { *f = (*f)[:1] }, "one frame per frame of the truth (2), got 1"},
		{"none", func(w *data.Window, f *[][]float32, _ *Options) { w.Frames, w.Times, *f = nil, nil, nil }, "expected frames, got none"},
		{"size", func(_ *data.Window, f *[][]float32, _ *Options) { (*f)[1] = (*f)[1][:3] }, "frame 1: expected 4 values, got 3"},
		{"times", func(w *data.Window, _ *[][]float32, _ *Options) { w.Times = w.Times[:1] }, "one per frame (2), got 1"},
		{"grid", func(w *data.Window, _ *[][]float32, _ *Options) {
			w.Grid, w.Boundaries = []int{2}, w.Boundaries[:1]
		}, "two or three axes"},
		{"thin", func(w *data.Window, _ *[][]float32, _ *Options) {
			w.Grid, w.Boundaries = []int{2, 1, 1}, append(w.Boundaries, w.Boundaries[0])
		}, "two or three axes"},
		{"channel", func(_ *data.Window, _ *[][]float32, o *Options) { o.Channels = []string{"q"} }, `channels among ["p" "rho"], got "q"`},
		{"no channel", func(_ *data.Window, _ *[][]float32, o *Options) { o.Channels = []string{} }, "at least one channel"},
		{"scale", func(_ *data.Window, _ *[][]float32, o *Options) { o.Scale = -1 }, "got -1"},
		{"truth", func(w *data.Window, _ *[][]float32, _ *Options) { w.Frames[1][3] = float32(math.NaN()) }, "frame 1: channel rho: picture: expected finite values, got NaN at 1"},
		{"forecast", func(_ *data.Window, f *[][]float32, _ *Options) { (*f)[0][0] = float32(math.Inf(1)) }, "forecast: frame 0: channel p"},
	} {
		w, forecast := rollout()
		o := Options{}
		c.damage(w, &forecast, &o)
		_, err := Compare(w, forecast, o)
		require.ErrorContains(t, err, c.want, c.name)
	}
	_, err := Frames(nil, Options{})
	require.ErrorContains(t, err, "got nil")
}

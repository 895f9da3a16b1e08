package picture

import (
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func labels(a axis) []string {
	var out []string
	for _, t := range a.ticks {
		out = append(out, t.label)
	}
	return out
}

func TestAxes(t *testing.T) {
	for _, c := range []struct {
		name string
		a    axis
		want []string
	}{
		{"from zero", linearAxis([]float64{0.8, 2.27}), []string{"0", "0.5", "1", "1.5", "2", "2.5"}},
		{"both signs", linearAxis([]float64{-1, 2}), []string{"-1", "-0.5", "0", "0.5", "1", "1.5", "2"}},
		{"zero only", linearAxis([]float64{0}), []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		{"large", linearAxis([]float64{5000}), []string{"0", "1000", "2000", "3000", "4000", "5000"}},
		{"log decades", logAxis([]float64{0.03, 32}), []string{"0.1", "1", "10"}},
		{"log close", logAxis([]float64{0.3, 1.5}), []string{"0.2", "0.5", "1", "2"}},
		{"log one value", logAxis([]float64{1}), []string{"1", "2"}},
		{"steps 20", stepAxis(20), []string{"1", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20"}},
		{"steps 3", stepAxis(3), []string{"1", "2", "3"}},
		{"steps 1", stepAxis(1), []string{"1"}},
	} {
		assert.Equal(t, c.want, labels(c.a), c.name)
	}
	a := logAxis([]float64{0.03, 32})
	assert.InDelta(t, 0.5, a.place(math.Sqrt(math.Pow(10, a.low+a.high))), 1e-12)
	for _, v := range []float64{0.03, 32} {
		assert.True(t, a.place(v) >= 0 && a.place(v) <= 1)
	}
}

// Every value of a line is a dot of the line's colour at its position.
func TestChartDrawsItsValues(t *testing.T) {
	for _, logY := range []bool{false, true} {
		c := Chart{Title: "errors", XLabel: "step", YLabel: "VRMSE", LogY: logY, Lines: []Line{
			{Name: "a", Values: []float64{0.1, 0.2, 0.5, 1}}, {Name: "b", Values: []float64{3, 8, 20}}}}
		img, err := c.Image()
		require.NoError(t, err)
		assert.Equal(t, 640, img.Rect.Dx())
		assert.Equal(t, 400, img.Rect.Dy())
		c.Width, c.Height = 640, 400
		x, y, err := c.axes()
		require.NoError(t, err)
		plot := c.plotArea(y)
		for k, l := range c.Lines {
			for i, v := range l.Values {
				px, py := pixel(x.place(float64(i+1)), plot.Min.X, plot.Max.X-1), pixel(y.place(v), plot.Max.Y-1, plot.Min.Y)
				assert.Equal(t, lineColors[k], img.RGBAAt(px, py), "log %v, line %d, step %d", logY, k, i+1)
			}
		}
		assert.Equal(t, white, img.RGBAAt(1, 1))
	}
}

func TestStrokeCoverage(t *testing.T) {
	img, err := Chart{Lines: []Line{{Values: []float64{1}}}}.Image()
	require.NoError(t, err)
	fill(img, img.Rect, white)
	red := color.RGBA{255, 0, 0, 255}
	stroke(img, []point{{100, 100}, {120, 100}, {120, 130}}, 2, red)
	assert.Equal(t, red, img.RGBAAt(110, 100))
	assert.Equal(t, red, img.RGBAAt(120, 115))
	assert.Equal(t, color.RGBA{255, 128, 128, 255}, img.RGBAAt(110, 101), "half covered")
	assert.Equal(t, white, img.RGBAAt(110, 102))
	assert.Equal(t, white, img.RGBAAt(105, 115), "the line is not closed")
}

func TestChartRefuses(t *testing.T) {
	seven := make([]Line, 7)
	for _, c := range []struct {
		name string
		c    Chart
		want string
	}{
		{"empty", Chart{Title: "x"}, `chart "x": expected at least one value`},
		{"nan", Chart{Lines: []Line{{Name: "a", Values: []float64{1, math.NaN()}}}}, `line "a": step 2: expected a finite value`},
		{"huge", Chart{LogY: true, Lines: []Line{{Values: []float64{1e300}}}}, "1e99"},
		{"log of zero", Chart{LogY: true, Lines: []Line{{Values: []float64{0}}}}, "positive"},
		{"lines", Chart{Lines: seven}, "at most 6 lines, got 7"},
		{"size", Chart{Width: 10, Lines: []Line{{Values: []float64{1}}}}, "got 10 x 400"},
	} {
		_, err := c.c.Image()
		require.ErrorContains(t, err, c.want, c.name)
	}
}

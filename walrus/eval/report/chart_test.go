package report

import (
	"image"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

func TestAxes(t *testing.T) {
	for _, c := range []struct {
		name   string
		make   func(*plot.Axis, []float64)
		values []float64
		want   []string
	}{
		{"from zero", fromZero, []float64{0.8, 2.27}, []string{"0", "0.5", "1", "1.5", "2", "2.5"}},
		{"both signs", fromZero, []float64{-1, 2}, []string{"-1", "-0.5", "0", "0.5", "1", "1.5", "2"}},
		{"zero only", fromZero, []float64{0}, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		{"large", fromZero, []float64{5000}, []string{"0", "1000", "2000", "3000", "4000", "5000"}},
		{"log decades", logarithmic, []float64{0.03, 32}, []string{"0.1", "1", "10"}},
		{"log close", logarithmic, []float64{0.3, 1.5}, []string{"0.2", "0.5", "1", "2"}},
		{"log one value", logarithmic, []float64{1}, []string{"1", "1.2"}},
		{"log narrow", logarithmic, []float64{0.3, 0.5}, []string{"0.3", "0.4", "0.5"}},
		{"log tiny", logarithmic, []float64{2e-9, 4e-9}, []string{"2e-09", "2.5e-09", "3e-09", "4e-09"}},
		{"steps 20", steps, []float64{1, 20}, []string{"2", "4", "6", "8", "10", "12", "14", "16", "18", "20"}},
		{"steps 3", steps, []float64{1, 2, 3}, []string{"1", "2", "3"}},
		{"steps 1", steps, []float64{1}, []string{"1"}},
		{"far away", steps, []float64{1e99}, []string{"9e+98", "9.2e+98", "9.4e+98", "9.6e+98", "9.8e+98", "1e+99", "1.02e+99", "1.04e+99", "1.06e+99", "1.08e+99"}},
		{"fractions", steps, []float64{0.25, 0.5}, []string{"0.25", "0.3", "0.35", "0.4", "0.45", "0.5"}},
	} {
		var a plot.Axis
		c.make(&a, c.values)
		var labels []string
		for _, tick := range a.Tick.Marker.Ticks(a.Min, a.Max) {
			if tick.Label != "" {
				labels = append(labels, tick.Label)
			}
		}
		assert.Equal(t, c.want, labels, c.name)
		for _, v := range c.values {
			assert.True(t, v >= a.Min && v <= a.Max, "%s: %v in %v to %v", c.name, v, a.Min, a.Max)
		}
	}
}

// middle returns the mean height of the pixels of a line's colour in a column of pixels.
func middle(img *image.RGBA, k, x int) float64 {
	sum, n := 0.0, 0.0
	for y := range img.Rect.Dy() {
		if img.RGBAAt(x, y) == lineColors[k] {
			sum, n = sum+float64(y), n+1
		}
	}
	return sum / n
}

// Equal differences are equal distances on a linear axis, equal ratios on a logarithmic
// one.
func TestChartDrawsItsValues(t *testing.T) {
	for _, logY := range []bool{false, true} {
		values := []float64{1, 3, 5}
		if logY {
			values = []float64{1, 4, 16}
		}
		c := Chart{Title: "errors", XLabel: "step", YLabel: "VRMSE", LogY: logY, Width: 640, Height: 400}
		for _, v := range values {
			c.Lines = append(c.Lines, Line{Values: []float64{v, v}})
		}
		img, err := c.Image()
		require.NoError(t, err)
		assert.Equal(t, image.Pt(640, 400), img.Rect.Size())
		const x = 350 // between the dots
		low, mid, high := middle(img, 0, x), middle(img, 1, x), middle(img, 2, x)
		require.False(t, math.IsNaN(low+mid+high), "three lines")
		assert.Greater(t, low-mid, 50.0, "larger values are higher")
		assert.InDelta(t, low-mid, mid-high, 1.5)
		again, err := c.Image()
		require.NoError(t, err)
		assert.Equal(t, img.Pix, again.Pix, "the same picture each time")
	}
}

// TestLegendBreaks: no row of the legend is wider than the chart.
func TestLegendBreaks(t *testing.T) {
	k := key{name: "a forecaster with a long name"}
	assert.Len(t, legendRows([]key{k, {}, k}, 2*k.width()+keyGap), 1, "lines without a name have no entry")
	assert.Len(t, legendRows([]key{k, k, k}, 2*k.width()+keyGap), 2)
	assert.Len(t, legendRows([]key{k, k, k}, 1), 3)
	assert.Empty(t, legendRows([]key{{}}, 100))
}

func TestCurves(t *testing.T) {
	h := &eval.HorizonResult{Horizon: eval.Horizon{From: 6, To: 7}, Curves: map[string][]float64{"model": {0.5, 2}, "exact": {0, 1}}}
	c, err := Curves(h, []string{"exact", "model"})
	require.NoError(t, err)
	assert.Equal(t, []Line{{Name: "model", X: []float64{6, 7}, Values: []float64{0.5, 2}}}, c.Lines)
	_, err = Curves(h, []string{"linear"})
	require.ErrorContains(t, err, `"linear"`)
	_, err = Curves(nil, nil)
	require.ErrorContains(t, err, "got nil")
}

func TestChartRefuses(t *testing.T) {
	seven := make([]Line, 7)
	for _, c := range []struct {
		name string
		c    Chart
		want string
	}{
		{"empty", Chart{Title: "x"}, `chart "x": expected at least one value`},
		{"nan", Chart{Lines: []Line{{Name: "a", Values: []float64{1, math.NaN()}}}}, `line "a": value 2: expected a finite value`},
		{"huge", Chart{LogY: true, Lines: []Line{{Values: []float64{1e300}}}}, "1e99"},
		{"log of zero", Chart{LogY: true, Lines: []Line{{Values: []float64{0}}}}, "positive"},
		{"log of position", Chart{LogX: true, Lines: []Line{{X: []float64{0}, Values: []float64{1}}}}, "position of value 1: expected a positive"},
		{"positions", Chart{Lines: []Line{{Name: "a", X: []float64{0}, Values: []float64{1, 2}}}}, "one position per value (2), got 1"},
		{"lines", Chart{Lines: seven}, "at most 6 lines, got 7"},
		{"size", Chart{Width: 10, Lines: []Line{{Values: []float64{1}}}}, "got 10 x 400"},
	} {
		_, err := c.c.Image()
		require.ErrorContains(t, err, c.want, c.name)
	}
}

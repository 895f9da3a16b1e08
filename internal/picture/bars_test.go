package picture

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testBars() Bars {
	return Bars{Title: "throughput", XLabel: "percent", Names: []string{"naive", "grouped"},
		Series: []Line{{Name: "simulated", Values: []float64{100, 240}}, {Name: "measured", Values: []float64{100, 0}}}}
}

// A bar extends from zero to its value, in its colour, and not beyond.
func TestBarsReachTheirValues(t *testing.T) {
	b := testBars()
	img, err := b.Image()
	require.NoError(t, err)
	b.Width = 640
	plot, x := b.plotArea(), linearAxis([]float64{100, 240, 100, 0})
	assert.Equal(t, 640, img.Rect.Dx())
	assert.True(t, plot.In(img.Rect))
	for i := range b.Names {
		for k, s := range b.Series {
			r := b.bar(plot, x, i, k)
			y := (r.Min.Y + r.Max.Y) / 2
			end := plot.Min.X + int(math.Round(s.Values[i]/x.high*float64(plot.Dx())))
			if s.Values[i] > 0 {
				assert.Equal(t, lineColors[k], img.RGBAAt(plot.Min.X+1, y), "%d %d", i, k)
				assert.Equal(t, lineColors[k], img.RGBAAt(end-1, y), "%d %d", i, k)
			}
			assert.NotEqual(t, lineColors[k], img.RGBAAt(end, y), "%d %d", i, k)
		}
	}
}

func TestBarsSayWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(b *Bars){
		"expected names and series, got 0 and 2":         func(b *Bars) { b.Names = nil },
		`series "measured": expected 2 values`:           func(b *Bars) { b.Series[1].Values = []float64{1} },
		`"grouped": expected a finite value of at least`: func(b *Bars) { b.Series[0].Values = []float64{1, -1} },
		`"naive": expected a finite value of at least`:   func(b *Bars) { b.Series[0].Values = []float64{math.NaN(), 1} },
		"pixels of width, got 100":                       func(b *Bars) { b.Width = 100 },
		"expected at most 6 series, got 8":               func(b *Bars) { b.Series = append(b.Series, b.Series...); b.Series = append(b.Series, b.Series...) },
	} {
		b := testBars()
		change(&b)
		_, err := b.Image()
		assert.ErrorContains(t, err, want)
	}
}

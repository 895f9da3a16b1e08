package report

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

// Bars are as long as their values, in the order of names and series.
func TestBarsReachTheirValues(t *testing.T) {
	b := testBars()
	b.Series[0].Name, b.Series[1].Name = "", "" // whose keys have the colours, too
	img, err := b.Image()
	require.NoError(t, err)
	assert.Equal(t, 640, img.Rect.Dx())
	// runs returns the lengths of a colour's runs, from top to bottom.
	runs := func(k int) (out, at []int) {
		last := 0
		for y := range img.Rect.Dy() {
			n := 0
			for x := range img.Rect.Dx() {
				if img.RGBAAt(x, y) == lineColors[k] {
					n++
				}
			}
			if n > 0 && n != last {
				out, at = append(out, n), append(at, y)
			}
			last = n
		}
		return out, at
	}
	first, firstAt := runs(0)
	second, secondAt := runs(1)
	require.Len(t, first, 2)
	require.Len(t, second, 1, "zero has no bar")
	assert.InDelta(t, 2.4, float64(first[1])/float64(first[0]), 0.02)
	assert.InDelta(t, first[0], second[0], 1)
	assert.Less(t, firstAt[0], secondAt[0], "the second series is below the first")
	assert.Less(t, secondAt[0], firstAt[1], "the second name is below the first")
}

func TestBarsSayWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(b *Bars){
		"expected names and series, got 0 and 2":         func(b *Bars) { b.Names = nil },
		`series "measured": expected 2 values`:           func(b *Bars) { b.Series[1].Values = []float64{1} },
		"no positions, got 2 and 2":                      func(b *Bars) { b.Series[0].X = []float64{1, 2} },
		`"grouped": expected a finite value of at least`: func(b *Bars) { b.Series[0].Values = []float64{1, -1} },
		`"naive": expected a finite value of at least`:   func(b *Bars) { b.Series[0].Values = []float64{math.NaN(), 1} },
		"got a width of 100":                             func(b *Bars) { b.Width = 100 },
		"and 9000 names":                                 func(b *Bars) { b.Names = make([]string, 9000) },
		"expected at most 6 series, got 8":               func(b *Bars) { b.Series = append(b.Series, b.Series...); b.Series = append(b.Series, b.Series...) },
	} {
		b := testBars()
		change(&b)
		_, err := b.Image()
		assert.ErrorContains(t, err, want)
	}
}

package picture

import (
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// lightness returns CIE L* of an sRGB colour.
func lightness(c color.RGBA) float64 {
	lin := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	y := 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
	return 116*math.Cbrt(y) - 16
}

func TestColorMapEnds(t *testing.T) {
	assert.Equal(t, color.RGBA{68, 1, 84, 255}, Viridis.At(0))
	assert.Equal(t, color.RGBA{253, 231, 37, 255}, Viridis.At(1))
	assert.Equal(t, color.RGBA{59, 76, 192, 255}, CoolWarm.At(0))
	assert.Equal(t, color.RGBA{180, 4, 38, 255}, CoolWarm.At(1))
	assert.Equal(t, Viridis.At(0), Viridis.At(-3))
	assert.Equal(t, Viridis.At(1), Viridis.At(math.Inf(1)))
	assert.Equal(t, "viridis", Viridis.Name())
	assert.Equal(t, "viridis", ColorMap{}.Name(), "the zero value")
	assert.Equal(t, Viridis.At(0.3), ColorMap{}.At(0.3))
	assert.Equal(t, Viridis.At(0), Viridis.At(math.NaN()))
}

// Viridis grows lighter evenly: each tenth of it takes between 0.65 and 1.35 of the
// mean step.
func TestViridisIsUniform(t *testing.T) {
	total := lightness(Viridis.At(1)) - lightness(Viridis.At(0))
	for k := range 10 {
		step := lightness(Viridis.At(float64(k+1)/10)) - lightness(Viridis.At(float64(k)/10))
		assert.InDelta(t, 1, step/(total/10), 0.35, "tenth %d", k)
	}
}

// CoolWarm is lightest and grey in the middle, and the lightness of its ends differs by
// at most 8 of 100.
func TestCoolWarmIsCentred(t *testing.T) {
	mid := CoolWarm.At(0.5)
	assert.InDelta(t, mid.R, mid.B, 3)
	for k := 1; k <= 10; k++ {
		low, high := lightness(CoolWarm.At(0.5-float64(k)/20)), lightness(CoolWarm.At(0.5+float64(k)/20))
		assert.Less(t, low, lightness(mid)+0.5)
		assert.Less(t, high, lightness(mid)+0.5)
		assert.InDelta(t, low, high, 8, "distance %d", k)
	}
}

package picture

import (
	"image"
	"math"
)

// drawField paints H*W values with their lower left corner at (x, y+W*scale) and scale
// pixels per value: first axis to the right, second axis upwards. smooth interpolates
// between the values, which are at the centres of their squares; without it every value
// is one square.
func drawField(dst *image.RGBA, x, y int, values []float32, h, w, scale int, smooth bool, m ColorMap, r Range) {
	for py := range w * scale {
		for px := range h * scale {
			var v float64
			if smooth {
				v = bilinear(values, h, w, along(px, scale, h), along(w*scale-1-py, scale, w))
			} else {
				v = float64(values[px/scale*w+(w*scale-1-py)/scale])
			}
			dst.SetRGBA(x+px, y+py, m.At(r.place(v)))
		}
	}
}

// along returns the position of a pixel's centre in units of values, clamped between
// the first and the last value.
func along(pixel, scale, n int) float64 {
	p := (float64(pixel)+0.5)/float64(scale) - 0.5
	return math.Min(math.Max(p, 0), float64(n-1))
}

func bilinear(values []float32, h, w int, a, b float64) float64 {
	i, j := min(int(a), max(h-2, 0)), min(int(b), max(w-2, 0))
	i1, j1 := min(i+1, h-1), min(j+1, w-1)
	fa, fb := a-float64(i), b-float64(j)
	at := func(i, j int) float64 { return float64(values[i*w+j]) }
	return (at(i, j)*(1-fa)+at(i1, j)*fa)*(1-fb) + (at(i, j1)*(1-fa)+at(i1, j1)*fa)*fb
}

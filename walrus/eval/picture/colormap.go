package picture

import (
	"image/color"
	"math"
)

// ColorMap maps numbers from 0 to 1 to colours. The zero value is Viridis.
type ColorMap struct {
	name  string
	table []color.RGBA
}

// Viridis runs from dark violet over green to yellow with evenly rising
// lightness. It is for quantities without a special value in the middle.
// Anchors: entries 0, 15, …, 255 of the 256-entry table of S. van der Walt,
// N. Smith and E. Firing (matplotlib, released under CC0); between them this
// map differs from the table by at most 5 of 255.
var Viridis = newColorMap("viridis", [][3]uint8{
	{68, 1, 84}, {72, 23, 105}, {71, 42, 122}, {67, 61, 132}, {61, 78, 138}, {53, 94, 141},
	{46, 109, 142}, {41, 123, 142}, {35, 137, 142}, {31, 151, 139}, {33, 165, 133}, {46, 179, 124},
	{70, 192, 111}, {101, 203, 94}, {137, 213, 72}, {176, 221, 47}, {216, 226, 25}, {253, 231, 37},
})

// CoolWarm runs from blue over light grey to red. It is for quantities with a sign,
// over a symmetric range. Its anchors are every second of the 33 values of K. Moreland,
// "Diverging Color Maps for Scientific Visualization" (ISVC 2009).
var CoolWarm = newColorMap("coolwarm", [][3]uint8{
	{59, 76, 192}, {77, 104, 215}, {98, 130, 234}, {119, 154, 247}, {141, 176, 254}, {163, 194, 255},
	{184, 208, 249}, {204, 217, 238}, {221, 221, 221}, {236, 211, 197}, {245, 196, 173}, {247, 177, 148},
	{244, 154, 123}, {236, 127, 99}, {222, 96, 77}, {203, 62, 56}, {180, 4, 38},
})

// newColorMap interpolates the anchors to 256 colours.
func newColorMap(name string, anchors [][3]uint8) ColorMap {
	m := ColorMap{name: name, table: make([]color.RGBA, 256)}
	for i := range m.table {
		at := float64(i) / 255 * float64(len(anchors)-1)
		k := min(int(at), len(anchors)-2)
		f := at - float64(k)
		mix := func(c int) uint8 {
			return uint8(math.Round(float64(anchors[k][c])*(1-f) + float64(anchors[k+1][c])*f))
		}
		m.table[i] = color.RGBA{mix(0), mix(1), mix(2), 255}
	}
	return m
}

// At returns the colour of f. Numbers below 0 and above 1 have the colours of the ends,
// NaN that of 0.
func (m ColorMap) At(f float64) color.RGBA {
	if m.table == nil {
		m = Viridis
	}
	if math.IsNaN(f) {
		f = 0
	}
	return m.table[int(math.Round(math.Min(math.Max(f, 0), 1)*255))]
}

// Name returns "viridis" or "coolwarm".
func (m ColorMap) Name() string {
	if m.table == nil {
		return Viridis.name
	}
	return m.name
}

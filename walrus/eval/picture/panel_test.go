package picture

import (
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ramp returns h*w values 0, 1, 2, … in memory order.
func ramp(h, w int) []float32 {
	v := make([]float32, h*w)
	for i := range v {
		v[i] = float32(i)
	}
	return v
}

// laidOut returns the layout of a panel with its defaults.
func laidOut(t *testing.T, p Panel) layout {
	t.Helper()
	p, err := p.complete()
	require.NoError(t, err)
	pen, err := newPen()
	require.NoError(t, err)
	return p.layout(pen)
}

func one(h, w int, c Cell) Panel {
	return Panel{H: h, W: w, Scale: 10, Rows: []Row{{Cells: []Cell{c}}}}
}

// The first axis is drawn to the right and the second upwards.
func TestOrientationAndColors(t *testing.T) {
	for _, smooth := range []bool{false, true} {
		p := one(3, 2, Cell{Values: ramp(3, 2)}) // value of (i, j) is 2i+j
		p.Smooth = smooth
		img, err := p.Image()
		require.NoError(t, err)
		l := laidOut(t, p)
		x, y := l.colX[0], l.rowY[0]
		at := func(i, j int) color.RGBA { return img.RGBAAt(x+10*i, y+10*2-1-10*j) } // lower left pixel of a value
		assert.Equal(t, Viridis.At(0), at(0, 0), "the minimum is at the lower left")
		assert.Equal(t, Viridis.At(1), img.RGBAAt(x+29, y), "the maximum is at the upper right")
		if !smooth {
			for i := range 3 {
				for j := range 2 {
					assert.Equal(t, Viridis.At(float64(2*i+j)/5), at(i, j), "value (%d, %d)", i, j)
				}
			}
		}
	}
}

// Between two values the smooth picture has the colour in the middle.
func TestSmoothInterpolates(t *testing.T) {
	assert.Equal(t, 0.0, along(0, 10, 3))
	assert.Equal(t, 2.0, along(29, 10, 3))
	assert.InDelta(t, 1.0, (along(14, 10, 3)+along(15, 10, 3))/2, 1e-12)
	v := ramp(3, 2)
	for i := range 3 {
		for j := range 2 {
			assert.Equal(t, float64(v[2*i+j]), bilinear(v, 3, 2, float64(i), float64(j)))
		}
	}
	assert.InDelta(t, 1.75, bilinear(v, 3, 2, 0.5, 0.75), 1e-12) // 2a + b
	assert.Equal(t, 7.0, bilinear([]float32{7}, 1, 1, 0, 0))
}

func TestLayoutHasRoomForEverything(t *testing.T) {
	c := Cell{Values: ramp(4, 6), Bar: true}
	p := Panel{Title: "a title", H: 4, W: 6, Columns: []string{"left", "right"}, Scale: 20,
		Rows: []Row{{Label: "first", Cells: []Cell{c, c}}, {Label: "second", Cells: []Cell{c, c}}}}
	img, err := p.Image()
	require.NoError(t, err)
	l := laidOut(t, p)
	assert.Equal(t, l.width, img.Rect.Dx())
	assert.Equal(t, l.height, img.Rect.Dy())
	assert.Equal(t, []int{4 * 20, 4 * 20}, l.colW)
	assert.Equal(t, []int{6 * 20, 6 * 20}, l.rowH)
	last := l.colX[1] + l.colW[1] + 1 + barGap + barSize + barText + numberWidth
	assert.LessOrEqual(t, last, l.width-margin+1)
	assert.LessOrEqual(t, l.rowY[1]+l.rowH[1], l.height-margin)
	// Nothing is drawn in the margin.
	for x := range l.width {
		for _, y := range []int{0, margin - 2, l.height - margin + 3, l.height - 1} {
			require.Equal(t, white, img.RGBAAt(x, y), "(%d, %d)", x, y)
		}
	}
	// The bar runs from the colour of the minimum to that of the maximum.
	bx := l.colX[0] + l.colW[0] + 1 + barGap
	assert.Equal(t, Viridis.At(1), img.RGBAAt(bx, l.rowY[0]))
	assert.Equal(t, Viridis.At(0), img.RGBAAt(bx, l.rowY[0]+l.rowH[0]-1))
}

func TestDefaultScale(t *testing.T) {
	for _, c := range []struct{ h, w, want int }{{48, 48, 4}, {32, 64, 3}, {500, 10, 1}, {2, 2, 96}} {
		p, err := Panel{H: c.h, W: c.w, Rows: []Row{{Cells: []Cell{{Values: ramp(c.h, c.w)}}}}}.complete()
		require.NoError(t, err)
		assert.Equal(t, c.want, p.Scale, "%d x %d", c.h, c.w)
	}
}

func TestRangesSaturateAndConstantsAreMiddle(t *testing.T) {
	p := one(2, 1, Cell{Values: []float32{-9, 9}, Map: CoolWarm, Range: Range{-1, 1}})
	img, err := p.Image()
	require.NoError(t, err)
	l := laidOut(t, p)
	assert.Equal(t, CoolWarm.At(0), img.RGBAAt(l.colX[0], l.rowY[0]))
	assert.Equal(t, CoolWarm.At(1), img.RGBAAt(l.colX[0]+19, l.rowY[0]))
	for _, v := range []float32{0, -3} {
		img, err = one(1, 1, Cell{Values: []float32{v}}).Image()
		require.NoError(t, err)
		assert.Equal(t, Viridis.At(0.5), img.RGBAAt(l.colX[0], l.rowY[0]), "constant %v", v)
	}
}

func TestPanelRefuses(t *testing.T) {
	nan := float32(math.NaN())
	good := Cell{Values: ramp(2, 2)}
	for _, c := range []struct {
		name string
		p    Panel
		want string
	}{
		{"nan", one(1, 2, Cell{Values: []float32{1, nan}}), "row 0, column 0: picture: expected finite values, got NaN at 1"},
		{"size", one(2, 2, Cell{Values: ramp(2, 1)}), "expected 4 values, got 2"},
		{"no field", Panel{Rows: []Row{{Cells: []Cell{good}}}}, "row 0, column 0: expected a field of 1 to 8192 values a side, got 0 x 0"},
		{"half a size", one(2, 2, Cell{Values: ramp(2, 2), H: 2}), "got 2 x 0"},
		{"much too large", Panel{H: 2, W: 2, Scale: math.MaxInt, Rows: []Row{{Cells: []Cell{good}}}}, "at most 8192 pixels per value"},
		{"no rows", Panel{H: 2, W: 2}, "at least one row"},
		{"ragged", Panel{H: 2, W: 2, Rows: []Row{{Cells: []Cell{good}}, {}}}, "row 1: expected 1 cells, got 0"},
		{"headings", Panel{H: 2, W: 2, Columns: []string{"a", "b"}, Rows: []Row{{Cells: []Cell{good}}}}, "expected 1 headings, got 2"},
		{"scale", Panel{H: 2, W: 2, Scale: -1, Rows: []Row{{Cells: []Cell{good}}}}, "got -1"},
		{"too large", Panel{H: 2, W: 2, Scale: 5000, Rows: []Row{{Cells: []Cell{good}}}}, "at most 8192 pixels"},
		{"range", one(2, 2, Cell{Values: ramp(2, 2), Range: Range{2, 1}}), "got 2 and 1"},
		{"range nan", one(2, 2, Cell{Values: ramp(2, 2), Range: Range{math.NaN(), 1}}), "got NaN and 1"},
	} {
		_, err := c.p.Image()
		require.ErrorContains(t, err, c.want, c.name)
	}
}

func TestExtentAndSymmetric(t *testing.T) {
	r, err := Extent([]float32{1, 5}, []float32{-2})
	require.NoError(t, err)
	assert.Equal(t, Range{-2, 5}, r)
	values := make([]float32, 101)
	for i := range values {
		values[i] = float32(-i)
	}
	r, err = Symmetric(0.9, values)
	require.NoError(t, err)
	assert.Equal(t, Range{-90, 90}, r)
	r, err = Symmetric(1, values)
	require.NoError(t, err)
	assert.Equal(t, Range{-100, 100}, r)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 { // against the sorted magnitudes
		sets, all, q := make([][]float32, 1+rng.IntN(3)), []float64{}, float64(rng.IntN(101))/100
		for i := range sets {
			for range 1 + rng.IntN(40) {
				v := float32(rng.NormFloat64() * math.Pow(10, float64(rng.IntN(76)-40)))
				if rng.IntN(4) == 0 {
					v = float32(rng.IntN(3)-1) * math.SmallestNonzeroFloat32
				}
				sets[i], all = append(sets[i], v), append(all, math.Abs(float64(v)))
			}
		}
		slices.Sort(all)
		want := all[int(math.Ceil(q*float64(len(all)-1)))]
		r, err = Symmetric(q, sets...)
		require.NoError(t, err)
		require.Equal(t, Range{-want, want}, r)
	}
	_, err = Symmetric(1.5, values)
	require.ErrorContains(t, err, "quantile")
	_, err = Extent()
	require.ErrorContains(t, err, "got none")
	_, err = Symmetric(1)
	require.ErrorContains(t, err, "got none")
	_, err = Symmetric(1, []float32{float32(math.Inf(1))})
	require.ErrorContains(t, err, "got +Inf at 0")
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {1, "1"}, {-1.11, "-1.11"}, {0.2864, "0.286"}, {-0.000123, "-1.2e-4"}, {1e6, "1e6"},
		{123456, "123456"}, {1234567, "1.23e6"}, {123.456, "123"}, {-1.234e-12, "-1e-12"}, {150, "150"},
	} {
		assert.Equal(t, c.want, number(c.v, 3))
	}
	p, err := newPen()
	require.NoError(t, err)
	assert.LessOrEqual(t, p.width(number(-888888, 3)), numberWidth)
	for e := -99; e < 99; e++ {
		assert.LessOrEqual(t, p.width(number(-1.2345*math.Pow(10, float64(e)), 3)), numberWidth)
	}
}

// Type is anti-aliased: its edges have shades between ink and paper.
func TestTypeIsAntialiased(t *testing.T) {
	p := one(2, 2, Cell{Values: ramp(2, 2)})
	p.Title = "velocity"
	img, err := p.Image()
	require.NoError(t, err)
	shades := map[color.RGBA]bool{}
	for y := margin; y < margin+lineHeight; y++ {
		for x := range img.Rect.Dx() {
			shades[img.RGBAAt(x, y)] = true
		}
	}
	assert.Greater(t, len(shades), 10)
}

// The numbers of a colour bar differ however narrow its range is.
func TestBarLabels(t *testing.T) {
	for _, c := range []struct {
		r    Range
		want [3]string
	}{
		{Range{-1, 1}, [3]string{"1", "0", "-1"}},
		{Range{0.194, 0.999}, [3]string{"0.999", "0.597", "0.194"}},
		{Range{2.999, 3.001}, [3]string{"3.001", "3", "2.999"}},
		{Range{3 - 1e-5, 3 + 1e-5}, [3]string{"3.00001", "3", "2.99999"}},
		{Range{101325 - 1e-3, 101325 + 1e-3}, [3]string{"+0.001", "101325", "-0.001"}},
		{Range{-1e300, 1e300}, [3]string{"1e300", "0", "-1e300"}},
	} {
		top, middle, bottom := c.r.labels()
		assert.Equal(t, c.want, [3]string{top, middle, bottom})
	}
	p, err := newPen()
	require.NoError(t, err)
	for _, v := range []float64{-8.88888, -1.000001e-5, -88888.8, -1e-8, -123456.7} {
		for _, half := range []float64{1e-12, 1e-7, 1e-3} {
			for _, s := range []string{number(v, 6), "-" + number(half, 2)} {
				assert.LessOrEqual(t, p.width(s), numberWidth, s)
			}
		}
	}
}

// Flat fields get room for their labels and bars, and headings are not cut.
func TestLayoutOfNarrowFields(t *testing.T) {
	p := one(40, 1, Cell{Values: ramp(40, 1), Bar: true})
	p.Scale, p.Columns, p.Rows[0].Label = 1, []string{"a heading of some length"}, "velocity_x"
	l := laidOut(t, p)
	pen, err := newPen()
	require.NoError(t, err)
	assert.Equal(t, pen.width(p.Columns[0]), l.colW[0])
	assert.Equal(t, pen.width("velocity_x"), l.rowH[0])
	p.Rows[0].Label = ""
	assert.Equal(t, 2*lineHeight, laidOut(t, p).rowH[0])
	_, err = p.Image()
	require.NoError(t, err)
}

func TestClip(t *testing.T) {
	p, err := newPen()
	require.NoError(t, err)
	full := p.width("velocity")
	assert.Equal(t, "velocity", p.clip("velocity", full))
	short := p.clip("velocity", full-1)
	assert.Equal(t, "veloc…", short)
	assert.Less(t, p.width(short), full)
	assert.Equal(t, "", p.clip("velocity", 3))
}

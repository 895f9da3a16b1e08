package picture

import (
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// files lists the files of a folder.
func files(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestPNG(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	p := one(3, 2, Cell{Values: ramp(3, 2)})
	require.NoError(t, PNG(path, p))
	assert.Equal(t, []string{"a.png"}, files(t, dir))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	got, err := png.Decode(f)
	require.NoError(t, err)
	want, err := p.Image()
	require.NoError(t, err)
	assert.Equal(t, want.Rect, got.Bounds())
	for y := range want.Rect.Dy() {
		for x := range want.Rect.Dx() {
			require.Equal(t, want.RGBAAt(x, y), got.At(x, y))
		}
	}
}

func TestGIF(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.gif")
	var panels []Panel
	for k := range 3 {
		v := []float32{float32(k), 0, 2, 1}
		panels = append(panels, one(2, 2, Cell{Values: v, Range: Range{0, 2}, Bar: true}))
	}
	require.NoError(t, GIF(path, panels, 150*time.Millisecond))
	assert.Equal(t, []string{"a.gif"}, files(t, dir))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	got, err := gif.DecodeAll(f)
	require.NoError(t, err)
	require.Len(t, got.Image, 3)
	assert.Equal(t, []int{15, 15, 60}, got.Delay)
	assert.Equal(t, 0, got.LoopCount, "for ever")
	l := laidOut(t, panels[0])
	for k, img := range got.Image {
		assert.Equal(t, l.width, img.Rect.Dx())
		assert.Equal(t, l.height, img.Rect.Dy())
		want := Viridis.At(float64(k) / 2)
		r, g, b, _ := img.At(l.colX[0], l.rowY[0]+19).RGBA() // lower left: value 0
		assert.InDelta(t, want.R, r>>8, 3)
		assert.InDelta(t, want.G, g>>8, 3)
		assert.InDelta(t, want.B, b>>8, 3)
	}
}

// The nearest colour of the palette is at most half as far as neighbouring shades are apart.
func TestPaletteIsCloseToBothMaps(t *testing.T) {
	p := gifPalette()
	assert.LessOrEqual(t, len(p), 256)
	distance := func(a, b color.RGBA) float64 {
		d := func(a, b uint8) float64 { return float64(a) - float64(b) }
		return math.Hypot(math.Hypot(d(a.R, b.R), d(a.G, b.G)), d(a.B, b.B))
	}
	const rounding = 3 // of the channels of both colours
	for _, m := range []ColorMap{Viridis, CoolWarm} {
		apart := 0.0
		for i := range gifShades - 1 {
			apart = max(apart, distance(m.At(float64(i)/(gifShades-1)), m.At(float64(i+1)/(gifShades-1))))
		}
		for i := range 256 {
			c := m.At(float64(i) / 255)
			assert.LessOrEqual(t, distance(c, p.Convert(c).(color.RGBA)), apart/2+rounding, "%s %d", m.Name(), i)
		}
	}
}

func TestFailuresLeaveNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	good, bad := one(1, 1, Cell{Values: []float32{1}}), one(1, 1, Cell{Values: []float32{float32(math.NaN())}})
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))
	require.ErrorContains(t, PNG(path, bad), path)
	require.ErrorContains(t, GIF(path, nil, time.Second), "at least one panel")
	require.ErrorContains(t, GIF(path, []Panel{good, bad}, time.Second), "frame 1")
	require.ErrorContains(t, GIF(path, []Panel{good, one(1, 2, Cell{Values: ramp(1, 2)})}, time.Second), "frame 1: expected")
	require.ErrorContains(t, GIF(path, []Panel{good}, time.Millisecond), "20ms")
	require.ErrorContains(t, GIF(path, []Panel{good}, time.Hour), "1h0m0s")
	require.ErrorContains(t, PNG(path, nil), "got nil")
	require.ErrorIs(t, PNG(filepath.Join(dir, "none", "a.png"), good), os.ErrNotExist)
	assert.Equal(t, []string{"a"}, files(t, dir))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "before", string(text))
	require.Error(t, writeFile(path, func(w io.Writer) error { w.Write([]byte("half")); return os.ErrClosed }))
	assert.Equal(t, []string{"a"}, files(t, dir))
}

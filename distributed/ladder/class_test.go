package ladder

import (
	"path/filepath"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// With fixed patches the number of tokens grows with the grid; with adaptive patches it
// is the same for all 2D grids and for all 3D grids (§4.2).
func TestTokens(t *testing.T) {
	s := Paper()
	fixed, err := s.classes(Form{})
	require.NoError(t, err)
	adaptive, err := s.classes(Form{Adaptive: true})
	require.NoError(t, err)
	both, err := s.classes(Form{Adaptive: true, Differential: true})
	require.NoError(t, err)
	assert.Len(t, fixed, 19)
	for i, e := range s.Systems {
		points := 1
		for _, n := range e.Grid {
			points *= n / FixedPatch
		}
		assert.Equal(t, 3*points, fixed[i].Tokens, e.Name)
		for j, a := range fixed[i].plan.Axes[:len(e.Grid)] {
			assert.Equal(t, [2]int{4, 4}, a.Stride, "%s axis %d", e.Name, j)
			assert.Equal(t, e.Boundaries[j], a.Boundary)
			assert.Equal(t, e.Grid[j], a.Length)
		}
		if e.Volume() {
			assert.Equal(t, 3*4096, adaptive[i].Tokens, e.Name)
			assert.Equal(t, adaptive[i].Seconds(), both[i].Seconds())
		} else {
			assert.Equal(t, 3*1024, adaptive[i].Tokens, e.Name)
			assert.InEpsilon(t, 4*adaptive[i].Seconds(), both[i].Seconds(), 0.01)
		}
		assert.Equal(t, 3*4096, both[i].Tokens, e.Name)
	}
}

// The times of a class follow from its operations.
func TestClassTimes(t *testing.T) {
	c := walrus.Walrus()
	e, ok := data.FindEntry("MHD_64")
	require.True(t, ok)
	k, err := NewClass(c, e, Form{Adaptive: true, Differential: true}, Rates{1e12, 1e12, 1e12})
	require.NoError(t, err)
	shape, err := distributed.ShapeOf(e)
	require.NoError(t, err)
	f, err := distributed.Estimate(c, distributed.Local(), shape)
	require.NoError(t, err)
	w := f.Forward // every other block is recomputed
	step := 3*w.Total() + 0.5*(w.Dense+w.Time) + 0.75*w.Space
	assert.InEpsilon(t, step/1e12, k.Seconds(), 1e-9)
	assert.InEpsilon(t, 2, k.Encoder.Backward/k.Encoder.Forward, 1e-9)
	assert.Greater(t, k.Blocks.Backward/k.Blocks.Forward, 2.5, "every other block is computed again, and in the others the softmax")
	k.scale(7)
	assert.InEpsilon(t, 7, k.Seconds(), 1e-9)
}

// made returns a table with the times that known rates give.
func made(t *testing.T, r Rates) *Times {
	s := Paper()
	s.Config, s.Rates = walrus.Small(), r
	out := &Times{Source: "made", Config: s.Config}
	for _, form := range []Form{{Adaptive: true}, {Adaptive: true, Differential: true}} {
		list, err := s.classes(form)
		require.NoError(t, err)
		for _, c := range list {
			out.Classes = append(out.Classes, Time{System: c.Name, Form: form, Seconds: c.Seconds()})
		}
	}
	return out
}

func TestFitFindsRates(t *testing.T) {
	want := Rates{100e9, 30e9, 20e9}
	times := made(t, want)
	got, off, err := times.Fit()
	require.NoError(t, err)
	assert.InEpsilon(t, want.Dense, got.Dense, 1e-6)
	assert.InEpsilon(t, want.Attention, got.Attention, 1e-6)
	assert.InEpsilon(t, want.Convolution, got.Convolution, 1e-6)
	assert.Less(t, off, 1e-9)

	free := made(t, Rates{100e9, 1e30, 20e9})
	for i, c := range free.Classes {
		if i%3 == 0 {
			free.Classes[i].Seconds = c.Seconds * 0.9
		}
	}
	got, _, err = free.Fit()
	require.NoError(t, err)
	assert.Greater(t, got.Attention, 1e12, "times that show no cost of attention")

	times.Classes[0].Seconds *= 2
	_, off, err = times.Fit()
	require.NoError(t, err)
	assert.Greater(t, off, 0.02)

	_, _, err = (&Times{Config: times.Config, Classes: times.Classes[:2]}).Fit()
	assert.ErrorContains(t, err, "at least 3 classes")
	times.Classes[1].System = "nothing"
	_, _, err = times.Fit()
	assert.ErrorContains(t, err, `a system of the catalog, got "nothing"`)
}

// Measured times are used unchanged, also after writing and reading a file.
func TestMeasuredTimes(t *testing.T) {
	times := made(t, Rates{100e9, 30e9, 20e9})
	times.Classes[3].Seconds *= 1.5
	path := filepath.Join(t.TempDir(), "times.json")
	require.NoError(t, times.Save(path))
	read, err := ReadTimes(path)
	require.NoError(t, err)
	assert.Equal(t, times, read)
	s, err := Paper().Measured(read)
	require.NoError(t, err)
	list, err := s.classes(Form{Adaptive: true})
	require.NoError(t, err)
	assert.InEpsilon(t, times.Classes[3].Seconds, list[3].Seconds(), 1e-12)
	assert.Equal(t, "small", s.Config.Name)

	read.Classes[0].Seconds = 0
	require.NoError(t, read.Save(path))
	_, err = ReadTimes(path)
	assert.ErrorContains(t, err, "expected positive seconds, got 0")
	_, err = ReadTimes(path + "x")
	assert.ErrorContains(t, err, "no such file")
}

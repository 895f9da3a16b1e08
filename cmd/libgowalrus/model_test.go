package main

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// layout is that of the programs in testdata.
func layout() start {
	return start{fields: "pressure,velocity:vector", boundaries: "wall/open,wall/open", axes: 2, history: 6, grid: [3]int64{16, 16}}
}

// TestSizes: lengths follow from the window, and everything that has none is refused with the
// code of the header.
func TestSizes(t *testing.T) {
	z, err := layout().sizes(2, 0)
	require.NoError(t, err)
	assert.Equal(t, sizes{frame: 768, frames: 4608, out: 1536}, z)
	out, constants := array{"out", outOf, 1536}, array{"constants", constantsOf, 1}
	assert.Equal(t, codeLength, codeOf(z.compare(out, constants)))
	constants.got = 0
	assert.NoError(t, z.compare(out, constants))
	for _, change := range []func(s *start){
		func(s *start) { s.axes = 0 }, func(s *start) { s.axes = math.MaxInt64 }, func(s *start) { s.grid[1] = 0 },
		func(s *start) { s.grid = [3]int64{math.MaxInt64, math.MaxInt64} }, func(s *start) { s.grid = [3]int64{1 << 30, 1 << 30} },
		func(s *start) { s.history = 0 }, func(s *start) { s.history = math.MaxInt64 },
		func(s *start) { s.fields = "" }, func(s *start) { s.fields = "a:b" }, func(s *start) { s.boundaries = "periodic" },
	} {
		s := layout()
		change(&s)
		_, err := s.sizes(1, 0)
		assert.Equal(t, codeWindow, codeOf(err), "%v", err)
	}
	for _, n := range [][2]int64{{0, 0}, {1, -1}, {math.MaxInt64, 1}, {1 << 20, 1 << 20}} {
		_, err := layout().sizes(n[0], n[1])
		assert.Equal(t, codeWindow, codeOf(err), "%v", err)
	}
	assert.Equal(t, codeInternal, codeOf(os.ErrNotExist))
	for _, err := range []error{closeModel(99), forecast(99, layout(), 1, 0, nil), vjp(99, layout(), nil, nil, nil)} {
		assert.Equal(t, codeModel, codeOf(err))
	}
	_, err = open("no/such/weights", 1)
	assert.Equal(t, codeWeights, codeOf(err))
}

// TestLanguages: programs in C, Fortran and Python forecast, and differentiate forecasts, as a
// Go program does, bit for bit, and their misuse is an error. The phase languages of .ci/run names the compilers.
func TestLanguages(t *testing.T) {
	if os.Getenv("GOWALRUS_LANGUAGES") == "" {
		t.Skip("GOWALRUS_LANGUAGES is not set: .ci/run languages sets it")
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	run := func(env []string, name string, args ...string) {
		t.Helper()
		c := exec.Command(name, args...)
		c.Env = append(os.Environ(), env...)
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s %v: %s", name, args, out)
	}
	run(nil, "go", "build", "-buildmode=c-shared", "-o", path("libgowalrus.so"), ".")
	flags := []string{"-L" + dir, "-lgowalrus", "-Wl,-rpath," + dir, "-lpthread"}
	run(nil, "gcc", append([]string{"-std=c11", "-Wall", "-Wextra", "-Werror", "-I.", "-o", path("c"), "testdata/forecast.c"}, flags...)...)
	run(nil, "gfortran", append([]string{"-std=f2018", "-Wall", "-J" + dir, "-o", path("fortran"), "fortran/gowalrus.f90", "testdata/forecast.f90"}, flags...)...)

	w := history()
	var raw []byte
	for _, frame := range w.Frames {
		for _, v := range frame {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	}
	require.NoError(t, os.WriteFile(path("history"), raw, 0o600))
	run(nil, path("c"), path("history"), path("c.out"))
	run(nil, path("fortran"), path("history"), path("fortran.out"))
	run([]string{"PYTHONPATH=python:" + os.Getenv("PYTHONPATH")}, "python3", "testdata/forecast.py", path("libgowalrus.so"), path("history"), path("python.out"))

	b, err := backend.Pick(false)
	require.NoError(t, err)
	em, err := nano.Open("nano", walrus.EmulatorOptions{Backend: b, Seed: 7})
	require.NoError(t, err)
	defer em.Close()
	frames, err := em.Forecast(context.Background(), w, 2)
	require.NoError(t, err)
	gradient, err := em.VJP(context.Background(), w, frames, walrus.GradientOptions{})
	require.NoError(t, err)
	var want []byte
	for _, frame := range slices.Concat(frames, gradient.Frames) {
		for _, v := range frame {
			want = binary.LittleEndian.AppendUint32(want, math.Float32bits(v))
		}
	}
	for _, language := range []string{"c", "fortran", "python"} {
		got, err := os.ReadFile(path(language + ".out"))
		require.NoError(t, err)
		assert.Equal(t, want, got, language)
	}
}

// history returns waves that walrus-nano knows.
func history() *data.Window {
	w := &data.Window{Name: "waves", Grid: []int{16, 16}, Fields: []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}}}
	for range w.Grid {
		w.Boundaries = append(w.Boundaries, data.Boundary{Low: data.Wall, High: data.Open})
	}
	for k := range 6 {
		frame := make([]float32, 3*w.Points())
		for i := range frame {
			x, y := float64(i/16%16), float64(i%16)
			frame[i] = float32(math.Sin(0.4*x-0.3*float64(k)) * math.Cos(0.2*y+float64(i/256)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

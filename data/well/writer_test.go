package well_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// randomHeader draws a header with fields of every kind.
func randomHeader(rng *rand.Rand, dims int) well.Header {
	h := well.Header{
		Dataset: "random", Trajectories: 1 + rng.IntN(3), Deflate: rng.IntN(11) - 1,
		Fields: []data.Field{{Name: "p"}, {Name: "q"}, {Name: "c", Constant: true}, {Name: "u", Order: 1},
			{Name: "f", Order: 1, Constant: true}, {Name: "T", Order: 2}},
		Parameters: []well.Parameter{{Name: "Re", Value: 100}, {Name: "nu", Value: 0.25}},
		Scalars:    []well.ScalarSpec{{Name: "seed", Constant: true}, {Name: "energy"}},
	}
	for i := range 1 + rng.IntN(5) {
		h.Times = append(h.Times, 0.5+0.25*float32(i))
	}
	kinds := []data.BC{data.Wall, data.Open}
	for range dims {
		x := make([]float32, 2+rng.IntN(6))
		for k := range x {
			x[k] = float32(k * k)
		}
		h.Coordinates = append(h.Coordinates, x)
		b := data.Both(data.Periodic)
		if rng.IntN(2) == 0 {
			b = data.Boundary{Low: kinds[rng.IntN(2)], High: kinds[rng.IntN(2)]}
		}
		h.Boundaries = append(h.Boundaries, b)
	}
	return h
}

func randomValues(rng *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

// TestWriterRoundTrip writes random files and reads every frame back.
func TestWriterRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 12 {
		dims := 1 + i%3
		h := randomHeader(rng, dims)
		path := filepath.Join(t.TempDir(), "a.hdf5")
		w, err := well.Create(path, h, well.WriteOptions{})
		require.NoError(t, err)
		points := 1
		for _, x := range h.Coordinates {
			points *= len(x)
		}
		variable, constant := points*(2+dims+dims*dims), points*(1+dims)
		frames, constants, energy := make([][][]float32, h.Trajectories), make([][]float32, h.Trajectories), make([][]float32, h.Trajectories)
		for k := range h.Trajectories {
			for step := range h.Times {
				frames[k] = append(frames[k], randomValues(rng, variable))
				require.NoError(t, w.Frame(k, step, frames[k][step]))
			}
			constants[k], energy[k] = randomValues(rng, constant), randomValues(rng, len(h.Times))
			require.NoError(t, w.Constants(k, constants[k]))
			require.NoError(t, w.Scalar("seed", k, []float32{float32(k)}))
			require.NoError(t, w.Scalar("energy", k, energy[k]))
		}
		require.NoError(t, w.Close())

		ds, err := well.Open(path, well.Options{})
		require.NoError(t, err)
		m := ds.Metadata()
		assert.Equal(t, "random", m.Name)
		assert.Equal(t, h.Boundaries, ds.Files()[0].Boundaries)
		assert.Equal(t, h.Parameters, ds.Files()[0].Parameters)
		assert.Equal(t, []string{"Re", "nu", "seed"}, m.ConstantScalars)
		for k := range h.Trajectories {
			got, err := ds.Read(context.Background(), data.Span{Trajectory: k, Stride: 1, Frames: len(h.Times)}, nil)
			require.NoError(t, err)
			require.NoError(t, got.Validate())
			assert.Equal(t, frames[k], got.Frames)
			assert.Equal(t, constants[k], got.Constants)
			assert.Equal(t, h.Times, got.Times)
			assert.Equal(t, h.Coordinates, got.Coordinates)
			assert.Equal(t, []data.Scalar{{Name: "Re", Constant: true, Values: []float32{100}}, {Name: "nu", Constant: true, Values: []float32{0.25}},
				{Name: "seed", Constant: true, Values: []float32{float32(k)}}, {Name: "energy", Values: energy[k]}}, got.Scalars)
		}
		require.NoError(t, ds.Close())
	}
}

// TestWriterIncomplete: an incomplete file is removed.
func TestWriterIncomplete(t *testing.T) {
	h := randomHeader(rand.New(rand.NewPCG(2, 2)), 2)
	h.Trajectories, h.Times = 1, []float32{0, 1}
	points := len(h.Coordinates[0]) * len(h.Coordinates[1])
	frame, constants := make([]float32, 8*points), make([]float32, 3*points)
	steps := []struct {
		missing string
		do      func(w *well.Writer) error
	}{
		{"trajectory 0: frame 0 was not written", func(w *well.Writer) error { return w.Frame(0, 0, frame) }},
		{"trajectory 0: frame 1 was not written", func(w *well.Writer) error { return w.Frame(0, 1, frame) }},
		{"trajectory 0: the constant fields were not written", func(w *well.Writer) error { return w.Constants(0, constants) }},
		{`trajectory 0: scalar "seed" was not written`, func(w *well.Writer) error { return w.Scalar("seed", 0, []float32{1}) }},
		{`trajectory 0: scalar "energy" was not written`, func(w *well.Writer) error { return w.Scalar("energy", 0, []float32{1, 2}) }},
		{"", nil},
	}
	for n, step := range steps {
		path := filepath.Join(t.TempDir(), "a.hdf5")
		w, err := well.Create(path, h, well.WriteOptions{})
		require.NoError(t, err)
		for _, s := range steps[:n] {
			require.NoError(t, s.do(w))
		}
		err = w.Close()
		if step.missing == "" {
			require.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, step.missing)
		entries, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		assert.Empty(t, entries)
	}
}

func TestWriterErrors(t *testing.T) {
	h := randomHeader(rand.New(rand.NewPCG(3, 3)), 2)
	h.Coordinates, h.Times, h.Trajectories = [][]float32{{0, 1}, {0, 1}}, []float32{0, 1}, 1
	path := filepath.Join(t.TempDir(), "a.hdf5")
	w, err := well.Create(path, h, well.WriteOptions{})
	require.NoError(t, err)
	defer w.Abort()
	frame := make([]float32, 32)
	frame[9] = float32(math.Inf(1))
	for want, err := range map[string]error{
		"trajectory 0 frame 1: field u component 0 point 1 is +Inf: expected finite values": w.Frame(0, 1, frame),
		"expected 32 values, got 3":                                   w.Frame(0, 0, frame[:3]),
		"expected a trajectory below 1 and a frame below 2":           w.Frame(0, 2, frame),
		"expected a trajectory below 1, got 1":                        w.Constants(1, frame),
		"constant fields: expected 12 values, got 32":                 w.Constants(0, frame),
		`scalar "mass": expected one of [{seed true} {energy false}]`: w.Scalar("mass", 0, nil),
	} {
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, path)
	}
	_, err = well.Create(filepath.Join(path, "none", "a.hdf5"), h, well.WriteOptions{})
	assert.Error(t, err)
	_, err = well.Create(path, h, well.WriteOptions{Driver: "cobol"})
	assert.ErrorContains(t, err, `unknown HDF5 driver "cobol": expected one of `)
}

func TestHeaderValidate(t *testing.T) {
	for want, change := range map[string]func(h *well.Header){
		"expected the name of the data set":                            func(h *well.Header) { h.Dataset = "" },
		"expected 1 to 1048576 trajectories, got 0":                    func(h *well.Header) { h.Trajectories = 0 },
		"expected the time of at least one frame":                      func(h *well.Header) { h.Times = nil },
		"times: expected increasing numbers, got 1 after 1 at frame 1": func(h *well.Header) { h.Times = []float32{1, 1} },
		"expected the coordinates of 1 to 3 axes":                      func(h *well.Header) { h.Coordinates = nil },
		"axis y: expected coordinates, got none":                       func(h *well.Header) { h.Coordinates[1] = nil },
		"axis x: expected finite coordinates, got NaN at point 0":      func(h *well.Header) { h.Coordinates[0][0] = float32(math.NaN()) },
		"axis 1: boundary of the low end is not set":                   func(h *well.Header) { h.Boundaries[1] = data.Boundary{} },
		"boundaries: expected one per axis (2), got 1":                 func(h *well.Header) { h.Boundaries = h.Boundaries[:1] },
		"expected at least one field that varies with time":            func(h *well.Header) { h.Fields = nil },
		`field "p" is listed twice`:                                    func(h *well.Header) { h.Fields = append(h.Fields, data.Field{Name: "p"}) },
		"axes [y x]: expected [x y] for Cartesian coordinates":         func(h *well.Header) { h.Axes = []string{"y", "x"} },
		`parameter "Re": expected a new name and a finite number`:      func(h *well.Header) { h.Parameters = append(h.Parameters, h.Parameters[0]) },
		`parameter "grid_type": the layout has an attribute`:           func(h *well.Header) { h.Parameters[0].Name = "grid_type" },
		`scalar "Re": expected a new name`:                             func(h *well.Header) { h.Scalars[0].Name = "Re" },
		"expected a compression level of -1 to 9, got 10":              func(h *well.Header) { h.Deflate = 10 },
		"axis x has one point: expected the same boundary at both ends": func(h *well.Header) {
			h.Coordinates[0] = h.Coordinates[0][:1]
			h.Boundaries[0] = data.Boundary{Low: data.Wall, High: data.Open}
		},
	} {
		h := randomHeader(rand.New(rand.NewPCG(4, 4)), 2)
		h.Coordinates = [][]float32{slices.Clone(h.Coordinates[0]), h.Coordinates[1]}
		require.NoError(t, h.Validate())
		change(&h)
		assert.ErrorContains(t, h.Validate(), want, fmt.Sprintf("%+v", h))
		_, err := well.Create(filepath.Join(t.TempDir(), "a.hdf5"), h, well.WriteOptions{})
		assert.ErrorContains(t, err, want)
	}
}

package objective_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/objective"
)

// small returns an emulator of untrained weights and a window of two frames.
func small(t testing.TB) (*walrus.Emulator, *data.Window) {
	c := walrus.Micro()
	c.Tokens = [3]int{4, 4, 2}
	c.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z")
	weights, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	e, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: testbackend.New(t), OwnWeights: true})
	require.NoError(t, err)
	t.Cleanup(e.Close)
	w := &data.Window{Grid: []int{8, 8}, Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Wall)}, Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	for k := range 2 {
		frame := make([]float32, 3*64)
		for i := range frame {
			frame[i] = float32(math.Sin(0.3*float64(i) + float64(k)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return e, w
}

func gradient(t *testing.T, e *walrus.Emulator, w *data.Window, steps int, o *walrus.Objective) *walrus.ForecastGradient {
	t.Helper()
	g, err := e.Gradient(context.Background(), w, steps, o, walrus.GradientOptions{})
	require.NoError(t, err)
	return g
}

// TestMean: the mean over points of the window and of the forecast, by hand.
func TestMean(t *testing.T) {
	e, w := small(t)
	o, err := objective.Mean(objective.Region{Channel: "velocity_x", Step: 0, Points: []int{3, 40, 3}})
	require.NoError(t, err)
	g := gradient(t, e, w, 0, o)
	require.InDelta(t, (2*w.Frames[1][64+3]+w.Frames[1][64+40])/3, g.Value, 1e-6)
	want := make([]float32, 3*64)
	want[64+3], want[64+40] = 2./3, 1./3
	require.InDeltaSlice(t, want, g.Frames[1], 1e-6)
	require.Equal(t, make([]float32, 3*64), g.Frames[0])

	o, err = objective.Mean(objective.Region{Channel: "density", Step: 2})
	require.NoError(t, err)
	g = gradient(t, e, w, 2, o)
	sum := 0.0
	for _, v := range g.Forecast[1][:64] {
		sum += float64(v)
	}
	require.InDelta(t, sum/64, g.Value, 1e-6)
	require.NotZero(t, g.Frames[0][100])
}

// TestMisfit: value and gradient by hand, with deviations and missing values.
func TestMisfit(t *testing.T) {
	e, w := small(t)
	nan := float32(math.NaN())
	o, err := objective.Misfit(
		objective.Observations{Region: objective.Region{Channel: "density", Step: -1, Points: []int{5, 7, 5}}, Values: []float32{0.5, nan, -1}, Deviation: 0.1},
		objective.Observations{Region: objective.Region{Channel: "velocity_y", Step: 0}, Values: slices.Repeat([]float32{2}, 64)},
	)
	require.NoError(t, err)
	g := gradient(t, e, w, 0, o)
	u := float64(w.Frames[0][5])
	value, slope := 0.5*((u-0.5)*(u-0.5)+(u+1)*(u+1))/0.01, (2*u+0.5)/0.01
	want := make([]float32, 3*64)
	want[5] = float32(slope)
	require.InDeltaSlice(t, want, g.Frames[0], 1e-4)
	clear(want)
	for p := range 64 {
		v := w.Frames[1][128+p] - 2
		want[128+p] = v
		value += 0.5 * float64(v) * float64(v)
	}
	require.InDeltaSlice(t, want, g.Frames[1], 1e-5)
	require.InEpsilon(t, value, g.Value, 1e-5)
}

// TestErrors: mistakes name the channel and the expectation.
func TestErrors(t *testing.T) {
	e, w := small(t)
	inf := float32(math.Inf(1))
	for want, o := range map[string]objective.Observations{
		"channel heat: expected points of a grid, got -1":           {Region: objective.Region{Channel: "heat", Points: []int{-1}}, Values: []float32{1}},
		"channel heat: expected points, or nil for all":             {Region: objective.Region{Channel: "heat", Points: []int{}}},
		"step 3: expected a value for each of 2 points, got 1":      {Region: objective.Region{Channel: "heat", Step: 3, Points: []int{1, 2}}, Values: []float32{1}},
		"expected finite values, or NaN for missing ones, got +Inf": {Region: objective.Region{Channel: "heat"}, Values: []float32{inf}},
		"expected a standard deviation, got -1":                     {Region: objective.Region{Channel: "heat"}, Deviation: -1},
	} {
		_, err := objective.Misfit(o)
		require.ErrorContains(t, err, want)
	}
	for want, o := range map[string]objective.Observations{
		"expected one of the channels [density velocity_x velocity_y], got heat": {Region: objective.Region{Channel: "heat"}},
		"channel density: expected points from 0 to 63, got 64":                  {Region: objective.Region{Channel: "density", Points: []int{64}}, Values: []float32{1}},
		"channel density, step 0: expected 64 values, got 1":                     {Region: objective.Region{Channel: "density"}, Values: []float32{1}},
		"expected a step from -1 to 0, got 1":                                    {Region: objective.Region{Channel: "density", Step: 1}, Values: []float32{1}},
	} {
		misfit, err := objective.Misfit(o)
		require.NoError(t, err)
		_, err = e.Gradient(context.Background(), w, 0, misfit, walrus.GradientOptions{})
		require.ErrorContains(t, err, want)
	}
}

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	region := objective.Region{Channel: "density", Points: []int{1}}
	w := random(rand.New(rand.NewPCG(1, 2)), 8, 6)
	cosines, err := objective.NewCosines(w, 2, 1)
	require.NoError(t, err)
	sweep.Run(t, sweep.Package{
		Funcs:   []any{objective.Mean, objective.Misfit, objective.NewCosines, objective.NewSearch},
		Types:   []any{new(objective.Search)},
		Made:    []any{(*objective.Cosines)(nil)},
		Values:  []any{w, cosines, region, []objective.Observations{{Region: region, Values: []float32{1}}}},
		Strings: []string{"density"},
	})
}

// The sensitivity of a mean at the second step to the frames of the window.
func ExampleMean() {
	b, err := backend.Default()
	if err != nil {
		log.Fatal(err)
	}
	weights, err := walrus.InitWeights(walrus.Micro(), 1)
	if err != nil {
		log.Fatal(err)
	}
	em, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: b, OwnWeights: true})
	if err != nil {
		log.Fatal(err)
	}
	defer em.Close()
	w := &data.Window{Grid: []int{16}, Boundaries: data.Boundaries{data.Both(data.Periodic)}, Fields: []data.Field{{Name: "density"}}}
	for k := range 3 {
		frame := make([]float32, 16)
		for i := range frame {
			frame[i] = float32(math.Sin(float64(i+k) * math.Pi / 8))
		}
		w.Frames = append(w.Frames, frame)
	}
	mean, err := objective.Mean(objective.Region{Channel: "density", Step: 2, Points: []int{7, 8}})
	if err != nil {
		log.Fatal(err)
	}
	g, err := em.Gradient(context.Background(), w, 2, mean, walrus.GradientOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(g.Frames), len(g.Frames[2]), len(g.Forecast))
	// Output: 3 16 2
}

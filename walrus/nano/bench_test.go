package nano

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// flow returns six random frames of four channels on 64² points.
func flow() *data.Window {
	w := &data.Window{Name: "flow", Grid: []int{64, 64}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)},
		Fields: []data.Field{{Name: "pressure"}, {Name: "tracer"}, {Name: "velocity", Order: 1}}}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 6 {
		frame := make([]float32, 4*64*64)
		for i := range frame {
			frame[i] = float32(rng.NormFloat64())
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// BenchmarkFamiliarity scores a window.
func BenchmarkFamiliarity(b *testing.B) {
	f, err := Familiarity()
	require.NoError(b, err)
	w := flow()
	for b.Loop() {
		if _, _, err := f.Score(w); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGradient forecasts five frames, and computes the gradient of the mean square of the
// last frame, which includes that forecast. CPU-s/op are seconds of all cores.
func BenchmarkGradient(b *testing.B) {
	em, err := Load(walrus.EmulatorOptions{Backend: testbackend.New(b), Seed: 1, Divergence: walrus.Divergence{Factor: -1}})
	require.NoError(b, err)
	defer em.Close()
	w, ctx := flow(), context.Background()
	target := walrus.NewObjective(func(t walrus.Trajectory) *graph.Node { return graph.ReduceAllMean(graph.Square(t.Frame(5))) })
	for _, t := range []struct {
		name string
		do   func() error
	}{
		{"forecast", func() error { _, err := em.Forecast(ctx, w, 5); return err }},
		{"gradient", func() error { _, err := em.Gradient(ctx, w, 5, target, walrus.GradientOptions{}); return err }},
	} {
		b.Run(t.name, func(b *testing.B) {
			require.NoError(b, t.do())
			before, err := machine.Used()
			require.NoError(b, err)
			for b.Loop() {
				require.NoError(b, t.do())
			}
			after, err := machine.Used()
			require.NoError(b, err)
			b.ReportMetric((after.CPU-before.CPU).Seconds()/float64(b.N), "CPU-s/op")
		})
	}
}

package serve_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// tracer returns a history of two frames.
func tracer(grid ...int) *data.Window {
	w := &data.Window{Name: "tracer", Fields: []data.Field{{Name: "tracer"}}, Grid: grid,
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}}
	for t := range 2 {
		f := make([]float32, w.Points())
		for i := range f {
			f[i] = float32((i*7+t*5)%23) / 23
		}
		w.Frames = append(w.Frames, f)
	}
	return w
}

// TestPanicOfAKernel: a panic while operations run (here an integer division by zero)
// is an error. In the default configuration of the Go backend it ends the process.
func TestPanicOfAKernel(t *testing.T) {
	t.Setenv(backend.Env, "go")
	for _, auto := range []bool{false, true} {
		b, err := serve.OpenBackend(auto)
		require.NoError(t, err)
		divide, err := graph.NewExec(b, func(x *graph.Node) *graph.Node { return graph.Div(x, graph.SubScalar(x, 1)) })
		require.NoError(t, err)
		for range 3 {
			_, err = divide.Call([]int32{1, 2})
			assert.ErrorContains(t, err, "integer divide by zero")
			out, err := divide.Call([]int32{2, 4})
			require.NoError(t, err, "the same program goes on")
			assert.Equal(t, []int32{2, 1}, out[0].Value())
		}
		b.Finalize()
	}
}

// TestPickSpelledOut: a configuration that is given is used.
func TestPickSpelledOut(t *testing.T) {
	t.Setenv(backend.Env, "go:parallelism=-1")
	b, err := serve.OpenBackend(true)
	require.NoError(t, err)
	assert.Contains(t, b.Description(), "parallelism=-1")
	t.Setenv(backend.Env, "abacus")
	_, err = serve.OpenBackend(true)
	assert.ErrorContains(t, err, "abacus")
}

// BenchmarkFrame compares the configuration for serving with the default one: a frame
// of walrus-nano, of one forecast alone and of two at once.
func BenchmarkFrame(b *testing.B) {
	w := tracer(64, 64)
	for _, form := range []struct {
		name string
		open func() (compute.Backend, error)
	}{{"sequential", func() (compute.Backend, error) { return serve.OpenBackend(false) }}, {"side by side", backend.Go}} {
		on, err := form.open()
		require.NoError(b, err)
		em, err := nano.Load(walrus.EmulatorOptions{Backend: on, Seed: 1})
		require.NoError(b, err)
		forecast := func(steps int) {
			_, err := em.Forecast(context.Background(), w, steps)
			assert.NoError(b, err)
		}
		forecast(1) // the first call compiles
		for _, forecasts := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", form.name, forecasts), func(b *testing.B) {
				var group sync.WaitGroup
				for range forecasts {
					group.Go(func() { forecast(max(1, b.N/forecasts)) })
				}
				group.Wait()
			})
		}
		em.Close()
		on.Finalize()
	}
}

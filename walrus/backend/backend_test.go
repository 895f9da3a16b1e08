package backend

import (
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChoose(t *testing.T) {
	for _, tt := range []struct{ env, config string }{
		{"go", goConfig}, {"go:ops_sequential", goSequential}, {"xla:cuda,tf32=false", "xla:cuda,tf32=false"},
	} {
		t.Setenv(Env, tt.env)
		assert.Equal(t, tt.config, choose().Config, tt.env)
	}
}

func TestOpenRunsAProgram(t *testing.T) {
	b, choice, err := Open()
	require.NoError(t, err)
	require.NotEmpty(t, choice.Why)
	out, err := graph.CallOnce(b, func(x *graph.Node) *graph.Node { return graph.ReduceAllSum(x) }, []float32{1, 2, 3})
	require.NoError(t, err)
	assert.Equal(t, float32(6), out.Value())
}

// While a backend opens, go-xla replaces os.Stderr. The garbage collector must not close the
// descriptor of the old one.
func TestOpenKeepsStandardError(t *testing.T) {
	before := os.Stderr
	for range 2 {
		_, _, err := Open()
		require.NoError(t, err)
		require.Same(t, before, os.Stderr)
		runtime.GC()
		runtime.GC()
		_, err = os.Stderr.Stat()
		require.NoError(t, err)
	}
}

func TestOpenNamesTheConfiguration(t *testing.T) {
	t.Setenv(Env, "nosuch:thing")
	_, _, err := Open()
	require.ErrorContains(t, err, `"nosuch:thing"`)
	require.ErrorContains(t, err, "GOMLX_BACKEND is set")
}

func TestGoHasNoBound(t *testing.T) {
	b, err := Go()
	require.NoError(t, err)
	assert.Contains(t, b.Description(), "parallelism=-1")
	assert.False(t, unbounded(nil))
	assert.False(t, unbounded(struct{ compute.Backend }{b}), "a backend without a pool of its own")
}

// Many products that are ready at once fill the pool of gomlx's default configuration,
// which then hangs.
func TestGoDoesNotWaitForItself(t *testing.T) {
	b, err := Go()
	require.NoError(t, err)
	const batch, n, products = 8, 64, 64
	e, err := graph.NewExec(b, func(x *graph.Node) *graph.Node {
		var sum *graph.Node
		for i := range products {
			y := graph.AddScalar(x, float64(i))
			y = graph.ReduceAllMean(graph.DotGeneral(y, []int{2}, []int{0}, y, []int{1}, []int{0}))
			if sum == nil {
				sum = y
			} else {
				sum = graph.Add(sum, y)
			}
		}
		return sum
	})
	require.NoError(t, err)
	var want float64 // products of matrices with all entries i: i²·n
	for i := range products {
		want += float64(i * i * n)
	}
	run := func(times int) {
		for range times {
			out, err := e.Call(tensors.FromShape(shapes.Make(dtypes.Float32, batch, n, n)))
			if assert.NoError(t, err) {
				assert.InEpsilon(t, want, float64(out[0].Value().(float32)), 1e-3)
			}
		}
	}
	done := make(chan struct{})
	go func() {
		run(50)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { run(10) })
		}
		all.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("operations wait for each other")
	}
}

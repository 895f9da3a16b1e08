package main

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/backend"
)

// TestPanicOfAKernel: a panic while operations run (here an integer division by zero) is
// an error. In the form of the Go backend that others get it ends the process.
func TestPanicOfAKernel(t *testing.T) {
	t.Setenv(backend.Env, "go")
	for _, auto := range []bool{false, true} {
		b, err := pick(auto)
		require.NoError(t, err)
		divide := func(x *graph.Node) *graph.Node { return graph.Div(x, graph.SubScalar(x, 1)) }
		_, err = graph.CallOnce(b, divide, []int32{1, 2})
		assert.ErrorContains(t, err, "integer divide by zero")
		out, err := graph.CallOnce(b, divide, []int32{2, 4})
		require.NoError(t, err, "it goes on")
		assert.Equal(t, []int32{2, 1}, out.Value())
		b.Finalize()
	}
}

// TestPickSpelledOut: who spells out a form gets it.
func TestPickSpelledOut(t *testing.T) {
	t.Setenv(backend.Env, "go:parallelism=-1")
	b, err := pick(true)
	require.NoError(t, err)
	assert.Contains(t, b.Description(), "parallelism=-1")
	t.Setenv(backend.Env, "abacus")
	_, err = pick(true)
	assert.ErrorContains(t, err, "abacus")
}

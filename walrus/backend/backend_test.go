package backend

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChoose(t *testing.T) {
	for _, tt := range []struct{ env, config string }{
		{"go", goConfig}, {"go:ops_sequential", goConfig}, {"xla:cuda,tf32=false", "xla:cuda,tf32=false"},
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

func TestOpenNamesTheConfiguration(t *testing.T) {
	t.Setenv(Env, "nosuch:thing")
	_, _, err := Open()
	require.ErrorContains(t, err, `"nosuch:thing"`)
	require.ErrorContains(t, err, "GOMLX_BACKEND is set")
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEmbed: the surrogate is better than no change at every step of a reaction whose
// parameters it has not seen.
func TestEmbed(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), &out))
	for want := range steps {
		var step int
		var model, same float64
		_, err := fmt.Fscanf(&out, "step %d: VRMSE %f, no change %f\n", &step, &model, &same)
		require.NoError(t, err)
		assert.Equal(t, want+1, step)
		assert.Less(t, model, same)
	}
}

func TestEmbedStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, run(ctx, &bytes.Buffer{}), context.Canceled)
}

// TestReactor: without B the square fills with A; with B, both concentrations stay
// between 0 and 1.
func TestReactor(t *testing.T) {
	r := newReactor(16)
	before := slices.Min(r.a)
	clear(r.b)
	r.next()
	assert.Greater(t, slices.Min(r.a), before)
	assert.Zero(t, slices.Max(r.b))
	for _, v := range newReactor(16).next() {
		assert.True(t, v >= 0 && v <= 1, "%v", v)
	}
}

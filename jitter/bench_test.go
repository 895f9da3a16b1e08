package jitter_test

import (
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/jitter"
)

// benchJitterer is that of six frames of 128×128 points.
func benchJitterer(b *testing.B) jitter.Jitterer {
	b.Helper()
	plan, err := csm.NewPlan([]int{128, 128}, data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}, csm.Options{})
	require.NoError(b, err)
	return jitter.Jitterer{Plan: plan}
}

// BenchmarkApply measures padding and shifting six frames of five channels, and its inverse.
func BenchmarkApply(b *testing.B) {
	j := benchJitterer(b)
	x, shift := testbackend.Normal("x", 1, 6, 5, 128, 128, 1), testbackend.Tensor([]int32{1, -2, 0}, 3)
	apply := func(in []*Node) *Node { return j.Apply(in[0], in[1]) }
	b.Run("apply", func(b *testing.B) {
		testbackend.Bench(b, func(in []*Node) []*Node { return []*Node{apply(in)} }, x, shift)
	})
	b.Run("apply and invert", func(b *testing.B) {
		testbackend.Bench(b, func(in []*Node) []*Node {
			y := apply(in)
			y = SliceAxis(y, -1, AxisRange(0, 5))
			return []*Node{j.Invert(y, in[1], 6, 1)}
		}, x, shift)
	})
}

// BenchmarkDraw measures the draws of a step: a shift and the latent rolls of 40 blocks.
func BenchmarkDraw(b *testing.B) {
	j, rng := benchJitterer(b), rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		j.Draw(rng)
		j.DrawLatentRolls(rng, 40)
	}
}

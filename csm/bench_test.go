package csm_test

import (
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// BenchmarkHMLP measures the encoder on six frames of 128×128 points and five channels, and
// the decoder on the tokens of one frame, with the widths of the small size.
func BenchmarkHMLP(b *testing.B) {
	plan, err := csm.NewPlan([]int{128, 128}, data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}, csm.Options{})
	require.NoError(b, err)
	h := csm.HMLP{States: 8, Inner: 64, Hidden: 256}
	shapes := random(h, rand.New(rand.NewPCG(1, 1)))
	keys, weights, vars := shapes.inputs()
	for i, key := range keys {
		weights[i] = testbackend.Normal(key, shapes[key].dims...)
	}
	padded, grid := plan.PaddedGrid(), plan.TokenGrid()
	fields := testbackend.Normal("x", 6, padded[0], padded[1], padded[2], 8)
	tokens := testbackend.Normal("y", 1, grid[0], grid[1], grid[2], 256)
	ids := testbackend.Tensor([]int32{3, 4, 5, 6, 7, 2, 0, 1}, 8)
	b.Run("encode", func(b *testing.B) {
		testbackend.Bench(b, func(in []*Node) []*Node {
			return []*Node{h.Encode(in[0], h.EncoderWeights(vars(in[2:]).In("embed")), in[1], nil, plan)}
		}, append([]*tensors.Tensor{fields, ids}, weights...)...)
	})
	b.Run("decode", func(b *testing.B) {
		testbackend.Bench(b, func(in []*Node) []*Node {
			return []*Node{h.Decode(in[0], h.DecoderWeights(vars(in[2:]).In("debed")), SliceAxis(in[1], 0, AxisRange(0, 5)), plan)}
		}, append([]*tensors.Tensor{tokens, ids}, weights...)...)
	})
}

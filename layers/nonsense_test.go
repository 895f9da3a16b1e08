package layers_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/layers"
)

// TestNonsense: no function outside graph building panics on bad input.
func TestNonsense(t *testing.T) {
	sweep.Run(t, sweep.Package{
		Funcs: []any{layers.BucketBias, layers.Dense, layers.DrawKeep, layers.DropPath, layers.DropPathRates, layers.FanIn, layers.GELU, layers.GroupNorm, layers.LayerNorm, layers.NewAxialRoPE,
			layers.NewCausalTimeAttention, layers.NewDropPath, layers.NewGroupNorm, layers.NewParallelAttention, layers.NewPatchConv, layers.NewPatchConvTranspose,
			layers.NewRMSGroupNorm, layers.NewRelativeBias, layers.PatchConv, layers.PatchConvTranspose, layers.PatchWidths, layers.RMSGroupNorm,
			layers.RelativeBias, layers.RelativeBucket, layers.RelativeTableShape, layers.RoPEBase, layers.RoPEFrequencies, layers.RoPEPositions,
			layers.RoPEWeights, layers.Rotate, layers.ScopeVars, layers.ScoresAtOnce, layers.SelectColumns, layers.SelectInput, layers.SiLU, layers.SoftmaxAttention,
			layers.StepBias, layers.SwapFirst, layers.SwiGLU, layers.VarsFrom, layers.Widen},
		Types: []any{new(layers.NormForm), new(layers.RoPEMode), new(layers.AxialRoPE), new(layers.AxialRoPEBuilder), new(layers.Block), new(layers.DropPathBuilder), new(layers.GroupNormBuilder), new(layers.Init),
			new(layers.ParallelAttention), new(layers.ParallelAttentionBuilder), new(layers.PatchConvBuilder), new(layers.PatchConvTransposeBuilder),
			new(layers.RMSGroupNormBuilder), new(layers.RelativeBiasBuilder), new(layers.TimeAttention), new(layers.TimeAttentionBuilder)},
		Exempt: map[string]string{"RelativeTableShape": "makes a shape of gomlx, as a graph does"},
	})
}

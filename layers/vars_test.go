package layers

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

func TestVarsFromJoinsNames(t *testing.T) {
	got := paramsOf(func(v Vars) {
		blocks := v.In("blocks").In("0")
		blocks.In("norm1").Var("weight", One, 3)
		blocks.Var("scale", Zero)
		v.Var("ape", Init{Normal: 2}, 1, 2)
	})
	require.Equal(t, []param{
		{key: "blocks.0.norm1.weight", dims: []int{3}, init: One},
		{key: "blocks.0.scale", init: Zero},
		{key: "ape", dims: []int{1, 2}, init: Init{Normal: 2}},
	}, got)
}

func TestInits(t *testing.T) {
	require.Equal(t, Init{Uniform: 0.25}, FanIn(16))
	// docs/reference.md §7.4: about 1.0954e-6/√fan-in, and 1e-6/√fan-in.
	require.InEpsilon(t, 1.0954e-6/4, residualWeight(16).Uniform, 1e-4)
	require.InEpsilon(t, 1e-6/4, residualBias(16).Uniform, 1e-12)
	b := Block{Time: TimeAttention{Channels: 16, Heads: 2}, Space: ParallelAttention{Channels: 16, Heads: 2}}
	inits := map[string]Init{}
	for _, p := range paramsOf(func(v Vars) { b.Weights(v) }) {
		inits[p.key] = p.init
	}
	require.Equal(t, map[string]Init{
		"space_mixing.norm1.weight":                               One,
		"space_mixing.fused_ff_qkv.weight":                        FanIn(16),
		"space_mixing.fused_ff_qkv.bias":                          FanIn(16),
		"space_mixing.ff_out.weight":                              residualWeight(32),
		"space_mixing.ff_out.bias":                                residualBias(32),
		"space_mixing.attn_out.weight":                            residualWeight(16),
		"space_mixing.q_norm.weight":                              One,
		"space_mixing.q_norm.bias":                                Zero,
		"space_mixing.k_norm.weight":                              One,
		"space_mixing.k_norm.bias":                                Zero,
		"space_mixing.rotary_emb.freqs":                           {Values: RoPEBase(8), Buffer: true},
		"time_mixing.norm1.weight":                                One,
		"time_mixing.input_head.weight":                           FanIn(16),
		"time_mixing.input_head.bias":                             FanIn(16),
		"time_mixing.output_head.weight":                          residualWeight(16),
		"time_mixing.output_head.bias":                            residualBias(16),
		"time_mixing.qnorm.weight":                                One,
		"time_mixing.qnorm.bias":                                  Zero,
		"time_mixing.knorm.weight":                                One,
		"time_mixing.knorm.bias":                                  Zero,
		"time_mixing.rel_pos_bias.relative_attention_bias.weight": {Normal: 1},
	}, inits)
}

// checkInit compares many drawn values with the distribution of init.
func checkInit(t *testing.T, init Init, v []float32) {
	t.Helper()
	mean, square, top := 0.0, 0.0, 0.0
	for _, x := range v {
		mean += float64(x) / float64(len(v))
		square += float64(x) * float64(x) / float64(len(v))
		top = max(top, math.Abs(float64(x)))
	}
	sigma := 5 / math.Sqrt(float64(len(v))) // five standard deviations
	switch {
	case init.Uniform > 0 && init.Positive:
		require.LessOrEqual(t, top, init.Uniform)
		require.InDelta(t, 0.5, mean/init.Uniform, sigma)
		require.InDelta(t, 1.0/3, square/init.Uniform/init.Uniform, sigma)
	case init.Uniform > 0:
		require.LessOrEqual(t, top, init.Uniform)
		require.Greater(t, top, 0.99*init.Uniform)
		require.InDelta(t, 0, mean/init.Uniform, sigma)
		require.InDelta(t, 1.0/3, square/init.Uniform/init.Uniform, sigma)
	case init.Normal > 0:
		require.InDelta(t, 0, mean/init.Normal, sigma)
		require.InDelta(t, 1, square/init.Normal/init.Normal, 2*sigma)
		require.Greater(t, top, 3*init.Normal)
	default:
		for _, x := range v {
			require.Equal(t, float32(init.Constant), x)
		}
	}
}

var drawnInits = map[string]Init{"uniform": FanIn(100), "positive": {Uniform: 0.2, Positive: true}, "tiny": residualWeight(100),
	"normal": {Normal: 0.3}, "one": One, "zero": Zero}

func TestInitFill(t *testing.T) {
	for name, init := range drawnInits {
		t.Run(name, func(t *testing.T) {
			v := make([]float32, 20_000)
			require.NoError(t, init.Fill(v, 1, "a"))
			checkInit(t, init, v)
		})
	}
	v := make([]float32, 3)
	require.NoError(t, Init{Values: []float32{1, 2, 3}}.Fill(v, 1, "a"))
	require.Equal(t, []float32{1, 2, 3}, v)
	err := Init{Values: []float32{1, 2}}.Fill(v, 1, "rotary_emb.freqs")
	require.ErrorContains(t, err, "rotary_emb.freqs: expected 3 values, got 2")
}

func TestInitFillRepeats(t *testing.T) {
	draw := func(seed uint64, key string) []float32 {
		v := make([]float32, 8)
		require.NoError(t, FanIn(4).Fill(v, seed, key))
		return v
	}
	require.Equal(t, draw(1, "a.weight"), draw(1, "a.weight"))
	require.NotEqual(t, draw(1, "a.weight"), draw(2, "a.weight"))
	require.NotEqual(t, draw(1, "a.weight"), draw(1, "b.weight"))
}

func TestScopeVars(t *testing.T) {
	store := model.NewStore()
	const n = 20_000
	_, err := model.CallOnceN(testbackend.New(t), store, func(scope *model.Scope, g *Graph) []*Node {
		v := ScopeVars(scope.At("model"), g).In("blocks").In("0")
		var out []*Node
		for name, init := range drawnInits {
			out = append(out, ReduceAllSum(v.In(name).Var("weight", init, n)))
		}
		out = append(out, v.In("freqs").Var("2", Init{Values: []float32{1, 2, 3, 4}, Buffer: true}, 2, 2))
		return append(out, v.Var("scale", One))
	})
	require.NoError(t, err)
	value := func(name string) []float32 {
		v := store.GetVariable("/model/blocks/0/" + name)
		require.NotNil(t, v, name)
		require.Equal(t, name != "freqs/2", v.Trainable, name)
		return tensors.MustCopyFlatData[float32](v.MustValue())
	}
	for name, init := range drawnInits {
		checkInit(t, init, value(name+"/weight"))
	}
	require.Equal(t, []float32{1, 2, 3, 4}, value("freqs/2"))
	require.Equal(t, []float32{1}, value("scale"))
	require.Equal(t, []int{2, 2}, store.GetVariable("/model/blocks/0/freqs/2").Shape().Dimensions)
}

package layers

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

// builderCase is a builder and the equivalent pure function.
type builderCase struct {
	name  string
	dims  []int // of x
	build func(scope *model.Scope, x *Node) *Node
	pure  func(x *Node, v Vars) *Node
	// names holds the release's names of the parameters, frozen those that are not trained.
	names, frozen []string
}

var (
	spaceNames = []string{"attn_out.weight", "ff_out.bias", "ff_out.weight", "fused_ff_qkv.bias", "fused_ff_qkv.weight",
		"k_norm.bias", "k_norm.weight", "norm1.weight", "q_norm.bias", "q_norm.weight"}
	timeNames = []string{"input_head.bias", "input_head.weight", "knorm.bias", "knorm.weight", "norm1.weight",
		"output_head.bias", "output_head.weight", "qnorm.bias", "qnorm.weight"}
	tableName = "rel_pos_bias.relative_attention_bias.weight"
)

func plus(names []string, more ...string) []string {
	out := append(slices.Clone(names), more...)
	slices.Sort(out)
	return out
}

// keepNode returns fixed drop-path factors for the first axis of x.
func keepNode(x *Node) *Node {
	n := x.Shape().Dim(0)
	return DivScalar(AddScalar(Iota(x.Graph(), shapes.Make(x.DType(), n), 0), 1), float64(n))
}

// The grid, roll and norm of the tested builders.
var (
	builderGrid = [3]int{2, 3, 1}
	builderRoll = [3]int{1, 2, 0}
	builderNorm = NormConfig{Form: NormGroup, Groups: 4}
)

func normAndRoPEBuilders() []builderCase {
	grid, roll := builderGrid, builderRoll
	return []builderCase{
		{name: "norm", dims: []int{2, 3, 8}, names: []string{"weight"},
			build: func(s *model.Scope, x *Node) *Node { return NewRMSGroupNorm(s, x).Done() },
			pure:  func(x *Node, v Vars) *Node { return RMSGroupNorm(x, v.Var("weight", One, 8), NormConfig{}) }},
		{name: "norm of the paper", dims: []int{2, 3, 8}, names: []string{"weight"},
			build: func(s *model.Scope, x *Node) *Node { return NewRMSGroupNorm(s, x).PaperForm(4).Epsilon(0.5).Done() },
			pure: func(x *Node, v Vars) *Node {
				return RMSGroupNorm(x, v.Var("weight", One, 8), NormConfig{Form: NormGroup, Groups: 4, Eps: 0.5})
			}},
		{name: "group norm", dims: []int{2, 3, 8}, names: []string{"bias", "weight"},
			build: func(s *model.Scope, x *Node) *Node { return NewGroupNorm(s, x, 4).Done() },
			pure: func(x *Node, v Vars) *Node {
				return GroupNorm(x, v.Var("weight", One, 8), v.Var("bias", Zero, 8), 4)
			}},
		{name: "RoPE", dims: []int{2, 6, 16}, names: []string{"freqs"}, frozen: []string{"freqs"},
			build: func(s *model.Scope, x *Node) *Node { return NewAxialRoPE(s, x, grid).Done() },
			pure:  func(x *Node, v Vars) *Node { return Rotate(x, RoPEWeights(v, RoPEFixed, 16).Angles(grid, nil)) }},
		{name: "shared RoPE", dims: []int{2, 6, 16}, names: []string{"freqs"},
			build: func(s *model.Scope, x *Node) *Node { return NewAxialRoPE(s, x, grid).Mode(RoPEShared).Done() },
			pure:  func(x *Node, v Vars) *Node { return Rotate(x, RoPEWeights(v, RoPEShared, 16).Angles(grid, nil)) }},
		{name: "rolled RoPE", dims: []int{2, 6, 16}, names: []string{"freqs.0", "freqs.1", "freqs.2"},
			build: func(s *model.Scope, x *Node) *Node {
				return NewAxialRoPE(s, x, grid).Mode(RoPEPerAxis).Roll(rollNode(x, roll)).Done()
			},
			pure: func(x *Node, v Vars) *Node {
				return Rotate(x, RoPEWeights(v, RoPEPerAxis, 16).Angles(grid, rollNode(x, roll)))
			}},
	}
}

func attentionBuilders() []builderCase {
	grid, roll, group := builderGrid, builderRoll, builderNorm
	return []builderCase{
		{name: "space", dims: []int{2, 6, 16}, names: plus(spaceNames, "rotary_emb.freqs"), frozen: []string{"rotary_emb.freqs"},
			build: func(s *model.Scope, x *Node) *Node { return NewParallelAttention(s, x, 2, grid).Done() },
			pure: func(x *Node, v Vars) *Node {
				p := ParallelAttention{Channels: 16, Heads: 2}
				return p.Apply(x, p.Weights(v), grid, nil, nil)
			}},
		{name: "space with options", dims: []int{2, 6, 16},
			names: plus(spaceNames, "rotary_emb.freqs.0", "rotary_emb.freqs.1", "rotary_emb.freqs.2"),
			build: func(s *model.Scope, x *Node) *Node {
				return NewParallelAttention(s, x, 2, grid).MLP(10).RoPE(RoPEPerAxis).Norm(group).
					Roll(rollNode(x, roll)).DropPath(keepNode(x)).Done()
			},
			pure: func(x *Node, v Vars) *Node {
				p := ParallelAttention{Channels: 16, Heads: 2, MLP: 10, RoPE: RoPEPerAxis, Norm: group}
				return p.Apply(x, p.Weights(v), grid, rollNode(x, roll), keepNode(x))
			}},
		{name: "time", dims: []int{3, 2, 2, 8}, names: plus(timeNames, tableName),
			build: func(s *model.Scope, x *Node) *Node { return NewCausalTimeAttention(s, x, 2).Done() },
			pure: func(x *Node, v Vars) *Node {
				p := TimeAttention{Channels: 8, Heads: 2}
				return p.Apply(x, p.Weights(v), nil)
			}},
		{name: "time with options", dims: []int{3, 2, 2, 8}, names: plus(timeNames, tableName),
			build: func(s *model.Scope, x *Node) *Node {
				return NewCausalTimeAttention(s, x, 2).Causal(false).Norm(group).DropPath(keepNode(x)).Done()
			},
			pure: func(x *Node, v Vars) *Node {
				p := TimeAttention{Channels: 8, Heads: 2, Acausal: true, Norm: group}
				return p.Apply(x, p.Weights(v), keepNode(x))
			}},
		{name: "bias", dims: []int{1}, names: []string{tableName},
			build: func(s *model.Scope, x *Node) *Node { return NewRelativeBias(s, x.Graph(), 2, 5).Done() },
			pure:  func(x *Node, v Vars) *Node { return RelativeBias(relativeTable(v, 2), 5, true) }},
		{name: "bias both ways", dims: []int{1}, names: []string{tableName},
			build: func(s *model.Scope, x *Node) *Node { return NewRelativeBias(s, x.Graph(), 2, 5).Causal(false).Done() },
			pure:  func(x *Node, v Vars) *Node { return RelativeBias(relativeTable(v, 2), 5, false) }},
	}
}

// TestBuilders builds every case twice in the scope blocks/3: the second build finds the
// variables of the first. It sets them to random values and compares with the pure
// function.
func TestBuilders(t *testing.T) {
	for _, c := range append(normAndRoPEBuilders(), attentionBuilders()...) {
		t.Run(c.name, func(t *testing.T) {
			store := model.NewStore()
			x := seeded32("x "+c.name, c.dims)
			exec, err := model.NewExec(testbackend.New(t), store, func(scope *model.Scope, x *Node) []*Node {
				s := scope.At("blocks").At("3")
				first, second := c.build(s, x), c.build(s, x)
				return []*Node{first, second, c.pure(x, existing(store, x.Graph(), "/blocks/3/"))}
			})
			require.NoError(t, err)
			defer exec.Finalize()
			_, err = exec.Call(x) // creates the variables
			require.NoError(t, err)
			var names, frozen []string
			for v := range store.IterVariables() {
				key, ok := strings.CutPrefix(v.Path(), "/blocks/3/")
				if !ok {
					require.Contains(t, v.Path(), model.RNGStateVariableName, "a variable outside the scope")
					continue
				}
				key = strings.ReplaceAll(key, "/", ".")
				names = append(names, key)
				if !v.Trainable {
					frozen = append(frozen, key)
				}
				require.Equal(t, dtypes.Float32, v.DType(), key)
				require.NoError(t, v.SetValue(seeded32(key, v.Shape().Dimensions)))
			}
			slices.Sort(names)
			require.Equal(t, c.names, names)
			require.Equal(t, c.frozen, frozen)
			out, err := exec.Call(x)
			require.NoError(t, err)
			first, second, pure := arrayOf(out[0]), arrayOf(out[1]), arrayOf(out[2])
			require.NotZero(t, norm(first.data))
			requireClose(t, pure, first, 1e-6)
			requireClose(t, pure, second, 1e-6)
		})
	}
}

// existing returns Vars that finds parameters among a store's variables below a path and
// creates none.
func existing(store *model.Store, g *Graph, path string) Vars {
	return VarsFrom(func(key string, _ Init, dims []int) *Node {
		v := store.GetVariable(path + strings.ReplaceAll(key, ".", "/"))
		must(v != nil, "expected a variable for %s, got none", key)
		must(slices.Equal(dims, v.Shape().Dimensions), "%s: expected %v, got %v", key, dims, v.Shape().Dimensions)
		return v.NodeValue(g)
	})
}

// seeded32 returns a float32 tensor of random values.
func seeded32(name string, dims []int) *tensors.Tensor { return testbackend.Normal(name, dims...) }

func arrayOf(t *tensors.Tensor) array {
	a := wide(tensors.MustCopyFlatData[float32](t))
	return a.reshape(t.Shape().Dimensions...)
}

package layers

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
)

// Vars gives access to the parameters of a block by name. Names joined with dots are keys
// of the release's state dict: in the space mixing of block 0, In("norm1").Var("weight", …)
// is "blocks.0.space_mixing.norm1.weight".
type Vars interface {
	// In returns the Vars of a sub-block.
	In(name string) Vars
	// Var returns the parameter with the given dimensions. init is its value if no
	// checkpoint has one.
	Var(name string, init Init, dims ...int) *Node
}

// VarFunc returns the node of the parameter with a full key, "blocks.0.….weight".
type VarFunc func(key string, init Init, dims []int) *Node

// VarsFrom returns a Vars that calls fn with every key.
func VarsFrom(fn VarFunc) Vars { return keyVars{fn: fn} }

type keyVars struct {
	prefix string
	fn     VarFunc
}

func (v keyVars) In(name string) Vars { return keyVars{prefix: v.prefix + name + ".", fn: v.fn} }

func (v keyVars) Var(name string, init Init, dims ...int) *Node {
	return v.fn(v.prefix+name, init, dims)
}

// ScopeVars returns a Vars whose parameters are float32 variables in a gomlx scope. The key
// "norm1.weight" is the variable "weight" in the sub-scope "norm1".
func ScopeVars(scope *model.Scope, g *Graph) Vars {
	return VarsFrom(func(key string, init Init, dims []int) *Node {
		at := scope
		parts := strings.Split(key, ".")
		for _, p := range parts[:len(parts)-1] {
			at = at.At("%s", p)
		}
		v := at.WithInitializer(init.initializer(at)).
			VariableWithShape(parts[len(parts)-1], shapes.Make(dtypes.Float32, dims...))
		if init.Buffer {
			v.SetTrainable(false)
		}
		return v.NodeValue(g)
	})
}

// Init describes the initial value of a parameter. The first field that is set decides:
// uniform in ±Uniform (or in [0, Uniform) if Positive is set), normal with standard deviation Normal, the given Values, or the
// Constant.
type Init struct {
	Uniform, Normal float64
	Positive        bool
	Values          []float32
	Constant        float64
	// Buffer marks a value that is saved with the weights but not trained.
	Buffer bool
}

// One initialises with 1, Zero with 0.
var (
	One  = Init{Constant: 1}
	Zero = Init{}
)

// FanIn is the reference's default for weights and biases of linear layers and
// convolutions: uniform in ±1/√fanIn (docs/reference.md §7.4).
func FanIn(fanIn int) Init { return Init{Uniform: 1 / sqrt(float64(fanIn))} }

// residualWeight and residualBias initialise the last layer of a residual branch so close
// to zero that a new block is nearly the identity: the reference's Kaiming bound with a =
// √5/10⁻⁶, and 10⁻⁶/√fanIn (docs/reference.md §7.4).
func residualWeight(fanIn int) Init {
	return Init{Uniform: sqrt(6 / ((1 + 5e12) * float64(fanIn)))}
}

func residualBias(fanIn int) Init { return Init{Uniform: 1e-6 / sqrt(float64(fanIn))} }

// Fill draws the value into dst. The generator is seeded by seed and key, so that a
// parameter's value does not depend on the other parameters.
func (i Init) Fill(dst []float32, seed uint64, key string) error {
	h := fnv.New64a()
	h.Write([]byte(key))
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	switch {
	case i.Uniform > 0:
		for k := range dst {
			u := rng.Float64()
			if !i.Positive {
				u = 2*u - 1
			}
			dst[k] = float32(u * i.Uniform)
		}
	case i.Normal > 0:
		for k := range dst {
			dst[k] = float32(rng.NormFloat64() * i.Normal)
		}
	case i.Values != nil:
		if len(i.Values) != len(dst) {
			return fmt.Errorf("layers: initial value of %s: expected %d values, got %d", key, len(dst), len(i.Values))
		}
		copy(dst, i.Values)
	default:
		for k := range dst {
			dst[k] = float32(i.Constant)
		}
	}
	return nil
}

// initializer returns the distribution as a gomlx initializer, which draws from the scope's
// random state.
func (i Init) initializer(scope *model.Scope) model.VariableInitializer {
	switch {
	case i.Uniform > 0:
		low := -i.Uniform
		if i.Positive {
			low = 0
		}
		return initializer.RandomUniformFn(scope, low, i.Uniform)
	case i.Normal > 0:
		return initializer.RandomNormalFn(scope, i.Normal)
	case i.Values != nil:
		return func(g *Graph, shape shapes.Shape) *Node {
			return Reshape(ConvertDType(Const(g, i.Values), shape.DType), shape.Dimensions...)
		}
	}
	return func(g *Graph, shape shapes.Shape) *Node { return FillScalar(g, shape, i.Constant) }
}

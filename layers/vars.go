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

// Vars hands out the parameters of a block by name. Names are joined with
// dots to the keys of the release's state dict: In("norm1").Var("weight", …)
// inside block 0's space mixing is "blocks.0.space_mixing.norm1.weight".
type Vars interface {
	// In returns the Vars of a sub-block.
	In(name string) Vars
	// Var returns the parameter of the given dimensions. init is its value
	// when no checkpoint supplies one.
	Var(name string, init Init, dims ...int) *Node
}

// VarFunc resolves the full key of a parameter, "blocks.0.….weight", to a node.
type VarFunc func(key string, init Init, dims []int) *Node

// VarsFrom returns the Vars that resolves every key with fn.
func VarsFrom(fn VarFunc) Vars { return keyVars{fn: fn} }

type keyVars struct {
	prefix string
	fn     VarFunc
}

func (v keyVars) In(name string) Vars { return keyVars{prefix: v.prefix + name + ".", fn: v.fn} }

func (v keyVars) Var(name string, init Init, dims ...int) *Node {
	return v.fn(v.prefix+name, init, dims)
}

// ScopeVars returns Vars that live as float32 variables in a gomlx scope. The
// key "norm1.weight" becomes the variable "weight" in the sub-scope "norm1".
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

// Init is the initial value of a parameter: uniform in ±Uniform, normal with
// standard deviation Normal, the given Values, or the Constant, in this order
// of precedence.
type Init struct {
	Uniform, Normal float64
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

// FanIn is the default of the reference's linear and convolution layers, for
// weights and biases alike: uniform in ±1/√fanIn (SPEC §7.4).
func FanIn(fanIn int) Init { return Init{Uniform: 1 / sqrt(float64(fanIn))} }

// residualWeight and residualBias initialise the last layer of a residual
// branch so close to zero that a fresh block is the identity: the reference's
// Kaiming bound with a = √5/10⁻⁶, and 10⁻⁶/√fanIn (SPEC §7.4).
func residualWeight(fanIn int) Init {
	return Init{Uniform: sqrt(6 / ((1 + 5e12) * float64(fanIn)))}
}

func residualBias(fanIn int) Init { return Init{Uniform: 1e-6 / sqrt(float64(fanIn))} }

// Fill draws the value into dst. The generator is seeded by seed and key, so
// that a parameter's value does not depend on which others exist.
func (i Init) Fill(dst []float32, seed uint64, key string) error {
	h := fnv.New64a()
	h.Write([]byte(key))
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	switch {
	case i.Uniform > 0:
		for k := range dst {
			dst[k] = float32((2*rng.Float64() - 1) * i.Uniform)
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

// initializer is the same distribution as a gomlx initializer, drawn from the
// scope's own random state.
func (i Init) initializer(scope *model.Scope) model.VariableInitializer {
	switch {
	case i.Uniform > 0:
		return initializer.RandomUniformFn(scope, -i.Uniform, i.Uniform)
	case i.Normal > 0:
		return initializer.RandomNormalFn(scope, i.Normal)
	case i.Values != nil:
		return func(g *Graph, shape shapes.Shape) *Node {
			return Reshape(ConvertDType(Const(g, i.Values), shape.DType), shape.Dimensions...)
		}
	}
	return func(g *Graph, shape shapes.Shape) *Node { return FillScalar(g, shape, i.Constant) }
}

package walrus

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/layers"
)

// Param describes one tensor of a network: its key and shape in the release's state
// dict, and its initial value.
type Param struct {
	Key  string
	Dims []int
	Init layers.Init
}

// Size returns the number of values.
func (p Param) Size() int {
	n := 1
	for _, d := range p.Dims {
		n *= d
	}
	return n
}

// Params lists every tensor of the network in the order of the release's state dict
// without allocating them. The released configuration has 857 tensors with
// 1,286,199,047 parameters, not counting the 440 constant rotary frequencies
// (Init.Buffer) among them.
func (c Config) Params() ([]Param, error) {
	m, err := NewModel(c)
	if err != nil {
		return nil, err
	}
	return m.params(c.Dims...), nil
}

// params lists the tensors that inputs of the given dimensionalities use.
func (m *Model) params(dims ...int) []Param {
	return ParamsOf(func(v layers.Vars) { m.Weights(v, dims...) })
}

// ParamsOf lists the tensors that a function gets from its argument, in their order. The
// function gets a nil node for every tensor.
func ParamsOf(get func(v layers.Vars)) []Param {
	if get == nil {
		return nil
	}
	var out []Param
	get(layers.VarsFrom(func(key string, init layers.Init, d []int) *Node {
		out = append(out, Param{Key: key, Dims: slices.Clone(d), Init: init})
		return nil
	}))
	return out
}

// ParamsFor lists the tensors that inputs of a plan use: all but the encoders
// and decoders of other dimensionalities.
func (m *Model) ParamsFor(plan *csm.Plan) ([]Param, error) {
	if plan == nil {
		return nil, errors.New("walrus: parameters: expected a plan, got nil")
	}
	dim, err := m.dimensionality(plan)
	if err != nil {
		return nil, err
	}
	return m.params(dim), nil
}

// WeightsFor gets the parameters of [Model.ParamsFor] from v. It panics if the
// network has no encoder for the plan.
func (m *Model) WeightsFor(v layers.Vars, plan *csm.Plan) ModelWeights {
	dim, err := m.dimensionality(plan)
	if err != nil {
		panic(err)
	}
	return m.Weights(v, dim)
}

// ModelWeights are the parameters of a network, as nodes.
type ModelWeights struct {
	FieldScale *Node // [1], the release's encoder_dummy
	APE        *Node // [1, 1, C, h, w, d] or nil
	Embed      map[int]csm.EncoderWeights
	Debed      map[int]csm.DecoderWeights
	Blocks     []layers.BlockWeights
	// late, if set, returns the parameters of blocks and decoder that are to be used in place
	// of Blocks and Debed once x is available.
	late func(x *Node) layers.Vars
}

// reachedLate reports whether a parameter belongs to blocks or decoder.
func reachedLate(key string) bool {
	return strings.HasPrefix(key, "blocks.") || strings.HasPrefix(key, "debed.")
}

// blockWeights returns the parameters of block i, whose input is x.
func (m *Model) blockWeights(w ModelWeights, i int, x *Node) layers.BlockWeights {
	if w.late == nil {
		return w.Blocks[i]
	}
	return m.block().Weights(w.late(x).In("blocks").In(strconv.Itoa(i)))
}

// decoderWeights returns the parameters of the decoder of dim axes, whose input is x.
func (m *Model) decoderWeights(w ModelWeights, dim int, x *Node) csm.DecoderWeights {
	if w.late == nil {
		return w.Debed[dim]
	}
	return m.hmlp().DecoderWeights(w.late(x).In("debed").In(strconv.Itoa(dim)))
}

// Weights gets the parameters that inputs of the given dimensionalities use from v,
// under the release's names and in its order. Without dims it gets all parameters.
func (m *Model) Weights(v layers.Vars, dims ...int) ModelWeights {
	c := m.config
	if len(dims) == 0 {
		dims = c.Dims
	}
	w := ModelWeights{Embed: map[int]csm.EncoderWeights{}, Debed: map[int]csm.DecoderWeights{}}
	w.FieldScale = v.Var("encoder_dummy", layers.One, 1)
	if len(c.APE) == 3 {
		w.APE = v.Var("ape", layers.Init{Normal: 5e-3}, 1, 1, c.Hidden, c.APE[0], c.APE[1], c.APE[2])
	}
	for _, d := range dims {
		w.Embed[d] = m.hmlp().EncoderWeights(v.In("embed").In(strconv.Itoa(d)))
	}
	for i := range c.Blocks {
		w.Blocks = append(w.Blocks, m.block().Weights(v.In("blocks").In(strconv.Itoa(i))))
	}
	for _, d := range dims {
		w.Debed[d] = m.hmlp().DecoderWeights(v.In("debed").In(strconv.Itoa(d)))
	}
	return w
}

func (m *Model) hmlp() csm.HMLP {
	c := m.config
	return csm.HMLP{States: c.States(), Inner: c.Intermediate, Hidden: c.Hidden, Kernel: c.Kernel, Norm: m.norm()}
}

func (m *Model) norm() layers.NormConfig {
	return layers.NormConfig{Form: m.config.Norm, Groups: m.config.Groups}
}

func (m *Model) block() layers.Block {
	c := m.config
	return layers.Block{
		Time: layers.TimeAttention{Channels: c.Hidden, Heads: c.Heads, Acausal: !c.Causal,
			NoBias: c.TimeBias == BiasNone, Norm: m.norm()},
		Space: layers.ParallelAttention{Channels: c.Hidden, Heads: c.Heads, MLP: c.MLPWidth(),
			RoPE: c.RoPE, Norm: m.norm()},
	}
}

// dimensionality returns the dimensionality of the encoder for a plan; see
// [Config.Encoder].
func (m *Model) dimensionality(plan *csm.Plan) (int, error) {
	if d := m.config.Encoder(plan.Dims); d != 0 {
		return d, nil
	}
	return 0, fmt.Errorf("walrus: a grid with %d axes: the network has encoders for %v", plan.Dims, m.config.Dims)
}

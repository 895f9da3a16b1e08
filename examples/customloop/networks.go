package main

import (
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// network is the function that the loop trains. It maps normalised frames [T, B, C, H,
// W, D] to T predicted changes. Its random numbers are drawn on the host and are
// inputs, so that one compiled program serves all draws.
type network interface {
	draw(rng *rand.Rand) (shift, rolls *tensors.Tensor, err error)
	build(vars layers.Vars, x, shift, rolls *graph.Node) *graph.Node
}

// whole is a Walrus: [walrus.Model] builds the graph, vars holds the weights.
type whole struct {
	*walrus.Model
	plan *csm.Plan
	ids  []int32
}

// config is small: a block of width 32, patches of 4×4 points.
func config() walrus.Config {
	c := walrus.Micro()
	c.Name, c.Registry = "waves", data.MustRegistry("height")
	c.Kernel, c.Tokens, c.Intermediate = [2]int{4, 4}, [3]int{6, 6, 6}, 16
	return c
}

func newWhole() (network, error) {
	m, err := walrus.NewModel(config())
	if err != nil {
		return nil, err
	}
	plan, err := m.Plan([]int{side, side}, around)
	if err != nil {
		return nil, err
	}
	ids, err := waves(rand.New(rand.NewPCG(0, 0)), 1).Volume().IDs(m.Config().Registry)
	return whole{m, plan, ids}, err
}

func (w whole) draw(rng *rand.Rand) (shift, rolls *tensors.Tensor, err error) {
	return w.Tensors(w.Draw(rng, w.plan), w.plan)
}

func (w whole) build(vars layers.Vars, x, shift, rolls *graph.Node) *graph.Node {
	ids := graph.Const(x.Graph(), w.ids)
	return w.Build(vars, walrus.Inputs{X: x, IDs: ids, Shift: shift, Rolls: rolls}, w.plan)
}

// parts is a custom network made from parts of the library: jitter, encoder, attention
// in time, a plain MLP in place of attention over space, decoder. It has no rolls,
// because a layer without positions needs none.
type parts struct {
	plan   *csm.Plan
	jitter jitter.Jitterer
	coder  csm.HMLP
	time   layers.TimeAttention
	hidden int
}

// Columns of the weights: one for each boundary flag, one for the height.
const states = 4

func newParts() (network, error) {
	plan, err := csm.NewPlan([]int{side, side}, around, csm.Options{Tokens: [3]int{6, 6, 6}, Kernel: [2]int{4, 4}})
	if err != nil {
		return nil, err
	}
	const hidden = 32
	return parts{
		plan: plan, hidden: hidden,
		jitter: jitter.Jitterer{Plan: plan},
		coder:  csm.HMLP{States: states, Inner: 16, Hidden: hidden, Kernel: [2]int{4, 4}},
		time:   layers.TimeAttention{Channels: hidden, Heads: 2},
	}, nil
}

func (p parts) draw(rng *rand.Rand) (shift, rolls *tensors.Tensor, err error) {
	s := p.jitter.Draw(rng)
	return tensors.FromValue(s[:]), tensors.FromValue([]int32{0}), nil
}

func (p parts) build(vars layers.Vars, x, shift, _ *graph.Node) *graph.Node {
	g, steps, samples := x.Graph(), x.Shape().Dim(0), x.Shape().Dim(1)
	field := graph.Const(g, []int32{3})
	flags := graph.Const(g, []int32{2, 0, 1}) // bias correction, closed, open
	padded := p.jitter.Apply(x, shift)
	tokens := p.coder.Encode(padded, p.coder.EncoderWeights(vars.In("encoder")), graph.Concatenate([]*graph.Node{field, flags}, 0), nil, p.plan)
	grid := tokens.Shape().Clone().Dimensions

	y := graph.Reshape(tokens, steps, samples, p.plan.Tokens(), p.hidden)
	y = p.time.Apply(y, p.time.Weights(vars.In("time")), nil)
	y = graph.Add(y, p.mlp(vars.In("mlp"), y))

	decoded := p.coder.Decode(graph.Reshape(y, grid...), p.coder.DecoderWeights(vars.In("decoder")), field, p.plan)
	return p.jitter.Invert(decoded, shift, steps, samples)
}

// mlp is the custom layer: a dense layer, SwiGLU, a dense layer.
func (p parts) mlp(vars layers.Vars, y *graph.Node) *graph.Node {
	c := p.hidden
	up := layers.Dense(y, vars.In("up").Var("weight", layers.FanIn(c), 4*c, c), vars.In("up").Var("bias", layers.Zero, 4*c))
	return layers.Dense(layers.SwiGLU(up), vars.In("down").Var("weight", layers.FanIn(2*c), c, 2*c), nil)
}

package dpot

import (
	"fmt"
	"slices"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// Model builds the graph of a network. It holds no weights and may be shared between
// goroutines.
type Model struct {
	config Config
}

// NewModel returns the model of a configuration, or an error if the configuration is not
// valid.
func NewModel(c Config) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Grid = slices.Clone(c.Grid)
	return &Model{config: c}, nil
}

// Config returns the configuration.
func (m *Model) Config() Config { return m.config }

// ModelWeights are the parameters of a network, as nodes. Kernels have one kernel axis per
// spatial axis.
type ModelWeights struct {
	Position *Node  // [1, E, n…], one vector per token
	EmbedIn  Affine // patches to a narrow vector of h channels, [h, C+axes+1, P…]
	EmbedOut Affine // h to E
	Blocks   []BlockWeights
	// ScaleMean and ScaleStd are nil unless the network normalises.
	ScaleMean, ScaleStd *Affine // [E, 2C]
	Classifier          [3]Affine
	Time                TimeAggregationWeights
	OutPatch            Affine // transposed convolution, [E, OutWidth, P…]
	OutHidden, Out      Affine
}

// Weights gets all parameters from v, under the original's names and in its order. Initial
// values have the original's distributions.
func (m *Model) Weights(v layers.Vars) ModelWeights {
	c, axes := m.config, m.config.Axes()
	e, h := c.Hidden, c.OutChannels*c.Patch+axes+1
	w := ModelWeights{Position: v.Var("pos_embed", layers.Init{Normal: 0.02}, append([]int{1, e}, m.tokens()...)...)}
	embed := v.In("patch_embed").In("proj")
	w.EmbedIn = kernelWeights(embed.In("0"), h, []int{h, c.InChannels + axes + 1}, axes, c.Patch)
	w.EmbedOut = pointwise(embed.In("2"), e, h, axes)
	for i := range c.Depth {
		w.Blocks = append(w.Blocks, m.block().Weights(v.In("blocks").In(strconv.Itoa(i))))
	}
	if c.Normalize {
		mean := pointwise(v.In("scale_feats_mu"), e, 2*c.InChannels, 0)
		std := pointwise(v.In("scale_feats_sigma"), e, 2*c.InChannels, 0)
		w.ScaleMean, w.ScaleStd = &mean, &std
	}
	for i, out := range []int{e, e, c.Classes} {
		w.Classifier[i] = pointwise(v.In("cls_head").In(strconv.Itoa(2*i)), out, e, 0)
	}
	w.Time = m.time().Weights(v.In("time_agg_layer"))
	out := v.In("out_layer")
	w.OutPatch = kernelWeights(out.In("0"), c.OutWidth, []int{e, c.OutWidth}, axes, c.Patch)
	w.OutHidden = pointwise(out.In("2"), c.OutWidth, c.OutWidth, axes)
	w.Out = pointwise(out.In("4"), c.OutChannels*c.OutSteps, c.OutWidth, axes)
	return w
}

// params lists the tensors of the network.
func (m *Model) params() []walrus.Param {
	return walrus.ParamsOf(func(v layers.Vars) { m.Weights(v) })
}

// tokens returns the token grid of the position embedding.
func (m *Model) tokens() []int {
	var out []int
	for _, n := range m.config.Grid {
		out = append(out, n/m.config.Patch)
	}
	return out
}

func (m *Model) block() Block {
	c := m.config
	modes, act := []int{c.Modes, c.Modes}, c.Activation
	if c.Axes() == 3 {
		modes, act = append(modes, lastModes3D), GELU
	}
	return Block{AFNO: AFNO{Channels: c.Hidden, Blocks: c.MixingBlocks, Modes: modes, Activation: act}, MLP: c.MLP, Activation: c.Activation}
}

// lastModes3D is the number of frequencies that 3D networks keep on the last axis. The
// original calls it temporal_modes and never sets another value.
const lastModes3D = 8

func (m *Model) time() TimeAggregation {
	c := m.config
	return TimeAggregation{Channels: c.Hidden, Steps: c.InSteps, Cosines: c.Aggregation == AggregateExpMLP}
}

// Output holds the results of a network.
type Output struct {
	// Y [B, n…, OutSteps, OutChannels] are the next frames: the fields themselves, not
	// their change.
	Y *Node
	// Classes [B, Classes] are the classifier's scores. They are nil if the weights lack the
	// classifier, and for 3D networks, whose original does not compute them.
	Classes *Node
}

// Forward returns the network's output for x [B, n…, InSteps, InChannels], with two or
// three spatial axes n… that [Config.CheckGrid] accepts.
func (m *Model) Forward(w ModelWeights, x *Node) Output { return m.forward(w, x, nil) }

// Build is Forward with the parameters from v: with [layers.ScopeVars] they are variables
// of a gomlx scope.
func (m *Model) Build(v layers.Vars, x *Node) Output { return m.Forward(m.Weights(v), x) }

// forward is Forward, but also passes intermediate results to tap unless it is nil: tokens
// [B, n…, E].
func (m *Model) forward(w ModelWeights, x *Node, tap func(name string, x *Node)) Output {
	if tap == nil {
		tap = func(string, *Node) {}
	}
	m.assertInput(x)
	var stats statistics
	if m.config.Normalize {
		stats = statisticsOf(x)
		x = stats.normalized(x)
	}
	tokens := m.time().Apply(m.embed(w, x), w.Time)
	tap("time_agg", tokens)
	if m.config.Normalize {
		tokens = stats.scaleTokens(tokens, *w.ScaleMean, *w.ScaleStd)
	}
	block := m.block()
	f := block.AFNO.transform(tokens)
	for i, bw := range w.Blocks {
		name := fmt.Sprintf("block%d", i)
		tokens = block.apply(tokens, bw, f, func(part string, x *Node) { tap(name+"."+part, x) })
		tap(name, tokens)
	}
	y := m.decode(w, tokens)
	if m.config.Normalize {
		y = stats.restored(y)
	}
	out := Output{Y: y}
	if m.config.Axes() == 2 && w.Classifier[0].Weight != nil {
		out.Classes = m.classify(w, tokens)
	}
	return out
}

// assertInput panics unless the network accepts x.
func (m *Model) assertInput(x *Node) {
	c := m.config
	assertRank(fmt.Sprintf("input [B, n…, T, C] with %d spatial axes", c.Axes()), x, c.Axes()+3)
	d := x.Shape().Dimensions
	if err := c.CheckGrid(d[1 : 1+c.Axes()]); err != nil {
		panic(err)
	}
	check(x.Shape().Dim(-2) == c.InSteps && x.Shape().Dim(-1) == c.InChannels,
		"input: expected %d frames of %d channels, got shape %v", c.InSteps, c.InChannels, d)
}

// classify returns the scores [B, Classes] of the data sets of the pretraining.
func (m *Model) classify(w ModelWeights, tokens *Node) *Node {
	x := ReduceMean(Reshape(tokens, tokens.Shape().Dim(0), -1, m.config.Hidden), 1)
	act := m.config.Activation.apply
	x = act(w.Classifier[0].dense(x))
	x = act(w.Classifier[1].dense(x))
	return w.Classifier[2].dense(x)
}

package poseidon

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
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
	return &Model{config: c}, nil
}

// Config returns the configuration.
func (m *Model) Config() Config { return m.config }

// Inputs are the tensors of one forward pass other than the weights.
type Inputs struct {
	// X [B, C_in, H, W] holds one normalised frame of each sample.
	X *Node
	// Time [B] is the lead time of each sample: the number of steps to the prediction,
	// divided by 20 for the published weights. A network that is not conditioned ignores
	// it, and it may be nil.
	Time *Node
	// Mask [B, C_out] or [B, C_out, H, W] (bool) replaces values of the output by those of
	// Labels [B, C_out, H, W], so that they do not contribute to a loss. Both or neither
	// may be nil.
	Mask, Labels *Node
}

// Forward returns the predicted frames [B, C_out, H, W]. It panics with a [*csm.GridError]
// for a grid that [Config.CheckGrid] refuses.
func (m *Model) Forward(w ModelWeights, in Inputs) *Node {
	return m.forward(w, in, func(string, *Node) {})
}

// Build is Forward with the parameters from vars: with [layers.ScopeVars] they are variables
// of a gomlx scope, for training loops that keep their weights in a gomlx store.
func (m *Model) Build(vars layers.Vars, in Inputs) *Node { return m.Forward(m.Weights(vars), in) }

// forward is Forward, but also passes intermediate results to tap: tokens [B, h, w, D], or
// frames.
func (m *Model) forward(w ModelWeights, in Inputs, tap func(name string, x *Node)) *Node {
	c, x := m.config, in.X
	assertDims("input", x, -1, c.InChannels, -1, -1)
	grid := []int{x.Shape().Dim(2), x.Shape().Dim(3)}
	if err := c.CheckGrid(grid); err != nil {
		panic(err)
	}
	if c.Conditioned {
		assertDims("lead time", in.Time, x.Shape().Dim(0))
	}
	resampled := [2]int(grid) != c.Grid
	if resampled {
		x = Resample(x, c.Grid[0])
		tap("resampled", x)
	}
	skips := m.encode(w, m.embed(x, w.Embed, in.Time, tap), in.Time, tap)
	for i := range skips {
		skips[i] = m.skip(i, skips[i], w.Skips[i], in.Time, tap)
	}
	y := m.recover(m.decode(w, skips, in.Time, tap), w.Recovery, tap)
	if c.residual() {
		y = Add(y, SliceAxis(x, 1, AxisRange(0, c.OutChannels)))
	}
	if resampled {
		y = Resample(y, grid[0])
	}
	return replace(y, in.Mask, in.Labels)
}

// embed returns the tokens [B, h, w, E] of the patches of x [B, C, H, W].
func (m *Model) embed(x *Node, w EmbedWeights, t *Node, tap func(string, *Node)) *Node {
	c, p, d := m.config, m.config.Patch, x.Shape().Clone().Dimensions
	h, width := d[2]/p, d[3]/p
	x = TransposeAllDims(Reshape(x, d[0], d[1], h, p, width, p), 0, 2, 4, 1, 3, 5)
	x = layers.Dense(Reshape(x, d[0], h, width, d[1]*p*p), Reshape(w.Kernel, c.EmbedDim, d[1]*p*p), w.Bias)
	tap("embed_proj", x)
	x = m.norm(c.EmbedDim).Apply(x, w.Norm, t)
	if w.Positions != nil {
		x = Add(x, Reshape(w.Positions, 1, h, width, c.EmbedDim))
	}
	tap("embed", x)
	return x
}

// encode applies the stages of the encoder and returns the output of each. The input of a
// stage is added again before its tokens are joined for the next stage, but not to the output
// for the decoder.
func (m *Model) encode(w ModelWeights, x, t *Node, tap func(string, *Node)) []*Node {
	var outputs []*Node
	for i, stage := range w.Encoder {
		entered := x
		for b, block := range m.encoderBlocks(i) {
			x = block.Apply(x, stage.Blocks[b], t)
			tap(fmt.Sprintf("enc%d.block%d", i, b), x)
		}
		outputs = append(outputs, x)
		if stage.Down != nil {
			x = m.merging(i).Apply(Add(x, entered), *stage.Down, t)
			tap(fmt.Sprintf("enc%d.down", i), x)
		}
	}
	return outputs
}

// skip applies the blocks between encoder and decoder of stage i.
func (m *Model) skip(i int, x *Node, blocks []SkipWeights, t *Node, tap func(string, *Node)) *Node {
	for j, w := range blocks {
		if w.ResNet != nil {
			x = m.resNet(i).Apply(x, *w.ResNet)
		} else {
			x = m.convNeXt(i).Apply(x, *w.ConvNeXt, t)
		}
		tap(fmt.Sprintf("skip%d.block%d", i, j), x)
	}
	return x
}

// decode applies the stages of the decoder. skips holds the output of each stage of the
// encoder after the blocks in between.
func (m *Model) decode(w ModelWeights, skips []*Node, t *Node, tap func(string, *Node)) *Node {
	x := skips[len(skips)-1]
	for j, stage := range w.Decoder {
		i := len(w.Decoder) - 1 - j
		if j > 0 {
			x = Add(x, skips[i])
		}
		for b, block := range m.decoderBlocks(i) {
			x = block.Apply(x, stage.Blocks[b], t)
			tap(fmt.Sprintf("dec%d.block%d", j, b), x)
		}
		if stage.Up != nil {
			x = m.unmerging(i).Apply(x, *stage.Up, m.config.Stage(i-1).Grid, t)
			tap(fmt.Sprintf("dec%d.up", j), x)
		}
	}
	return x
}

// recover returns the frames [B, C, H, W] of the tokens x [B, h, w, E]: a patch for each
// token, then a convolution over all channels.
func (m *Model) recover(x *Node, w RecoveryWeights, tap func(string, *Node)) *Node {
	c, p, d := m.config, m.config.Patch, x.Shape().Clone().Dimensions
	kernel := Transpose(Reshape(w.Kernel, c.EmbedDim, c.OutChannels*p*p), 0, 1)
	x = Reshape(layers.Dense(x, kernel, nil), d[0], d[1], d[2], c.OutChannels, p, p)
	x = Reshape(TransposeAllDims(x, 0, 1, 4, 2, 5, 3), d[0], d[1]*p, d[2]*p, c.OutChannels)
	x = Add(x, ExpandLeftToRank(w.Bias, x.Rank()))
	tap("recovery_proj", channelsFirst(x))
	return channelsFirst(convolve(x, w.Mix))
}

// channelsFirst transposes x [B, H, W, C] to [B, C, H, W].
func channelsFirst(x *Node) *Node { return TransposeAllDims(x, 0, 3, 1, 2) }

// replace returns y with the masked values replaced by those of labels.
func replace(y, mask, labels *Node) *Node {
	if mask == nil && labels == nil {
		return y
	}
	d := y.Shape().Dimensions
	assertDims("labels", labels, d...)
	must(mask != nil, "mask: missing, but there are labels")
	if mask.Rank() == 2 {
		assertDims("mask", mask, d[0], d[1])
		mask = Reshape(mask, d[0], d[1], 1, 1)
	} else {
		assertDims("mask", mask, d...)
	}
	return Where(BroadcastToDims(mask, d...), labels, y)
}

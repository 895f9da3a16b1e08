package poseidon

import (
	"slices"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// ModelWeights are the parameters of a network, as nodes.
type ModelWeights struct {
	Embed    EmbedWeights
	Encoder  []EncoderStageWeights
	Decoder  []DecoderStageWeights // the deepest stage first
	Recovery RecoveryWeights
	Skips    [][]SkipWeights // of each stage
}

// EmbedWeights are the parameters of the patch embedding.
type EmbedWeights struct {
	Positions    *Node // [1, L, E] or nil
	Kernel, Bias *Node // [E, C_in, p, p], [E]
	Norm         NormWeights
}

// EncoderStageWeights are the parameters of one stage of the encoder.
type EncoderStageWeights struct {
	Blocks []BlockWeights
	// Down joins tokens after the stage; the last stage has none.
	Down *MergingWeights
}

// DecoderStageWeights are the parameters of one stage of the decoder.
type DecoderStageWeights struct {
	Blocks []BlockWeights
	// Up splits tokens after the stage; the last one, which has the tokens of the patches,
	// has none.
	Up *UnmergingWeights
}

// RecoveryWeights are the parameters of the patch recovery.
type RecoveryWeights struct {
	Kernel, Bias *Node // [E, C_out, p, p], [C_out]
	Mix          *Node // [C_out, C_out, 5, 5]
}

// SkipWeights are the parameters of one block between encoder and decoder; one of them is
// nil.
type SkipWeights struct {
	ConvNeXt *ConvNeXtWeights
	ResNet   *ResNetWeights
}

// mixKernel is the edge length of the kernel that smooths the recovered patches.
const mixKernel = 5

// params lists the tensors in the order of the original's state dict.
func (m *Model) params() []walrus.Param {
	return walrus.ParamsOf(func(v layers.Vars) { m.Weights(v) })
}

// Weights gets every parameter from v, under the original's names and in the order of its
// state dict.
func (m *Model) Weights(v layers.Vars) ModelWeights {
	c := m.config
	var w ModelWeights
	w.Embed = m.embedWeights(v.In("embeddings"))
	for i := range c.Stages() {
		at := v.In("encoder").In("layers").In(strconv.Itoa(i))
		stage := EncoderStageWeights{Blocks: m.blockWeights(at, m.encoderBlocks(i))}
		if i < c.Stages()-1 {
			down := m.merging(i).Weights(at.In("downsample"))
			stage.Down = &down
		}
		w.Encoder = append(w.Encoder, stage)
	}
	for j := range c.Stages() {
		i, at := c.Stages()-1-j, v.In("decoder").In("layers").In(strconv.Itoa(j))
		stage := DecoderStageWeights{Blocks: m.blockWeights(at, m.decoderBlocks(i))}
		if i > 0 {
			up := m.unmerging(i).Weights(at.In("upsample"))
			stage.Up = &up
		}
		w.Decoder = append(w.Decoder, stage)
	}
	w.Recovery = m.recoveryWeights(v.In("patch_recovery"))
	for i, count := range c.Skips {
		var blocks []SkipWeights
		for j := range count {
			blocks = append(blocks, m.skipWeights(v.In("residual_blocks").In(strconv.Itoa(i)).In(strconv.Itoa(j)), i))
		}
		w.Skips = append(w.Skips, blocks)
	}
	return w
}

func (m *Model) embedWeights(v layers.Vars) EmbedWeights {
	c := m.config
	var w EmbedWeights
	if c.Positions {
		tokens := c.Stage(0).Grid
		w.Positions = v.Var("position_embeddings", layers.Zero, 1, tokens[0]*tokens[1], c.EmbedDim)
	}
	projection := v.In("patch_embeddings").In("projection")
	w.Kernel = projection.Var("weight", initial, c.EmbedDim, c.InChannels, c.Patch, c.Patch)
	w.Bias = projection.Var("bias", layers.Zero, c.EmbedDim)
	w.Norm = m.norm(c.EmbedDim).Weights(v.In("norm"))
	return w
}

func (m *Model) blockWeights(v layers.Vars, blocks []Block) []BlockWeights {
	var out []BlockWeights
	for b, block := range blocks {
		out = append(out, block.Weights(v.In("blocks").In(strconv.Itoa(b))))
	}
	return out
}

// recoveryWeights gets the parameters of the patch recovery. As in torch, the initial bound
// of a transposed convolution counts its output channels as fan-in.
func (m *Model) recoveryWeights(v layers.Vars) RecoveryWeights {
	c := m.config
	fan := layers.FanIn(c.OutChannels * c.Patch * c.Patch)
	return RecoveryWeights{
		Kernel: v.In("projection").Var("weight", fan, c.EmbedDim, c.OutChannels, c.Patch, c.Patch),
		Bias:   v.In("projection").Var("bias", fan, c.OutChannels),
		Mix:    v.In("mixup").Var("weight", initial, c.OutChannels, c.OutChannels, mixKernel, mixKernel),
	}
}

func (m *Model) skipWeights(v layers.Vars, stage int) SkipWeights {
	if m.config.SkipBlock == SkipResNet {
		w := m.resNet(stage).Weights(v)
		return SkipWeights{ResNet: &w}
	}
	w := m.convNeXt(stage).Weights(v)
	return SkipWeights{ConvNeXt: &w}
}

func (m *Model) norm(width int) Norm { return Norm{width, m.config.Conditioned} }

// encoderBlocks returns the blocks of stage i in the encoder. Every second one shifts its
// windows, beginning with the second.
func (m *Model) encoderBlocks(i int) []Block {
	c, s := m.config, m.config.Stage(i)
	blocks := make([]Block, c.Depths[i])
	for b := range blocks {
		blocks[b] = Block{Attention: WindowAttention{Channels: s.Width, Heads: c.Heads[i], Window: s.Window, NoBias: c.NoBias},
			MLP: c.mlp(s.Width), Norm: m.norm(s.Width)}
		if b%2 == 1 {
			blocks[b].Shift = s.Shift
		}
	}
	return blocks
}

// decoderBlocks returns the blocks of stage i in the decoder, the mirror image of the
// encoder's: with an even number of blocks the first one shifts its windows.
func (m *Model) decoderBlocks(i int) []Block {
	blocks := m.encoderBlocks(i)
	slices.Reverse(blocks)
	return blocks
}

func (m *Model) merging(i int) Merging {
	return Merging{m.config.Stage(i).Width, m.config.Conditioned}
}

func (m *Model) unmerging(i int) Unmerging {
	return Unmerging{m.config.Stage(i).Width, m.config.Conditioned}
}

func (m *Model) convNeXt(i int) ConvNeXt {
	return ConvNeXt{m.config.Stage(i).Width, m.config.Conditioned}
}

func (m *Model) resNet(i int) ResNet { return ResNet{m.config.Stage(i).Width} }

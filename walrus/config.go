package walrus

import (
	"slices"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
)

// Config describes a Walrus network: the shapes of its weights, the function that
// the network computes with them, and a few numbers for training. It holds no weights.
//
// The zero value is not usable. Start from a preset ([Walrus], [HalfWalrus],
// [Small], [Tiny], [Micro]) or from [ReadConfig], change fields, and call
// [Config.Validate]. The zero value of every enumeration is the choice of the
// released weights.
//
// JSON has the snake_case keys below, strings for enumerations, and an object from
// field name to index for the registry. YAML has the keys of the release's
// extended_config.yaml; see [ParseConfig].
type Config struct {
	// Name labels the network in logs and manifests. It may be empty.
	Name string `json:"name"`

	// Registry gives every field its column in the weights of the encoder and
	// the decoder (paper §3.1).
	Registry data.Registry `json:"registry"`

	// Hidden is the width C of a token, Intermediate the channels between the
	// two convolutions of the encoder and of the decoder, Blocks the number of
	// processor blocks and Heads the attention heads of space and of time.
	// Released: 1408, 352, 40, 16 (paper Table 2).
	Hidden       int `json:"hidden"`
	Intermediate int `json:"intermediate"`
	Blocks       int `json:"blocks"`
	Heads        int `json:"heads"`

	// Groups is the number of groups of RMSGroupNorm. It has no effect with
	// NormChannel, the form that the released code computes.
	Groups int `json:"groups"`

	// MLP is the width of the SwiGLU's value and gate together. The fused
	// projection of a block has MLP + 3·Hidden outputs and the block's second
	// linear layer MLP/2 inputs. 0 means 4·Hidden; see [Config.MLPWidth].
	MLP int `json:"mlp"`

	// DropPath is the rate of the last block; block i of n has
	// DropPath·i/(n−1). Training only. See [Config.DropPathRates].
	DropPath float64 `json:"drop_path"`
	// FieldDrop divided by the number of channels of the input is the probability
	// that a channel of a sample is set to zero in all its frames. The other channels
	// are scaled up so that the mean does not change. Training only; released: 0.
	FieldDrop float64 `json:"field_drop"`

	// Causal restricts attention in time to earlier steps, and the network predicts at
	// every step. Otherwise it predicts at the last step only. Released: true.
	Causal bool `json:"causal"`

	// Dims lists, in ascending order, the dimensionalities for which the network has
	// an encoder and a decoder. The dimensionality of an input is the number of its
	// axes longer than one. Dims must contain 3. Released: 2, 3.
	Dims []int `json:"dims"`

	// Kernel holds the edge lengths of the two convolution kernels of the
	// encoder, the same on every axis; the decoder uses them in reverse order.
	// The stride varies with the grid, the kernel does not. Released: 8, 4.
	Kernel [2]int `json:"kernel"`

	// Jitter chooses padding and random shifts of the input. JitterOff also
	// disables the rolls of the tokens between blocks.
	Jitter JitterMode `json:"jitter"`

	// TimeBias chooses the positional bias of time attention.
	TimeBias TimeBias `json:"time_bias"`

	// Norm chooses the values that RMSGroupNorm averages over.
	Norm NormForm `json:"norm"`

	// RoPE says whether the frequencies of the axial rotary embedding are
	// weights, a finetuning option of the release.
	RoPE RoPEMode `json:"rope"`

	// APE is the token grid h, w, d of a learned absolute position embedding
	// added after the encoder, a finetuning option of the release. The model
	// then accepts only inputs with exactly that grid of tokens, padding
	// included. Empty: none.
	APE []int `json:"ape,omitempty"`

	// CheckpointEvery recomputes every n-th block (0, n, 2n, …) in the
	// backward pass instead of keeping its activations. 0 keeps those of all
	// blocks. Released: 2, and its encoder and decoder are recomputed, too.
	CheckpointEvery int `json:"checkpoint_every"`

	// Tokens holds the target number of tokens per axis for 1D, 2D and 3D inputs.
	// Zeros mean the released 32, 32, 16. See [Config.TokenTarget].
	Tokens [3]int `json:"tokens"`

	// Strides lists the strides s1, s2 of the two convolutions that the weights were
	// trained with, by the dimensionality 1, 2 or 3 of the encoder. A plan has other
	// strides only on an axis that none of these fits. Without an entry, the trained
	// strides are the release's. See [Config.TrainedStrides].
	Strides map[int][][2]int `json:"strides,omitempty"`

	// Prediction is the meaning of the network's output: a change or a frame.
	Prediction Prediction `json:"prediction"`

	// ProjectionDim has no effect: no weight has this size. It is kept because the
	// release's file and paper Table 2 state it (48).
	ProjectionDim int `json:"projection_dim"`
}

// States returns the number of field columns of the weights: the largest index of
// the registry plus one (67 for the released registry).
func (c Config) States() int { return c.Registry.States() }

// HeadWidth returns Hidden/Heads, the width K of one attention head, or 0
// when Heads is not positive.
func (c Config) HeadWidth() int {
	if c.Heads <= 0 {
		return 0
	}
	return c.Hidden / c.Heads
}

// Frequencies returns the number of frequencies per axis of the rotary
// embedding: half of a quarter of the head width, both rounded down (11 for
// the released width 88). Each axis rotates twice that number of dimensions.
func (c Config) Frequencies() int { return layers.RoPEFrequencies(c.HeadWidth()) }

// MLPWidth returns MLP, or 4·Hidden when MLP is zero.
func (c Config) MLPWidth() int {
	if c.MLP == 0 {
		return 4 * c.Hidden
	}
	return c.MLP
}

// TokenTarget returns the target number of tokens per axis for an input with the
// given number of axes longer than one: 1, 2 or 3. For any other number it returns 0.
func (c Config) TokenTarget(axes int) int {
	if axes < 1 || axes > len(c.Tokens) {
		return 0
	}
	if n := c.Tokens[axes-1]; n != 0 {
		return n
	}
	return csm.ReleasedTokens()[axes-1]
}

// Encoder returns the dimensionality of the encoder for inputs with the given number of
// axes longer than one: the smallest dimensionality in Dims that is at least this number,
// because a 1D grid is also a 2D grid with an axis of length 1. It returns 0 if there is
// none.
func (c Config) Encoder(axes int) int {
	for _, d := range slices.Sorted(slices.Values(c.Dims)) {
		if d >= axes {
			return d
		}
	}
	return 0
}

// TrainedStrides returns the entry of Strides for the encoder of inputs with the given
// number of axes longer than one.
func (c Config) TrainedStrides(axes int) [][2]int { return c.Strides[c.Encoder(axes)] }

// DropPathRates returns the drop-path rate of each block: rates rise linearly
// from 0 at the first block to DropPath at the last. A network of one block
// drops nothing.
func (c Config) DropPathRates() []float64 { return layers.DropPathRates(c.DropPath, c.Blocks) }

// Checkpointed reports whether the backward pass recomputes a block.
func (c Config) Checkpointed(block int) bool {
	return c.CheckpointEvery > 0 && block%c.CheckpointEvery == 0
}

// Has reports whether the network has an encoder and a decoder for inputs with
// dims axes longer than one.
func (c Config) Has(dims int) bool { return slices.Contains(c.Dims, dims) }

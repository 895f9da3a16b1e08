package mpp

import (
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// Model builds the graph of a network. It holds no weights and may be shared between
// goroutines.
type Model struct{ config Config }

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

// ModelWeights are the parameters of a network as graph nodes.
type ModelWeights struct {
	Encoder EncoderWeights
	Space   []SpaceBlockWeights // one for each block
	Time    []TimeBlockWeights
	Decoder DecoderWeights
}

// Weights gets every parameter from v, under the original's names and in its order. With
// [layers.ScopeVars] they are variables of a gomlx scope.
func (m *Model) Weights(v layers.Vars) ModelWeights {
	w := ModelWeights{Encoder: m.encoderWeights(v)}
	for i := range m.config.Blocks {
		block := v.In("blocks").In(strconv.Itoa(i))
		w.Space = append(w.Space, SpaceBlock{m.attention()}.Weights(block.In("spatial")))
		w.Time = append(w.Time, TimeBlock{m.attention()}.Weights(block.In("temporal")))
	}
	w.Decoder = m.decoderWeights(v)
	return w
}

func (m *Model) attention() Attention {
	return Attention{Channels: m.config.Hidden, Heads: m.config.Heads, Bias: m.config.Bias}
}

// params lists the tensors of the network.
func (m *Model) params() []walrus.Param {
	return walrus.ParamsOf(func(v layers.Vars) { m.Weights(v) })
}

// Inputs are the tensors of one forward pass other than the weights.
type Inputs struct {
	// X [T, B, C, H, W] holds the frames, the latest last, in any units: the network
	// normalises each field of each sample by its mean and standard deviation.
	X *Node
	// Labels [C] (int32) holds the columns of the fields, 0 to States−1.
	Labels *Node
	// Periodic says which of the axes H and W are periodic. (The original's argument bcs
	// has W first.)
	Periodic [2]bool
	// KeepTime [Blocks, T] and KeepAttention and KeepMLP [Blocks, T, B] are the drop-path
	// factors of training (see [layers.DrawKeep]). Nil means no drop path.
	KeepTime, KeepAttention, KeepMLP *Node
}

// Forward returns the prediction of the frame after the last one, [B, C, H, W], in the units
// of the input. It panics if [Config.CheckGrid] returns an error for the grid.
//
// Statistics have no gradient, as in the original.
func (m *Model) Forward(w ModelWeights, in Inputs) *Node { return m.forward(w, in, nil) }

// Build is Forward with the parameters from v: with [layers.ScopeVars] they are variables of
// a gomlx scope, for training loops that keep their weights in a gomlx store.
func (m *Model) Build(v layers.Vars, in Inputs) *Node { return m.Forward(m.Weights(v), in) }

// tap receives intermediate results by name. A nil tap ignores them.
type tap func(name string, x *Node)

// see passes x to the tap and returns it.
func (t tap) see(name string, x *Node) *Node {
	if t != nil {
		t(name, x)
	}
	return x
}

// in returns a tap that adds a prefix to the names.
func (t tap) in(prefix string) tap {
	if t == nil {
		return nil
	}
	return func(name string, x *Node) { t(prefix+name, x) }
}

// forward is Forward, which also calls tap, unless it is nil, with intermediate results of
// all frames, which are ordered by sample.
func (m *Model) forward(w ModelWeights, in Inputs, tap tap) *Node {
	assertDims("input X", in.X, -1, -1, -1, -1, -1)
	d := in.X.Shape().Dimensions
	steps, batch, channels := d[0], d[1], d[2]
	assertDims("input Labels", in.Labels, channels)
	if err := m.config.CheckGrid(d[3:], in.Periodic); err != nil {
		panic(err)
	}
	mean, deviation := moments(StopGradient(in.X), 0, 3, 4)
	deviation = AddScalar(deviation, FrameEps)
	x := Div(Sub(in.X, mean), deviation)
	x = Reshape(TransposeAllDims(x, 1, 0, 3, 4, 2), batch*steps, d[3], d[4], channels)
	tap.see("normalised", x)
	x = tap.see("embed", w.Encoder.encode(x, in.Labels, tap.in("embed.")))
	x = m.blocks(Reshape(x, batch, steps, d[3]/Patch, d[4]/Patch, -1), w, in, tap)
	if tap != nil { // decode all frames
		all := Reshape(x, append([]int{batch * steps}, x.Shape().Dimensions[2:]...)...)
		tap.see("debed", w.Decoder.decode(all, in.Labels, tap.in("debed.")))
	}
	last := Squeeze(SliceAxis(x, 1, AxisElem(-1)), 1)
	y := TransposeAllDims(w.Decoder.Decode(last, in.Labels), 0, 3, 1, 2)
	return Add(Mul(y, Squeeze(deviation, 0)), Squeeze(mean, 0))
}

// blocks applies all blocks to tokens x [B, T, h, w, E].
func (m *Model) blocks(x *Node, w ModelWeights, in Inputs, tap tap) *Node {
	d := x.Shape().Dimensions
	space, time := SpaceBlock{m.attention()}, TimeBlock{m.attention()}
	for i := range w.Time {
		tap := tap.in("block" + strconv.Itoa(i) + ".")
		x = tap.see("temporal", time.apply(x, w.Time[i], row(in.KeepTime, i), tap.in("t.")))
		frames := Reshape(x, d[0]*d[1], d[2], d[3], d[4])
		keep := func(t *Node) *Node {
			if t == nil {
				return nil
			}
			assertDims("drop-path factors of space", t, len(w.Time), d[1], d[0])
			return Reshape(TransposeAllDims(row(t, i), 1, 0), d[0]*d[1])
		}
		y := space.apply(frames, w.Space[i], in.Periodic, keep(in.KeepAttention), keep(in.KeepMLP), tap.in("s."))
		x = Reshape(tap.see("spatial", y), d...)
	}
	return x
}

// row returns row i of a table, or nil if the table is nil.
func row(t *Node, i int) *Node {
	if t == nil {
		return nil
	}
	return Squeeze(SliceAxis(t, 0, AxisElem(i)), 0)
}

package train

import (
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// Pass is one micro-batch, with its draws, prepared for a gradient program. Trainer creates
// passes itself; package distributed uses them to build programs for many devices.
type Pass struct {
	model  *walrus.Model
	opts   Options
	batch  *Batch
	host   *hostBatch
	inputs []*tensors.Tensor
}

// NewPass checks a batch, draws random numbers from rng and lays out the inputs of the
// program. It draws jitter and latent rolls, unless the batch has its own, and dropped
// paths and fields. It uses only Objective and NoRolls of the options.
func NewPass(m *walrus.Model, o Options, b *Batch, rng *rand.Rand) (*Pass, error) {
	h, err := prepare(m, o.Objective, b)
	if err != nil {
		return nil, err
	}
	if b.Draws != nil {
		h.draws = *b.Draws
	} else {
		h.draws = m.Draw(rng, h.plan)
		if o.NoRolls {
			h.draws.Rolls = nil
		}
	}
	h.dropPaths(m.Config(), rng)
	h.dropFields(m.Config(), rng)
	p := &Pass{model: m, opts: o, batch: b, host: h}
	if p.inputs, err = h.inputs(m); err != nil {
		return nil, fmt.Errorf("train: window %s: %w", b.Windows[0].Name, err)
	}
	return p, nil
}

// Class returns the shape class: passes of one class use the same program.
func (p *Pass) Class() string { return p.host.class() }

// Params lists the tensors of the network that the pass uses.
func (p *Pass) Params() ([]walrus.Param, error) { return p.model.ParamsFor(p.host.plan) }

// Inputs returns the inputs of the program other than the weights, in host memory. The
// pass owns them.
func (p *Pass) Inputs() []*tensors.Tensor { return p.inputs }

// SampleAxes returns the axis of samples of each input, or −1 for inputs without one.
func (p *Pass) SampleAxes() []int { return p.host.sampleAxes() }

// Loss builds the loss from the nodes of the weights, by key, and of the inputs.
func (p *Pass) Loss(weights map[string]*Node, in []*Node) Result {
	o := p.opts.Objective
	vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return o.round(weights[key]) })
	b := p.host.nodes(in)
	b.Net.Recompute = true
	return o.Loss(p.model, p.model.WeightsFor(vars, p.host.plan), b, p.host.plan)
}

// Count adds the windows of the pass that count to a record of the training.
func (p *Pass) Count(c *walrus.Coverage) { c.Count(p.host.plan, p.host.steps, p.host.counted()) }

// Samples returns the number of windows that count.
func (p *Pass) Samples() int { return p.host.counted() }

// Close frees the inputs.
func (p *Pass) Close() { finalize(p.inputs) }

package train

import (
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// pass is one micro-batch, with its draws, prepared for a gradient program.
type pass struct {
	model  *walrus.Model
	opts   Options
	batch  *Batch
	host   *hostBatch
	inputs inputs.List // of the pass with the loss, without the weights, in host memory
}

// newPass checks a batch, draws random numbers from rng and lays out the inputs of the
// program. It draws jitter and latent rolls, unless the batch has its own, and dropped
// paths and fields. It uses only Objective and NoRolls of the options.
func newPass(m *walrus.Model, o Options, b *Batch, rng *rand.Rand) (*pass, error) {
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
	h.drawAhead(m, o, rng)
	h.dropPaths(m.Config(), rng)
	h.dropFields(m.Config(), rng)
	p := &pass{model: m, opts: o, batch: b, host: h}
	if p.inputs, err = p.layOut(h.draws, h.pushforward); err != nil {
		return nil, err
	}
	return p, nil
}

// layOut lays out the inputs of a pass over the frames from the given one on.
func (p *pass) layOut(draws walrus.Draws, from int) (inputs.List, error) {
	l, err := p.host.inputs(p.model, draws, from)
	if err != nil {
		return nil, fmt.Errorf("train: window %s: %w", p.batch.Windows[0].Name, err)
	}
	return l, nil
}

// class returns the shape class: passes of one class use the same program.
func (p *pass) class() string { return p.host.class() }

// params lists the tensors of the network that the pass uses.
func (p *pass) params() ([]walrus.Param, error) { return p.model.ParamsFor(p.host.plan) }

// weights returns the weights of the network from the nodes of its tensors, by key.
func (p *pass) weights(nodes map[string]*Node) walrus.ModelWeights {
	o := p.opts.Objective
	vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return o.round(nodes[key]) })
	return p.model.WeightsFor(vars, p.host.plan)
}

// loss builds the loss from the nodes of the weights, by key, and of the inputs.
func (p *pass) loss(weights map[string]*Node, in []*Node) Result {
	b := p.host.nodes(p.inputs.Nodes(in))
	b.Net.Recompute = true
	return p.opts.Objective.Loss(p.model, p.weights(weights), b, p.host.plan)
}

// count adds the windows of the pass that count to a record of the training.
func (p *pass) count(c *walrus.Coverage) { c.Count(p.host.plan, p.host.steps, p.host.counted()) }

// samples returns the number of windows that count.
func (p *pass) samples() int { return p.host.counted() }

// close frees the inputs.
func (p *pass) close() { p.inputs.Free() }

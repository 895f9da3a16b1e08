package train

import (
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// pass is one micro-batch of a Walrus network, with its draws, prepared for a gradient program.
type pass struct {
	model *walrus.Model
	opts  Options
	batch *Batch
	host  *hostBatch
}

// newPass checks a batch and draws random numbers from rng. It draws jitter and latent rolls, unless the batch has its own, and dropped
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
	return &pass{model: m, opts: o, batch: b, host: h}, nil
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
func (p *pass) loss(weights map[string]*Node, in inputs.Nodes) Result {
	b := p.host.nodes(in)
	b.Net.Recompute = true
	return p.opts.Objective.Loss(p.model, p.weights(weights), b, p.host.plan)
}

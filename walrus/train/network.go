package train

import (
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/walrus"
)

// Network is a network that a [Trainer] trains: its tensors, and the loss of a micro-batch
// as a function of graph nodes. [New] trains a Walrus network and [NewFor] any other;
// walrus/peers.Network is one.
type Network interface {
	// Tensors returns the tensors. The trainer replaces their values.
	Tensors() *walrus.TensorSet
	// Clone returns a copy with its own tensors. The trainer closes its clones, but not the
	// network that it was given.
	Clone() (Network, error)
	// Close frees tensors and programs. Further calls do nothing.
	Close()
	// Pass checks a micro-batch, draws its random numbers from rng and lays it out for the
	// programs. It must not keep the batch. Groups call it concurrently.
	Pass(b *Batch, rng *rand.Rand) (*Pass, error)
	// Checkpoint returns what a checkpoint holds of the network: Weights, or Design and its
	// parts. The trainer adds its own state.
	Checkpoint() (walrus.Checkpoint, error)
	// Forecaster returns a forecaster with the current values of the tensors, which it does
	// not own, on a device. Statistics of the data set, if not nil, replace those of the
	// training.
	Forecaster(statistics *data.Statistics, device compute.DeviceNum) (walrus.Forecaster, error)
}

// Inputs are the tensors of a micro-batch, which programs find by their names.
type Inputs = inputs.List

// Nodes are the nodes of Inputs in a graph.
type Nodes = inputs.Nodes

// Pass is one micro-batch, laid out for the programs of a network.
type Pass struct {
	// Class names what the programs depend on: the shapes of the inputs and everything that
	// Loss makes a constant of. Passes of one class share programs.
	Class string
	// Params lists the tensors that the loss depends on; nil means all.
	Params func() ([]walrus.Param, error)
	// Inputs are in host memory. The trainer frees them.
	Inputs Inputs
	// Loss builds the loss, a float32 scalar, from the nodes of the tensors by their keys
	// and the nodes of Inputs. It must not depend on values of the batch.
	Loss func(weights map[string]*Node, in Nodes) *Node
	// Samples is the number of windows that count.
	Samples int

	batch *Batch
	own   *pass // of a Walrus network, else nil
}

// count adds the windows of the pass that count to a record of the training.
func (p *Pass) count(c *walrus.Coverage) {
	if p.own != nil {
		c.Count(p.own.host.plan, p.own.host.steps, p.Samples)
	}
}

// close frees the inputs.
func (p *Pass) close() { p.Inputs.Free() }

// pass lays out a micro-batch.
func (t *Trainer) pass(b *Batch, rng *rand.Rand) (*Pass, error) {
	p, err := t.net.Pass(b, rng)
	if err != nil {
		return nil, err
	}
	p.batch = b
	return p, nil
}

// used lists the tensors that a pass uses.
func (t *Trainer) used(p *Pass) ([]walrus.Param, error) {
	if p.Params == nil {
		return t.net.Tensors().Params(), nil
	}
	return p.Params()
}

// own is a Walrus network as a Network.
type own struct {
	weights *walrus.Weights
	model   *walrus.Model
	opts    Options
}

func newOwn(w *walrus.Weights, o Options) (*own, error) {
	m, err := walrus.NewModel(w.Config())
	if err != nil {
		return nil, err
	}
	return &own{w, m, o}, nil
}

func (n *own) Tensors() *walrus.TensorSet { return &n.weights.TensorSet }

func (n *own) Close() { n.weights.Close() }

func (n *own) Clone() (Network, error) {
	w, err := n.weights.Clone()
	if err != nil {
		return nil, err
	}
	return &own{w, n.model, n.opts}, nil
}

func (n *own) Pass(b *Batch, rng *rand.Rand) (*Pass, error) {
	p, err := newPass(n.model, n.opts, b, rng)
	if err != nil {
		return nil, err
	}
	list, err := p.layOut(p.host.draws, p.host.pushforward)
	if err != nil {
		return nil, err
	}
	return &Pass{Class: p.class(), Params: p.params, Inputs: list, Samples: p.host.counted(), own: p,
		Loss: func(weights map[string]*Node, in Nodes) *Node { return p.loss(weights, in).Loss }}, nil
}

func (n *own) Checkpoint() (walrus.Checkpoint, error) {
	return walrus.Checkpoint{Weights: n.weights}, nil
}

func (n *own) Forecaster(statistics *data.Statistics, device compute.DeviceNum) (walrus.Forecaster, error) {
	o := n.opts
	scaling := o.Objective.scaling().With(statistics)
	return walrus.NewEmulator(n.weights, walrus.EmulatorOptions{Backend: o.Backend, Device: int(device), Scaling: &scaling,
		NoRolls: o.NoRolls, Log: o.Log,
		// A poor forecast of weights in training has an error to measure.
		Divergence: walrus.Divergence{Factor: -1}})
}

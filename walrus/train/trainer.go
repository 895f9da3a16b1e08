package train

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"golang.org/x/sync/errgroup"

	"github.com/gowalrus/gowalrus/internal/lifetime"
	"github.com/gowalrus/gowalrus/internal/shard"
	"github.com/gowalrus/gowalrus/walrus"
)

// Trainer updates the weights of a network on one device, or on the devices of a mesh
// ([Options.Mesh]) in one or several processes ([Options.Engine]). An update on a mesh
// equals that of one device that runs the micro-batches of all groups one after the other.
//
// Every process of a run makes the same calls with different batches.
type Trainer struct {
	opts Options
	// net and mean hold the values of update fresh, or the current values if the group is
	// attached. mean is the moving average, nil without Options.EMA.
	net, mean Network
	fresh     int64
	// weights and averaged are the weights of net and mean if they are Walrus networks.
	weights, averaged *walrus.Weights

	index  map[string]walrus.Param // of the network and of adapters
	frozen map[string]bool
	lora   *adapters // or nil
	groups []*group
	source *rand.PCG // of rng
	rng    *rand.Rand

	steps map[string]int // updates of each tensor
	step  int64          // updates so far

	uses lifetime.Uses
	done func() // ends the trainer's use of the weights

	mu       sync.Mutex // guards the rest, and the weights while groups work
	recorded bool       // the scaling of a micro-batch is recorded in the weights
}

// New returns a trainer of the given weights. They hold the trained values whenever
// [Trainer.Weights] has returned; on one device they always do.
func New(weights *walrus.Weights, o Options) (*Trainer, error) {
	if weights == nil {
		return nil, fmt.Errorf("train: expected weights, got none")
	}
	if err := o.fillFor(weights); err != nil {
		return nil, err
	}
	net, err := newOwn(weights, o)
	if err != nil {
		return nil, err
	}
	t, err := begin(net, o)
	if err != nil {
		return nil, err
	}
	t.startRecord(weights.Coverage())
	return t, nil
}

// NewFor returns a trainer of any network, with the network's own loss. The options of the
// loss and of the passes of Walrus networks, Objective and NoRolls, must be zero.
func NewFor(net Network, o Options) (*Trainer, error) {
	if net == nil || net.Tensors() == nil {
		return nil, errors.New("train: expected a network with tensors, got none")
	}
	if err := o.fill(net.Tensors()); err != nil {
		return nil, err
	}
	if o.Objective != (Objective{}) || o.NoRolls {
		return nil, fmt.Errorf("train: options: expected no Objective and no NoRolls, which are for Walrus networks, got %+v and %v", o.Objective, o.NoRolls)
	}
	return begin(net, o)
}

// begin returns a trainer with complete options.
func begin(net Network, o Options) (*Trainer, error) {
	t := &Trainer{opts: o, net: net, weights: weightsOf(net), index: map[string]walrus.Param{}, steps: map[string]int{},
		source: rand.NewPCG(o.Seed, 0x77616c727573)}
	t.rng = rand.New(t.source)
	var err error
	if t.done, err = net.Tensors().Use(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if err := t.open(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// weightsOf returns the weights of a Walrus network, or nil for another.
func weightsOf(net Network) *walrus.Weights {
	if n, ok := net.(*own); ok {
		return n.weights
	}
	return nil
}

// open makes the parts of a trainer.
func (t *Trainer) open() error {
	var err error
	params := t.net.Tensors().Params()
	if t.frozen, err = matching(params, t.opts.Freeze); err != nil {
		return err
	}
	if t.opts.LoRA != nil {
		if t.lora, err = newAdapters(params, *t.opts.LoRA); err != nil {
			return err
		}
	}
	for _, p := range t.params() {
		t.index[p.Key] = p
	}
	if t.opts.EMA != 0 {
		if t.mean, err = t.net.Clone(); err != nil {
			return err
		}
		t.averaged = weightsOf(t.mean)
	}
	mesh := t.opts.Mesh
	p := newPrograms()
	for i := range mesh.Groups {
		if mesh.Shards > 1 {
			p = newPrograms() // they are compiled for the devices of one group
		}
		l, err := shard.New(t.opts.Backend, t.opts.Devices[i*mesh.Shards:(i+1)*mesh.Shards])
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		g := newGroup(t, t.opts.Engine.Rank()*mesh.Groups+i, l, p, mesh.Devices() == 1)
		t.groups = append(t.groups, g)
		if err := g.load(); err != nil {
			return err
		}
	}
	return nil
}

// startRecord starts the record of the training with that of the weights. It counts the
// windows of this process's groups.
func (t *Trainer) startRecord(c *walrus.Coverage) {
	t.weights.SetCoverage(c.Continue())
	t.weights.SetScaling(*t.opts.Objective.Scaling)
	if t.averaged != nil {
		t.averaged.SetCoverage(t.weights.Coverage())
		t.averaged.SetScaling(t.weights.Scaling())
	}
}

// record records in the weights the scaling that all micro-batches so far have in common.
func (t *Trainer) record(s walrus.Scaling) {
	if t.weights == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.recorded {
		s = common(t.weights.Scaling(), s)
	}
	t.recorded = true
	t.weights.SetScaling(s)
	if t.averaged != nil {
		t.averaged.SetScaling(s)
	}
}

// Network returns the network in training, with the values of the last update.
func (t *Trainer) Network() (Network, error) {
	if err := t.enter(); err != nil {
		return nil, fmt.Errorf("train: weights: %w", err)
	}
	defer t.uses.Leave()
	if err := t.collect(); err != nil {
		return nil, err
	}
	return t.net, nil
}

// AveragedNetwork returns a copy of the network with the moving average of the tensors, or
// the network itself if Options.EMA is 0. Every update changes it.
func (t *Trainer) AveragedNetwork() (Network, error) {
	net, err := t.Network()
	if t.mean != nil && err == nil {
		net = t.mean
	}
	return net, err
}

// errDesign is the error of a call for the weights of a Walrus network.
var errDesign = errors.New("train: weights: expected a trainer of a Walrus network, got one of another design: call Network")

// Weights returns the weights in training, with the values of the last update. For networks
// of other designs call [Trainer.Network].
func (t *Trainer) Weights() (*walrus.Weights, error) {
	if t.weights == nil {
		return nil, errDesign
	}
	if _, err := t.Network(); err != nil {
		return nil, err
	}
	return t.weights, nil
}

// Averaged returns the moving average of the weights, or the weights themselves if
// Options.EMA is 0. Every update changes them.
func (t *Trainer) Averaged() (*walrus.Weights, error) {
	w, err := t.Weights()
	if t.averaged != nil && err == nil {
		w = t.averaged
	}
	return w, err
}

// Updates returns the number of updates so far.
func (t *Trainer) Updates() int64 { return t.step }

// ErrClosed is the error of a use of a closed trainer.
var ErrClosed = errors.New("the trainer is closed")

// Close frees compiled programs, moments and the moving average, but not the weights. A
// running update ends with [ErrClosed] before its next micro-batch and frees the memory,
// so Close may be called at any time, also by the source of micro-batches.
func (t *Trainer) Close() { t.uses.Close(t.free) }

// enter begins a use of the trainer, which ends with t.uses.Leave.
func (t *Trainer) enter() error {
	if !t.uses.Enter() {
		return ErrClosed
	}
	return nil
}

func (t *Trainer) free() {
	t.done()
	for _, g := range t.groups {
		g.close()
	}
	t.groups = nil
	if t.mean != nil {
		t.mean.Close()
	}
}

// params lists all tensors that may be trained: the tensors of the network, then the
// adapters.
func (t *Trainer) params() []walrus.Param {
	all := t.net.Tensors().Params()
	if t.lora != nil {
		all = append(all[:len(all):len(all)], t.lora.params...)
	}
	return all
}

// trains reports whether a tensor of the network is trained itself.
func (t *Trainer) trains(p walrus.Param) bool {
	return !p.Init.Buffer && !t.frozen[p.Key] && !t.lora.adapts(p.Key)
}

// Trainable returns the number of trained parameters, adapters included, and the number of
// parameters of the network without constants.
func (t *Trainer) Trainable() (trained, all int) {
	for _, p := range t.params() {
		if p.Init.Buffer {
			continue
		}
		if !t.lora.has(p.Key) {
			all += p.Size()
		}
		if t.trains(p) {
			trained += p.Size()
		}
	}
	return trained, all
}

// DeviceBytes returns the bytes of parameters and moments in the buffers of each device of
// this process.
func (t *Trainer) DeviceBytes() map[compute.DeviceNum]int64 {
	out := map[compute.DeviceNum]int64{}
	if t.enter() != nil {
		return out
	}
	defer t.uses.Leave()
	for _, g := range t.groups {
		if g.attached {
			for _, p := range t.net.Tensors().Params() {
				out[g.layout.Devices[0]] += 4 * int64(p.Size())
			}
		}
		for _, list := range []stored{g.params, g.base, g.first, g.second} {
			for _, parts := range list {
				for i, x := range parts {
					out[g.layout.Devices[i]] += int64(x.ByteSize())
				}
			}
		}
	}
	return out
}

// numbers returns the numbers of this process's groups, counted over all processes.
func (t *Trainer) numbers() []int {
	var mine []int
	for _, g := range t.groups {
		mine = append(mine, g.number)
	}
	return mine
}

// devices returns the first device of each of this process's groups, which computes its
// part of a validation. Every process has the same number of groups.
func (t *Trainer) devices() []compute.DeviceNum {
	var mine []compute.DeviceNum
	for _, g := range t.groups {
		mine = append(mine, g.layout.Devices[0])
	}
	return mine
}

// total returns the number of groups of all processes.
func (t *Trainer) total() int { return len(t.groups) * t.opts.Engine.Size() }

// allReduce replaces values by their sum over all processes.
func (t *Trainer) allReduce(values []float32) error { return t.opts.Engine.Sum(values)() }

// generator returns the random numbers of a group's next micro-batch. A single group draws
// from a stream, whose state checkpoints hold. Several groups work at the same time, so
// their numbers depend only on the update, the group and the micro-batch.
func (t *Trainer) generator(g *group) *rand.Rand {
	if t.total() == 1 {
		return t.rng
	}
	return rand.New(rand.NewPCG(t.opts.Seed^uint64(g.number)<<32, uint64(t.step)<<16|uint64(g.micro)))
}

// each runs f for all groups concurrently.
func (t *Trainer) each(f func(i int, g *group) error) error {
	var work errgroup.Group
	for i, g := range t.groups {
		work.Go(func() error { return f(i, g) })
	}
	return work.Wait()
}

// Drop discards the gradients that wait for an update.
func (t *Trainer) Drop() {
	if t.enter() != nil {
		return
	}
	defer t.uses.Leave()
	t.drop()
}

func (t *Trainer) drop() {
	for _, g := range t.groups {
		g.drop()
	}
}

// collect copies the weights from the devices of the first group unless they are current.
func (t *Trainer) collect() error {
	if len(t.groups) == 0 || t.groups[0].attached || t.fresh == t.step {
		return nil
	}
	g := t.groups[0]
	for _, p := range t.net.Tensors().Params() {
		if err := g.copyTo(t.net.Tensors(), g.params, p); err != nil {
			return err
		}
		if t.mean == nil {
			continue
		}
		if err := g.copyTo(t.mean.Tensors(), g.average, p); err != nil {
			return err
		}
	}
	t.fresh = t.step
	return nil
}

// isXLA reports whether a backend is XLA.
func isXLA(b compute.Backend) bool { return strings.HasPrefix(b.Name(), "xla") }

package distributed

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Trainer updates the weights of a network on many devices. Its updates equal those of
// a train.Trainer that runs the micro-batches of all groups one after the other.
//
// Every process of a run makes the same calls with different batches.
type Trainer struct {
	opts   Options
	engine Engine
	groups []*group
	// weights are those of the first group in host memory, as of update fresh.
	weights, averaged *walrus.Weights
	fresh             int64

	steps map[string]int // updates of each tensor
	step  int64
}

// New returns a trainer of the given weights on the devices of a mesh. It copies the
// weights; Weights returns the trained weights.
func New(w *walrus.Weights, o Options) (*Trainer, error) {
	if err := o.fill(w); err != nil {
		return nil, err
	}
	m, err := walrus.NewModel(w.Config())
	if err != nil {
		return nil, err
	}
	t := &Trainer{opts: o, engine: o.Engine, steps: map[string]int{}}
	if t.weights, err = w.Clone(); err != nil {
		return nil, err
	}
	p := newPrograms()
	for i := range o.Mesh.Groups {
		if o.Mesh.Shards > 1 {
			p = newPrograms() // they are compiled for the devices of one group
		}
		l, err := newLayout(o.Trainer.Backend, o.Devices[i*o.Mesh.Shards:(i+1)*o.Mesh.Shards])
		if err != nil {
			return nil, err
		}
		g, err := newGroup(o.Engine.Rank()*o.Mesh.Groups+i, l, m, w, &t.opts, p)
		if err != nil {
			return nil, err
		}
		t.groups = append(t.groups, g)
		if o.Trainer.EMA > 0 {
			if err := g.startAverage(w); err != nil {
				return nil, err
			}
		}
	}
	if o.Trainer.EMA > 0 {
		if t.averaged, err = w.Clone(); err != nil {
			return t, err
		}
	}
	t.record(w.Coverage())
	return t, nil
}

// Trainer implements train.Machine. RunOptions.Machine passes it to a Run, see
// [Machine].
var _ train.Machine = (*Trainer)(nil)

// record starts the record of the training with that of the weights. It counts the
// windows of this process's groups.
func (t *Trainer) record(c *walrus.Coverage) {
	t.weights.SetCoverage(c.Continue())
	t.weights.SetScaling(*t.opts.Trainer.Objective.Scaling)
	if t.averaged != nil {
		t.averaged.SetCoverage(t.weights.Coverage())
		t.averaged.SetScaling(t.weights.Scaling())
	}
}

// Machine returns a value for RunOptions.Machine that lets a train.Run train on a mesh.
func Machine(o Options) func(w *walrus.Weights, t train.Options) (train.Machine, error) {
	return func(w *walrus.Weights, t train.Options) (train.Machine, error) {
		o.Trainer = t
		tr, err := New(w, o)
		if err != nil {
			return nil, err
		}
		return tr, nil
	}
}

// Groups returns the numbers of this process's groups, counted over all processes.
func (t *Trainer) Groups() []int {
	var mine []int
	for _, g := range t.groups {
		mine = append(mine, g.number)
	}
	return mine
}

// Shards returns the number of devices of a group.
func (t *Trainer) Shards() int { return t.opts.Mesh.Shards }

// Devices returns the first device of each of this process's groups.
func (t *Trainer) Devices() []compute.DeviceNum {
	var mine []compute.DeviceNum
	for _, g := range t.groups {
		mine = append(mine, g.layout.devices[0])
	}
	return mine
}

// Rank returns the number of this process among Size.
func (t *Trainer) Rank() int { return t.engine.Rank() }

// Size returns the number of processes.
func (t *Trainer) Size() int { return t.engine.Size() }

// Share replaces values by their sum over all processes (an all-reduce).
func (t *Trainer) Share(values []float32) error { return t.engine.Sum(values)() }

// Updates returns the number of updates so far.
func (t *Trainer) Updates() int64 { return t.step }

// GroupError is the error of one group. It names the group, the update and the
// micro-batch.
type GroupError struct {
	Group, Micro int
	Update       int64
	// System names the data set, if it is known.
	System string
	Err    error
}

func (e *GroupError) Error() string {
	text := fmt.Sprintf("distributed: update %d: group %d, micro-batch %d", e.Update, e.Group, e.Micro)
	if e.System != "" {
		text += " of " + e.System
	}
	return text + ": " + e.Err.Error()
}

func (e *GroupError) Unwrap() error { return e.Err }

// Step makes one update. Every group runs micro separate micro-batches, all groups sum
// their gradients, and each applies the mean with AdamW at learning rate lr. The first
// error of a group ends all groups of this process and leaves the weights as they were.
// When ctx ends, groups stop before their next micro-batch.
func (t *Trainer) Step(ctx context.Context, next train.Source, micro int, lr float64) (train.Update, error) {
	if err := train.CheckStep(micro, lr); err != nil {
		return train.Update{}, err
	}
	u, err := t.accumulate(ctx, next, micro)
	if err != nil {
		t.Drop()
		return u, err
	}
	if u, err = t.share(u); err != nil {
		return u, err
	}
	slots, err := t.exchange()
	if err != nil {
		return u, err
	}
	for _, s := range slots {
		t.steps[s.Key]++
	}
	for _, g := range t.groups {
		t.weights.Coverage().Add(g.seen)
	}
	groups := len(t.groups) * t.engine.Size()
	norms := make([]float64, len(t.groups))
	err = t.each(func(i int, g *group) (err error) {
		norms[i], err = g.apply(slots, t.steps, micro*groups, lr)
		return err
	})
	if err != nil {
		return u, err
	}
	t.step++
	if u.Norm = norms[0]; math.IsNaN(u.Norm) || math.IsInf(u.Norm, 0) {
		return u, fmt.Errorf("distributed: update %d: the gradient norm is %v: the weights are no longer usable", t.step, u.Norm)
	}
	return u, nil
}

// accumulate runs the micro-batches of this process's groups concurrently.
func (t *Trainer) accumulate(ctx context.Context, next train.Source, micro int) (u train.Update, err error) {
	var mu sync.Mutex
	work, ctx := errgroup.WithContext(ctx)
	for _, g := range t.groups {
		work.Go(func() error {
			for k := range micro {
				loss, samples, err := t.micro(ctx, g, next, k)
				if err != nil {
					return err
				}
				mu.Lock()
				u.Loss, u.Samples = u.Loss+loss/float64(micro*len(t.groups)), u.Samples+samples
				mu.Unlock()
			}
			return nil
		})
	}
	return u, work.Wait()
}

// micro runs one micro-batch of a group.
func (t *Trainer) micro(ctx context.Context, g *group, next train.Source, k int) (loss float64, samples int, err error) {
	fail := func(system string, err error) (float64, int, error) {
		return 0, 0, &GroupError{Group: g.number, Micro: k, Update: t.step + 1, System: system, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return fail("", err)
	}
	b, err := next(ctx, g.number, k)
	if err != nil {
		return fail("", err)
	}
	if b == nil || len(b.Windows) == 0 {
		return fail("", fmt.Errorf("expected a batch of at least one window, got none"))
	}
	loss, samples, err = g.accumulate(b, g.generator(t.step, k))
	if err != nil {
		return fail(b.Windows[0].Name, err)
	}
	if t.opts.Done != nil {
		t.opts.Done(g.number, k)
	}
	return loss, samples, nil
}

// share sums loss and samples over all processes.
func (t *Trainer) share(u train.Update) (train.Update, error) {
	n := t.engine.Size()
	if n == 1 {
		return u, nil
	}
	both := []float32{float32(u.Loss), float32(u.Samples)}
	if err := t.engine.Sum(both)(); err != nil {
		return u, fmt.Errorf("distributed: adding up losses: %w", err)
	}
	u.Loss, u.Samples = float64(both[0])/float64(n), int(both[1])
	return u, nil
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
	for _, g := range t.groups {
		g.drop()
	}
}

// Close frees memory of devices and host.
func (t *Trainer) Close() {
	for _, g := range t.groups {
		g.close()
	}
	for _, w := range []*walrus.Weights{t.weights, t.averaged} {
		if w != nil {
			w.Finalize()
		}
	}
}

// Weights returns the current weights in host memory. They belong to the trainer and
// change with its next call.
func (t *Trainer) Weights() (*walrus.Weights, error) { return t.weights, t.collect() }

// Averaged returns the moving average if the options ask for one, else the weights.
func (t *Trainer) Averaged() (*walrus.Weights, error) {
	if t.averaged == nil {
		return t.Weights()
	}
	return t.averaged, t.collect()
}

// collect copies the weights from the devices of the first group unless they are
// current.
func (t *Trainer) collect() error {
	if t.fresh == t.step {
		return nil
	}
	g := t.groups[0]
	for _, s := range g.slots {
		for _, c := range []struct {
			from map[string][]*tensors.Tensor
			to   *walrus.Weights
		}{{g.params, t.weights}, {g.average, t.averaged}} {
			if c.to == nil {
				continue
			}
			values := make([]float32, s.Size())
			if err := g.layout.gather(s, c.from[s.Key], values); err != nil {
				return err
			}
			if err := c.to.Set(s.Key, tensors.FromFlatDataAndDimensions(values, s.Dims...)); err != nil {
				return err
			}
		}
	}
	t.fresh = t.step
	return nil
}

// DeviceBytes returns the bytes of parameters and moments in the buffers of each device
// of this process.
func (t *Trainer) DeviceBytes() map[compute.DeviceNum]int64 {
	out := map[compute.DeviceNum]int64{}
	for _, g := range t.groups {
		for _, list := range []map[string][]*tensors.Tensor{g.params, g.first, g.second} {
			for _, parts := range list {
				for i, x := range parts {
					out[g.layout.devices[i]] += int64(x.ByteSize())
				}
			}
		}
	}
	return out
}

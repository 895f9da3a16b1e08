package distributed

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gomlx/compute/distributed"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// group holds one copy of the network, its moments and gradients, on its devices. Only
// one goroutine may call its methods at a time.
type group struct {
	number int // among all groups of the run
	layout *layout
	model  *walrus.Model
	opts   *Options
	slots  []slot
	index  map[string]int

	params, first, second, average map[string][]*tensors.Tensor
	sums                           map[string][]*tensors.Tensor // gradients since the last update
	seen                           *walrus.Coverage             // windows of these gradients
	programs                       *programs
}

// newGroup copies weights to the devices of a group, which runs the given programs.
func newGroup(number int, l *layout, m *walrus.Model, w *walrus.Weights, o *Options, p *programs) (*group, error) {
	g := &group{number: number, layout: l, model: m, opts: o, index: map[string]int{},
		params: map[string][]*tensors.Tensor{}, first: map[string][]*tensors.Tensor{}, second: map[string][]*tensors.Tensor{},
		average: map[string][]*tensors.Tensor{}, sums: map[string][]*tensors.Tensor{},
		seen: &walrus.Coverage{}, programs: p}
	for i, p := range w.Params() {
		g.slots, g.index[p.Key] = append(g.slots, slot{Param: p, sharded: sharded(p)}), i
	}
	return g, g.setWeights(w)
}

// sharded reports whether a tensor is sharded. Tensors of blocks are; encoder, decoder
// and the tensors outside the blocks are small and whole on every device (paper §4.2).
func sharded(p walrus.Param) bool { return strings.HasPrefix(p.Key, "blocks.") && !p.Init.Buffer }

// setWeights replaces the values of all tensors.
func (g *group) setWeights(w *walrus.Weights) error {
	for _, s := range g.slots {
		x, ok := w.Tensor(s.Key)
		if !ok {
			return fmt.Errorf("distributed: weights: expected a value of %s, got none", s.Key)
		}
		values, err := tensors.CopyFlatData[float32](x)
		if err != nil {
			return fmt.Errorf("distributed: weights: %s: %w", s.Key, err)
		}
		if err := g.set(g.params, s, values); err != nil {
			return err
		}
	}
	return nil
}

// set replaces the tensor of a slot in list.
func (g *group) set(list map[string][]*tensors.Tensor, s slot, values []float32) error {
	parts, err := g.layout.place(s, values)
	if err != nil {
		return err
	}
	free(list[s.Key])
	list[s.Key] = parts
	return nil
}

// generator returns the random numbers of one micro-batch. They depend only on the
// update, the group and the micro-batch, so that nothing needs to be saved.
func (g *group) generator(update int64, micro int) *rand.Rand {
	return rand.New(rand.NewPCG(g.opts.Trainer.Seed^uint64(g.number)<<32, uint64(update)<<16|uint64(micro)))
}

// accumulate runs one micro-batch and adds its gradients to those since the last
// update.
func (g *group) accumulate(b *train.Batch, rng *rand.Rand) (loss float64, samples int, err error) {
	b = fillUp(b, len(g.layout.devices))
	pass, err := train.NewPass(g.model, g.opts.Trainer, b, rng)
	if err != nil {
		return 0, 0, err
	}
	defer pass.Close()
	p, err := g.program(pass)
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	loss, grads, err := g.run(p, pass)
	if err != nil {
		return 0, 0, fmt.Errorf("window %s: %w", b.Windows[0].Name, err)
	}
	g.opts.Log.Debug("micro-batch", "group", g.number, "class", pass.Class(), "seconds", time.Since(begin).Seconds())
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		for _, x := range grads {
			free(x)
		}
		return loss, 0, &train.NonFiniteError{Loss: loss, Windows: b.Windows}
	}
	pass.Count(g.seen)
	return loss, pass.Samples(), g.add(p.trained, grads)
}

// fillUp repeats the first window until the number of windows is a multiple of n. The
// copies have no weight in the loss.
func fillUp(b *train.Batch, n int) *train.Batch {
	if len(b.Windows)%n == 0 || len(b.Windows) == 0 {
		return b
	}
	full := *b
	full.Windows, full.Present = nil, nil
	for _, w := range b.Windows {
		full.Windows, full.Present = append(full.Windows, w), append(full.Present, true)
	}
	for len(full.Windows)%n != 0 {
		full.Windows, full.Present = append(full.Windows, b.Windows[0]), append(full.Present, false)
	}
	return &full
}

// program returns the program of a shape class and builds it at the first call.
func (g *group) program(pass *train.Pass) (*gradientProgram, error) {
	return once(g.programs, g.programs.gradients, pass.Class(), func() (*gradientProgram, error) { return g.newProgram(pass) })
}

func (g *group) newProgram(pass *train.Pass) (*gradientProgram, error) {
	params, err := pass.Params()
	if err != nil {
		return nil, err
	}
	p := &gradientProgram{}
	for _, q := range params {
		s := g.slots[g.index[q.Key]]
		if q.Init.Buffer || g.opts.frozen[q.Key] {
			p.fixed = append(p.fixed, s)
		} else {
			p.trained = append(p.trained, s)
		}
	}
	if len(p.trained) == 0 {
		return nil, fmt.Errorf("distributed: %s: expected tensors to train, got only frozen ones", pass.Class())
	}
	in, out := g.shardings(p, pass)
	p.exec, err = g.layout.program("gradients", func(in []*Node) []*Node { return g.gradients(p, pass, in) }, in, out)
	if err != nil {
		return nil, err
	}
	g.opts.Log.Info("compiling", "program", "gradients", "group", g.number, "class", pass.Class())
	return p, nil
}

// gradients builds loss and gradients. It differentiates by the whole tensors, so that
// the sum over devices is cut into shards once.
func (g *group) gradients(p *gradientProgram, pass *train.Pass, in []*Node) []*Node {
	weights := map[string]*Node{}
	trained := make([]*Node, len(p.trained))
	for i, s := range p.trained {
		trained[i] = s.whole(in[i])
		weights[s.Key] = trained[i]
	}
	in = in[len(p.trained):]
	for i, s := range p.fixed {
		weights[s.Key] = s.whole(in[i])
	}
	loss := pass.Loss(weights, in[len(p.fixed):]).Loss
	out := []*Node{loss}
	for i, d := range Gradient(loss, trained...) {
		out = append(out, g.layout.flat(p.trained[i], d))
	}
	return out
}

// shardings returns the shardings of a gradient program's inputs and outputs.
func (g *group) shardings(p *gradientProgram, pass *train.Pass) (in, out []*distributed.ShardingSpec) {
	if g.layout.mesh == nil {
		return nil, nil
	}
	out = append(out, g.layout.replicated())
	for _, s := range p.trained {
		in, out = append(in, g.layout.spec(s)), append(out, g.layout.spec(s))
	}
	for _, s := range p.fixed {
		in = append(in, g.layout.spec(s))
	}
	for _, axis := range pass.SampleAxes() {
		if axis < 0 {
			in = append(in, g.layout.replicated())
		} else {
			in = append(in, g.layout.along(axis))
		}
	}
	return in, out
}

// run executes a gradient program.
func (g *group) run(p *gradientProgram, pass *train.Pass) (float64, [][]*tensors.Tensor, error) {
	var args [][]any
	for _, list := range [][]slot{p.trained, p.fixed} {
		for _, s := range list {
			args = append(args, toAny(g.params[s.Key]))
		}
	}
	axes := pass.SampleAxes()
	for i, x := range pass.Inputs() {
		parts, err := g.layout.split(x, axes[i])
		if err != nil {
			return 0, nil, err
		}
		defer free(parts)
		args = append(args, toAny(parts))
	}
	out, err := g.layout.call(p.exec, args)
	if err != nil {
		return 0, nil, fmt.Errorf("gradient program: %w", err)
	}
	defer free(out[0])
	loss, err := tensors.CopyFlatData[float32](out[0][0])
	if err != nil {
		return 0, nil, err
	}
	return float64(loss[0]), out[1:], nil
}

// add accumulates gradients.
func (g *group) add(trained []slot, grads [][]*tensors.Tensor) error {
	var known []slot
	var fresh [][]*tensors.Tensor
	for i, s := range trained {
		if g.sums[s.Key] == nil {
			g.sums[s.Key] = grads[i]
			continue
		}
		known, fresh = append(known, s), append(fresh, grads[i])
	}
	if len(known) == 0 {
		return nil
	}
	out, err := g.combine(g.programs.adds, "sums", known, func(in []*Node) []*Node {
		n := len(in) / 2
		sum := make([]*Node, n)
		for i := range sum {
			sum[i] = Add(in[i], in[n+i])
		}
		return sum
	}, g.sums, fresh)
	if err != nil {
		return err
	}
	for i, s := range known {
		free(fresh[i])
		g.sums[s.Key] = out[i]
	}
	return nil
}

// combine runs an elementwise program on the tensors of list and others of the same
// slots. The program reuses the memory of list.
func (g *group) combine(programs map[string]*Exec, name string, slots []slot, f func(in []*Node) []*Node,
	list map[string][]*tensors.Tensor, others [][]*tensors.Tensor) ([][]*tensors.Tensor, error) {
	exec, err := once(g.programs, programs, pattern(slots), func() (*Exec, error) {
		var specs []*distributed.ShardingSpec
		if g.layout.mesh != nil {
			for _, s := range slots {
				specs = append(specs, g.layout.spec(s))
			}
		}
		return g.layout.program(name, f, append(specs, specs...), specs)
	})
	if err != nil {
		return nil, err
	}
	var args [][]any
	for _, s := range slots {
		donated, err := g.layout.donate(list[s.Key])
		if err != nil {
			return nil, fmt.Errorf("distributed: %s: %w", s.Key, err)
		}
		args = append(args, donated)
	}
	for _, x := range others {
		args = append(args, toAny(x))
	}
	out, err := g.layout.call(exec, args)
	if err != nil {
		return nil, fmt.Errorf("distributed: program %s: %w", name, err)
	}
	return out, nil
}

// drop discards the gradients since the last update.
func (g *group) drop() {
	for _, x := range g.sums {
		free(x)
	}
	clear(g.sums)
	g.seen = &walrus.Coverage{}
}

// close frees all tensors on the devices.
func (g *group) close() {
	g.drop()
	g.programs.close()
	for _, list := range []map[string][]*tensors.Tensor{g.params, g.first, g.second, g.average} {
		for _, x := range list {
			free(x)
		}
		clear(list)
	}
}

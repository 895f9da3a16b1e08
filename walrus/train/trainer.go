package train

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// Trainer updates the weights of a network.
type Trainer struct {
	opts    Options
	model   *walrus.Model
	weights *walrus.Weights
	source  *rand.PCG // of rng
	rng     *rand.Rand
	frozen  map[string]bool
	average *average  // or nil
	lora    *adapters // or nil

	gradients map[string]*gradientProgram
	updates   map[int]*Exec
	sums      map[int]*Exec

	state map[string]*moments
	sum   map[string]*tensors.Tensor // gradients since the last update
	micro int                        // micro-batches in sum
	seen  *walrus.Coverage           // their windows
	step  int64                      // updates so far

	recorded bool // the scaling of a micro-batch is recorded in the weights
}

// New returns a trainer that trains the given weights in place.
func New(weights *walrus.Weights, o Options) (*Trainer, error) {
	if o.Backend == nil {
		return nil, fmt.Errorf("train: options: expected a backend, got none")
	}
	if weights == nil {
		return nil, fmt.Errorf("train: expected weights, got none")
	}
	if err := o.AdamW.Validate(); err != nil {
		return nil, err
	}
	if o.Objective.BFloat16 && !strings.HasPrefix(o.Backend.Name(), "xla") {
		return nil, fmt.Errorf("train: bfloat16: expected XLA, got backend %s", o.Backend.Name())
	}
	var err error
	if o.Objective, err = o.Objective.For(weights); err != nil {
		return nil, err
	}
	o.AdamW = o.AdamW.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m, err := walrus.NewModel(weights.Config())
	if err != nil {
		return nil, err
	}
	t := &Trainer{
		opts: o, model: m, weights: weights, source: rand.NewPCG(o.Seed, 0x77616c727573),
		gradients: map[string]*gradientProgram{}, updates: map[int]*Exec{}, sums: map[int]*Exec{},
		state: map[string]*moments{}, sum: map[string]*tensors.Tensor{},
	}
	t.rng = rand.New(t.source)
	t.seen = &walrus.Coverage{}
	weights.SetCoverage(weights.Coverage().Continue())
	weights.SetScaling(*o.Objective.Scaling)
	if t.frozen, err = Frozen(weights.Params(), o.Freeze); err != nil {
		return nil, err
	}
	if o.LoRA != nil {
		if t.lora, err = newAdapters(o.Backend, weights, *o.LoRA, o.Seed); err != nil {
			return nil, err
		}
	}
	if o.EMA != 0 {
		t.average, err = newAverage(o.Backend, weights, o.EMA)
	}
	return t, err
}

// Weights returns the weights in training.
func (t *Trainer) Weights() *walrus.Weights { return t.weights }

// Averaged returns the moving average of the weights, or the weights themselves if
// Options.EMA is 0. Every update changes them.
func (t *Trainer) Averaged() *walrus.Weights {
	if t.average == nil {
		return t.weights
	}
	return t.average.weights
}

// Updates returns the number of updates so far.
func (t *Trainer) Updates() int64 { return t.step }

// Close frees compiled programs, moments and the moving average, but not the weights.
func (t *Trainer) Close() {
	for _, p := range t.gradients {
		p.exec.Finalize()
	}
	for _, list := range []map[int]*Exec{t.updates, t.sums} {
		for _, exec := range list {
			exec.Finalize()
		}
	}
	for _, s := range t.state {
		finalize([]*tensors.Tensor{s.first, s.second})
	}
	t.drop()
	if t.average != nil {
		t.average.close()
	}
	if t.lora != nil {
		t.lora.close()
	}
	clear(t.gradients)
	clear(t.updates)
	clear(t.sums)
	clear(t.state)
}

// Accumulate computes loss and gradients of one micro-batch, adds the gradients to those
// since the last update and returns the loss. If the loss is not finite, it returns an
// error and adds no gradients.
func (t *Trainer) Accumulate(b *Batch) (float64, error) {
	pass, err := NewPass(t.model, t.opts, b, t.rng)
	if err != nil {
		return 0, err
	}
	defer pass.Close()
	p, fresh, err := t.gradientProgram(pass)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	loss, grads, err := p.run(t.value, pass.inputs)
	if err != nil {
		return 0, fmt.Errorf("train: window %s: %w", b.Windows[0].Name, err)
	}
	if fresh {
		t.opts.Log.Info("compiled and ran", "program", "gradients", "class", pass.Class(), "seconds", time.Since(begin).Seconds())
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		finalize(grads)
		return loss, t.explain(pass, loss)
	}
	if err := t.add(p, grads); err != nil {
		return loss, err
	}
	pass.Count(t.seen)
	t.record(t.opts.Objective.scaling().With(b.Statistics))
	return loss, nil
}

// record records in the weights the scaling that all micro-batches so far have in common.
func (t *Trainer) record(s walrus.Scaling) {
	if t.recorded {
		s = common(t.weights.Scaling(), s)
	}
	t.recorded = true
	t.weights.SetScaling(s)
	if t.average != nil {
		t.average.weights.SetScaling(t.weights.Scaling())
	}
}

// gradientProgram returns the program of a shape class, which it builds if needed.
func (t *Trainer) gradientProgram(pass *Pass) (p *gradientProgram, fresh bool, err error) {
	class := pass.Class()
	if p, ok := t.gradients[class]; ok {
		return p, false, nil
	}
	p, err = t.newGradientProgram(pass)
	if err != nil {
		return nil, false, err
	}
	t.gradients[class] = p
	return p, true, nil
}

// add adds the gradients of one micro-batch to the sum.
func (t *Trainer) add(p *gradientProgram, grads []*tensors.Tensor) error {
	t.micro++
	var keys []string
	var args, old []any
	for i, q := range p.trained {
		sum, ok := t.sum[q.Key]
		if !ok {
			t.sum[q.Key] = grads[i]
			continue
		}
		keys, old, args = append(keys, q.Key), append(old, sum), append(args, grads[i])
	}
	if len(keys) == 0 {
		return nil
	}
	exec, err := t.sumProgram(len(keys))
	if err != nil {
		return err
	}
	out, err := exec.Call(append(old, args...)...)
	if err != nil {
		return fmt.Errorf("train: accumulating gradients: %w", err)
	}
	for i, key := range keys {
		old[i].(*tensors.Tensor).FinalizeAll()
		args[i].(*tensors.Tensor).FinalizeAll()
		t.sum[key] = out[i]
	}
	return nil
}

// drop discards the gradients since the last update.
func (t *Trainer) drop() {
	for _, g := range t.sum {
		g.FinalizeAll()
	}
	clear(t.sum)
	t.micro, t.seen = 0, &walrus.Coverage{}
}

func (t *Trainer) sumProgram(n int) (exec *Exec, err error) {
	if exec, ok := t.sums[n]; ok {
		return exec, nil
	}
	exec, err = newSumProgram(t.opts.Backend, n)
	t.sums[n] = exec
	return exec, err
}

func finalize(list []*tensors.Tensor) {
	for _, t := range list {
		t.FinalizeAll()
	}
}

// Update applies the mean of the accumulated gradients with AdamW at learning rate lr and
// returns their global norm before clipping. Tensors without a gradient since the last
// update do not change, not even by weight decay, as in the release. A negative or infinite
// rate is an error. A gradient norm that is not finite is an error, too, and then the
// weights are no longer usable, because the norm enters all of them.
func (t *Trainer) Update(lr float64) (norm float64, err error) {
	if t.micro == 0 {
		return 0, fmt.Errorf("train: update: expected accumulated gradients, got none")
	}
	if !(lr >= 0) || math.IsInf(lr, 0) {
		return 0, fmt.Errorf("train: update: expected a learning rate of at least 0, got %v", lr)
	}
	keys := t.waiting()
	args, err := t.updateArgs(keys, lr)
	if err != nil {
		return 0, err
	}
	n := len(keys)
	if t.updates[n] == nil {
		if t.updates[n], err = newUpdateProgram(t.opts.Backend, t.opts.AdamW, n); err != nil {
			return 0, err
		}
	}
	out, err := t.updates[n].Call(args...)
	if err != nil {
		return 0, fmt.Errorf("train: update program: %w", err)
	}
	for i, key := range keys {
		s := t.state[key]
		s.first, s.second = out[n+i], out[2*n+i]
		if err := t.setValue(key, out[i]); err != nil {
			return 0, err
		}
	}
	t.weights.Coverage().Add(t.seen)
	t.drop()
	value, err := tensors.CopyFlatData[float32](out[3*n])
	if err != nil {
		return 0, err
	}
	if norm = float64(value[0]); math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm, fmt.Errorf("train: update: the gradient norm is %v: the weights are no longer usable", norm)
	}
	t.step++
	return norm, t.updated(keys)
}

// waiting lists the keys that have gradients since the last update.
func (t *Trainer) waiting() []string {
	var keys []string
	for _, p := range t.params() {
		if _, ok := t.sum[p.Key]; ok {
			keys = append(keys, p.Key)
		}
	}
	return keys
}

// updateArgs advances the step of every tensor and returns the inputs of the update
// program. Parameters and moments are donated: the results reuse their memory.
func (t *Trainer) updateArgs(keys []string, lr float64) ([]any, error) {
	n := len(keys)
	args := make([]any, 4*n, 4*n+4)
	rates, roots := make([]float32, n), make([]float32, n)
	for i, key := range keys {
		p, err := t.value(key)
		if err != nil {
			return nil, err
		}
		s := t.state[key]
		if s == nil {
			s = &moments{first: tensors.FromShape(p.Shape()), second: tensors.FromShape(p.Shape())}
			t.state[key] = s
		}
		s.steps++
		rates[i], roots[i] = t.opts.AdamW.Rates(lr, s.steps)
		for k, x := range []*tensors.Tensor{p, s.first, s.second} {
			donated, err := DonateTensorBuffer(x, t.opts.Backend, 0)
			if err != nil {
				return nil, fmt.Errorf("train: %s: %w", key, err)
			}
			args[k*n+i] = donated
		}
		args[3*n+i] = t.sum[key]
	}
	return slices.Concat(args, []any{float32(1 / float64(t.micro)), float32(lr), rates, roots}), nil
}

// Step computes one update from a single micro-batch: Accumulate, then Update.
func (t *Trainer) Step(b *Batch, lr float64) (loss float64, err error) {
	if loss, err = t.Accumulate(b); err != nil {
		return loss, err
	}
	_, err = t.Update(lr)
	return loss, err
}

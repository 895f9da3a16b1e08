package train

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/gomlx/compute"
	"golang.org/x/sync/errgroup"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// validator computes validation errors: it forecasts windows of the validation data with the
// weights in training.
type validator struct {
	o RunOptions
	// systems is the number of systems with validation data, over all processes.
	systems int
	// mine lists the systems that each group of this process validates, on its first
	// device.
	mine      [][]int
	devices   []compute.DeviceNum
	emulators map[emulatorKey]walrus.Forecaster
	// net is the network in training, which the first group validates. The other groups
	// have copies, because a tensor is on one device at a time. The copies hold values
	// only during a validation.
	net    Network
	copies map[compute.DeviceNum]Network
}

// emulatorKey identifies an emulator: its statistics and its device.
type emulatorKey struct {
	statistics *data.Statistics
	device     compute.DeviceNum
}

func newValidator(net Network, o RunOptions, t *Trainer) (*validator, error) {
	v := &validator{o: o, devices: t.devices(), emulators: map[emulatorKey]walrus.Forecaster{}, net: net, copies: map[compute.DeviceNum]Network{}}
	v.assign(t.opts.Engine.Rank(), t.opts.Engine.Size())
	for g, list := range v.mine {
		if err := v.makeEmulators(g, list); err != nil {
			v.close()
			return nil, err
		}
	}
	return v, nil
}

// makeEmulators makes the emulators of a group for its systems.
func (v *validator) makeEmulators(g int, systems []int) (err error) {
	net, device := v.net, v.devices[g]
	if g > 0 && len(systems) > 0 {
		if net, err = net.Clone(); err != nil {
			return err
		}
		net.Tensors().Close()
		v.copies[device] = net
	}
	for _, i := range systems {
		at := v.key(g, i)
		if v.emulators[at] != nil {
			continue
		}
		em, err := net.Forecaster(at.statistics, device)
		if err != nil {
			return err
		}
		v.emulators[at] = em
	}
	return nil
}

// copyWeights copies the current weights into every copy.
func (v *validator) copyWeights() error {
	for _, net := range v.copies {
		w := net.Tensors()
		for _, p := range w.Params() {
			x, ok := v.net.Tensors().Tensor(p.Key)
			if !ok {
				return fmt.Errorf("train: validation: expected a value of %s, got none", p.Key)
			}
			same, err := x.LocalClone()
			if err == nil {
				err = w.Set(p.Key, same)
			}
			if err != nil {
				return fmt.Errorf("train: validation: copying %s: %w", p.Key, err)
			}
		}
	}
	return nil
}

// dropCopies frees the values of the copies until the next validation.
func (v *validator) dropCopies() {
	for _, net := range v.copies {
		net.Tensors().Close()
	}
}

// assign assigns the systems one by one: to the first group of each process, then to the
// second group of each process, and so on.
func (v *validator) assign(rank, size int) {
	v.mine = make([][]int, len(v.devices))
	for i, s := range v.o.Systems {
		if s.Valid == nil {
			continue
		}
		place := v.systems % (size * len(v.devices))
		if place%size == rank {
			v.mine[place/size] = append(v.mine[place/size], i)
		}
		v.systems++
	}
}

func (v *validator) key(group, system int) emulatorKey {
	return emulatorKey{v.o.Systems[system].Statistics, v.devices[group]}
}

// task is a horizon and the number of windows that it is scored on.
type task struct {
	horizon eval.Horizon
	windows int
}

// errors returns the median VRMSE of every system and horizon. The groups of all processes
// score their systems at the same time, and an all-reduce gives every process the results
// of all systems.
func (v *validator) errors(ctx context.Context, t *Trainer, tasks []task) (map[string]map[string]float64, error) {
	n := len(tasks)
	found := make([]float32, n*len(v.o.Systems)+1)
	failed := v.scoreOwn(ctx, tasks, found)
	if failed != nil {
		found[len(found)-1] = 1
	}
	if err := t.allReduce(found); err != nil {
		return nil, fmt.Errorf("train: validation: %w", err)
	}
	if failed != nil {
		return nil, failed
	}
	if found[len(found)-1] > 0 {
		return nil, fmt.Errorf("train: validation: another process failed")
	}
	out := map[string]map[string]float64{}
	for i, s := range v.o.Systems {
		if s.Valid == nil {
			continue
		}
		out[s.Name] = map[string]float64{}
		for k, task := range tasks {
			if v := float64(found[i*n+k]); !math.IsNaN(v) {
				out[s.Name][task.horizon.String()] = v
			}
		}
	}
	return out, nil
}

// scoreOwn scores the systems of this process. Each group scores its systems on its own
// device.
func (v *validator) scoreOwn(ctx context.Context, tasks []task, found []float32) error {
	defer v.dropCopies()
	if err := v.copyWeights(); err != nil {
		return err
	}
	n := len(tasks)
	frames := v.count(tasks)
	work, ctx := errgroup.WithContext(ctx)
	for g, list := range v.mine {
		work.Go(func() error {
			for _, i := range list {
				if err := v.score(ctx, v.o.Systems[i], v.emulators[v.key(g, i)], tasks, frames, found[i*n:(i+1)*n]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// score scores a system. The score of a horizon beyond its trajectories is NaN.
func (v *validator) score(ctx context.Context, s System, em walrus.Forecaster, tasks []task, frames *frameCount, scores []float32) error {
	for k, t := range tasks {
		p := t.protocol(s)
		p.Progress = frames.part()
		r, err := eval.Evaluate(ctx, s.Valid, map[string]eval.Forecast{"model": eval.Model(em)}, p)
		if err != nil {
			return fmt.Errorf("train: validation: %w", err)
		}
		scores[k] = float32(math.NaN())
		for _, h := range r.Horizons {
			scores[k] = float32(h.Scores["model"].Median)
			if d := h.Diverged["model"]; math.IsInf(float64(scores[k]), 1) {
				return fmt.Errorf("train: validation: %s: steps %v: %w in %d of %d windows, first at step %d", s.Name, h.Horizon, walrus.ErrDiverged, d.Windows, h.Windows, d.FirstStep)
			}
		}
	}
	return nil
}

func (v *validator) close() {
	for _, em := range v.emulators {
		em.Close()
	}
	for _, net := range v.copies {
		net.Close()
	}
}

// validate scores the weights after an epoch if a validation is due, and saves them if they
// are the best so far.
func (r *Run) validate(ctx context.Context) error {
	v := r.o.Validation
	due := func(every int) bool { return every > 0 && (r.epoch%every == 0 || r.epoch == r.o.Epochs) }
	var tasks []task
	if due(v.Every) {
		tasks = append(tasks, task{eval.Horizon{From: 1, To: 1}, v.Windows})
	}
	if due(v.RolloutEvery) {
		tasks = append(tasks, task{eval.Horizon{From: 1, To: v.RolloutSteps}, v.RolloutWindows})
	}
	if r.validator.systems == 0 || tasks == nil {
		return nil
	}
	if _, err := r.trainer.AveragedNetwork(); err != nil { // updates the tensors of the validator
		return err
	}
	if r.trainer.opts.Engine.Size() > 1 {
		ctx = context.WithoutCancel(ctx)
	}
	found, err := r.validator.errors(ctx, r.trainer, tasks)
	if ctx.Err() != nil {
		return r.interruptedAfterEpoch()
	}
	if err != nil {
		return err
	}
	p := Progress{Epoch: r.epoch - 1, Epochs: r.o.Epochs, Update: r.trainer.Updates(), Updates: int64(r.o.Epochs) * int64(r.o.Updates), Validation: found}
	if r.writes() {
		if err := r.journal.validation(p); err != nil {
			return err
		}
		if r.o.Observe != nil {
			r.o.Observe(p)
		}
	}
	return r.keepBest(found)
}

// interruptedAfterEpoch saves the state before the validation, so that a resumed run
// repeats the validation.
func (r *Run) interruptedAfterEpoch() error {
	r.epoch, r.consumed = r.epoch-1, r.o.Updates*r.o.Accumulate
	return r.interrupted()
}

// keepBest saves the weights if their mean error of one step is the least so far.
func (r *Run) keepBest(found map[string]map[string]float64) error {
	var values []float64
	for _, s := range found {
		if v, ok := s[strconv.Itoa(1)]; ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil
	}
	mean := eval.Mean(values)
	if r.best != nil && mean >= *r.best {
		return nil
	}
	r.best = &mean
	return r.saveBest()
}

package train

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// judge forecasts windows of the validation data with the weights in training.
type judge struct {
	o         RunOptions
	emulators map[*data.Statistics]*walrus.Emulator
}

func newJudge(averaged *walrus.Weights, o RunOptions) (*judge, error) {
	j := &judge{o: o, emulators: map[*data.Statistics]*walrus.Emulator{}}
	step := walrus.Step{Normalization: o.Trainer.Objective.Normalization, Eps: o.Trainer.Objective.Eps}
	for _, s := range o.Systems {
		if s.Valid == nil || j.emulators[s.Statistics] != nil {
			continue
		}
		em, err := walrus.NewEmulator(averaged, walrus.EmulatorOptions{Backend: o.Trainer.Backend, Step: step, Statistics: s.Statistics, NoRolls: o.Trainer.NoRolls, Log: o.Trainer.Log})
		if err != nil {
			j.close()
			return nil, err
		}
		j.emulators[s.Statistics] = em
	}
	return j, nil
}

// task is a horizon and the number of windows that it is judged on.
type task struct {
	horizon eval.Horizon
	windows int
}

// errors returns the median VRMSE of every system and horizon. Each process judges
// some of the systems and learns of the others from them.
func (j *judge) errors(ctx context.Context, m Machine, tasks []task) (map[string]map[string]float64, error) {
	n := len(tasks)
	found := make([]float32, n*len(j.o.Systems)+1)
	var failed error
	for i, s := range j.o.Systems {
		if s.Valid == nil || i%m.Size() != m.Rank() || failed != nil {
			continue
		}
		failed = j.judge(ctx, s, tasks, found[i*n:(i+1)*n])
	}
	if failed != nil {
		found[len(found)-1] = 1
	}
	if err := m.Share(found); err != nil {
		return nil, fmt.Errorf("train: validation: %w", err)
	}
	if failed != nil {
		return nil, failed
	}
	if found[len(found)-1] > 0 {
		return nil, fmt.Errorf("train: validation: it failed in another process")
	}
	out := map[string]map[string]float64{}
	for i, s := range j.o.Systems {
		if s.Valid == nil {
			continue
		}
		out[s.Name] = map[string]float64{}
		for k, t := range tasks {
			if v := float64(found[i*n+k]); !math.IsNaN(v) {
				out[s.Name][t.horizon.String()] = v
			}
		}
	}
	return out, nil
}

// judge scores a system; a horizon beyond its trajectories is NaN.
func (j *judge) judge(ctx context.Context, s System, tasks []task, scores []float32) error {
	for k, t := range tasks {
		p := eval.Protocol{Input: s.Cut.Input, Horizons: []eval.Horizon{t.horizon}, Windows: t.windows}
		r, err := eval.Evaluate(ctx, s.Valid, map[string]eval.Forecast{"model": j.emulators[s.Statistics].Forecast}, p)
		if err != nil {
			return fmt.Errorf("train: validation: %w", err)
		}
		scores[k] = float32(math.NaN())
		for _, h := range r.Horizons {
			scores[k] = float32(h.Scores["model"].Median)
		}
	}
	return nil
}

func (j *judge) close() {
	for _, em := range j.emulators {
		em.Close()
	}
}

// validate judges the network after an epoch if it is due, and keeps the best.
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
	if len(r.judge.emulators) == 0 || tasks == nil {
		return nil
	}
	if _, err := r.machine.Averaged(); err != nil { // brings them up to date
		return err
	}
	if r.machine.Size() > 1 {
		ctx = context.WithoutCancel(ctx)
	}
	found, err := r.judge.errors(ctx, r.machine, tasks)
	if ctx.Err() != nil {
		return r.interruptedAfterEpoch()
	}
	if err != nil {
		return err
	}
	p := Progress{Epoch: r.epoch - 1, Epochs: r.o.Epochs, Update: r.machine.Updates(), Updates: int64(r.o.Epochs) * int64(r.o.Updates), Validation: found}
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

// interruptedAfterEpoch saves the state before the validation, so that it comes
// again.
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

package train

import (
	"context"
	"fmt"
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

func newJudge(t *Trainer, o RunOptions) (*judge, error) {
	j := &judge{o: o, emulators: map[*data.Statistics]*walrus.Emulator{}}
	step := walrus.Step{Normalization: o.Trainer.Objective.Normalization, Eps: o.Trainer.Objective.Eps}
	for _, s := range o.Systems {
		if s.Valid == nil || j.emulators[s.Statistics] != nil {
			continue
		}
		em, err := walrus.NewEmulator(t.Averaged(), walrus.EmulatorOptions{Backend: o.Trainer.Backend, Step: step, Statistics: s.Statistics, NoRolls: o.Trainer.NoRolls, Log: o.Trainer.Log})
		if err != nil {
			j.close()
			return nil, err
		}
		j.emulators[s.Statistics] = em
	}
	return j, nil
}

// errors returns the median VRMSE of every system and horizon.
func (j *judge) errors(ctx context.Context, horizons []eval.Horizon) (map[string]map[string]float64, error) {
	out := map[string]map[string]float64{}
	for _, s := range j.o.Systems {
		if s.Valid == nil {
			continue
		}
		p := eval.Protocol{Input: s.Cut.Input, Horizons: horizons, Windows: j.o.Validation.Windows}
		r, err := eval.Evaluate(ctx, s.Valid, map[string]eval.Forecast{"model": j.emulators[s.Statistics].Forecast}, p)
		if err != nil {
			return nil, fmt.Errorf("train: validation: %w", err)
		}
		out[s.Name] = map[string]float64{}
		for _, h := range r.Horizons {
			out[s.Name][h.Horizon.String()] = h.Scores["model"].Median
		}
	}
	return out, nil
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
	var horizons []eval.Horizon
	if due(v.Every) {
		horizons = append(horizons, eval.Horizon{From: 1, To: 1})
	}
	if due(v.RolloutEvery) {
		horizons = append(horizons, eval.Horizon{From: 1, To: v.RolloutSteps})
	}
	if len(r.judge.emulators) == 0 || horizons == nil {
		return nil
	}
	found, err := r.judge.errors(ctx, horizons)
	if ctx.Err() != nil {
		return r.interruptedAfterEpoch()
	}
	if err != nil {
		return err
	}
	p := Progress{Epoch: r.epoch - 1, Epochs: r.o.Epochs, Update: r.trainer.Updates(), Updates: int64(r.o.Epochs) * int64(r.o.Updates), Validation: found}
	if err := r.journal.validation(p); err != nil {
		return err
	}
	if r.o.Observe != nil {
		r.o.Observe(p)
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

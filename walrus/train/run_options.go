package train

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// System is a data set of a run.
type System struct {
	Name string
	// Train is what is learned, Valid what the run is judged by; nil is not judged.
	Train, Valid data.Dataset
	// Weight says how often it is drawn relative to the others; 0 is 1.
	Weight float64
	// Batch is the number of windows of a micro-batch; 0 is the release's 2 on lines
	// and planes and 1 in space.
	Batch int
	// Cut says how windows are cut; Input 0 is the release's 6 frames on lines and
	// planes and 3 in space, Output must be 1 or 0, which stands for 1.
	Cut data.Cut
	// Turns are drawn from for each window; nil leaves windows as they are.
	Turns []augment.Turn
	// Statistics replace those of the trainer's Objective.Scaling, if not nil
	// (finetuning).
	Statistics *data.Statistics
}

func (s System) withDefaults() System {
	m := s.Train.Metadata()
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&s.Batch, m.Batch())
	set(&s.Cut.Input, m.History())
	set(&s.Cut.Output, 1)
	return s
}

// RunOptions configure a Run.
type RunOptions struct {
	Trainer Options
	Systems []System
	// Schedule is over epochs, or over updates with PerUpdate (its own Epochs are
	// then counted in epochs still and multiplied). Its Epochs are set to Epochs.
	Schedule  Schedule
	PerUpdate bool
	// Epochs is how long the run lasts; 0 is the schedule's. Updates is the number of
	// updates of an epoch, 0 is the release's 500; Accumulate the number of
	// micro-batches of an update, 0 is the release's 4.
	Epochs, Updates, Accumulate int
	// Dir is the folder of the run: checkpoints "last" and "best", log.jsonl and
	// TensorBoard's event files.
	Dir string
	// SaveEvery is the number of updates between two checkpoints; 0 is those of an
	// epoch. One is written after every epoch and at the end in any case.
	SaveEvery  int
	Validation Validation
	// Loader bounds how much is read ahead.
	Loader data.LoaderOptions
	// Machine makes the updates; nil is a Trainer on one device. The folder is written
	// by its process 0 alone.
	Machine func(w *walrus.Weights, o Options) (Machine, error)
	// Observe is called after every update and every validation; nil is not.
	Observe func(Progress)
	// ObserveValidation is called while the run is judged, one call at a time, with
	// the number of frames that this process has forecast and will forecast; nil is not.
	ObserveValidation func(done, total int)
}

// Validation says how a run is judged. The zero value is one step of 16 windows of
// every system after every epoch.
type Validation struct {
	// Every is the number of epochs between two validations; 0 is 1, negative never.
	Every int
	// Windows is the number of windows of a system; 0 is 16.
	Windows int
	// RolloutEvery is the number of epochs between two validations by rollouts of
	// RolloutSteps (0 is 20) steps; 0 is never.
	RolloutEvery, RolloutSteps int
	// RolloutWindows is the number of windows of a system that rollouts start from; 0
	// is Windows.
	RolloutWindows int
}

// Progress is how far a run is.
type Progress struct {
	Epoch, Epochs int
	// Update counts from 1; Updates is their number in the whole run.
	Update, Updates int64
	// Loss is the mean over the micro-batches of the update, Norm that of the
	// gradient before clipping, Rate the learning rate.
	Loss, Norm, Rate float64
	// Samples is the number of windows of the update, Took what it took.
	Samples int
	Took    time.Duration
	// Validation holds the median VRMSE of every system, by horizon, after an epoch
	// that was judged; the other values are those of the last update.
	Validation map[string]map[string]float64
}

// fill sets defaults and checks.
func (o *RunOptions) fill() error {
	if o.Dir == "" {
		return errors.New("train: run: expected a folder, got none")
	}
	if err := o.fillSystems(); err != nil {
		return err
	}
	number := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	number(&o.Epochs, o.Schedule.withDefaults().Epochs)
	number(&o.Updates, 500)
	number(&o.Accumulate, 4)
	number(&o.SaveEvery, o.Updates)
	number(&o.Validation.Every, 1)
	number(&o.Validation.Windows, 16)
	number(&o.Validation.RolloutSteps, 20)
	number(&o.Validation.RolloutWindows, o.Validation.Windows)
	if o.Epochs < 1 || o.Updates < 1 || o.Accumulate < 1 || o.SaveEvery < 1 {
		return fmt.Errorf("train: run: expected positive numbers of epochs, updates and micro-batches, got %d, %d, %d (save every %d)",
			o.Epochs, o.Updates, o.Accumulate, o.SaveEvery)
	}
	o.Schedule.Epochs = o.Epochs
	if err := o.Schedule.Validate(); err != nil {
		return err
	}
	if o.PerUpdate {
		o.Schedule = o.Schedule.Times(o.Updates)
	}
	if o.Machine == nil {
		o.Machine = func(w *walrus.Weights, o Options) (Machine, error) {
			t, err := New(w, o)
			if err != nil {
				return nil, err
			}
			return single{t}, nil
		}
	}
	if o.Trainer.Log == nil {
		o.Trainer.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// fillSystems sets the defaults of the systems and checks them.
func (o *RunOptions) fillSystems() error {
	if len(o.Systems) == 0 {
		return errors.New("train: run: expected at least one system, got none")
	}
	o.Systems = slices.Clone(o.Systems)
	for i, s := range o.Systems {
		if s.Train == nil {
			return fmt.Errorf("train: run: system %q: expected a data set to train on, got none", s.Name)
		}
		if o.Systems[i] = s.withDefaults(); o.Systems[i].Cut.Output != 1 {
			return fmt.Errorf("train: run: system %q: expected one frame to forecast, got %d", s.Name, s.Cut.Output)
		}
	}
	return nil
}

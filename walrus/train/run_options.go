package train

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
)

// System is a data set of a run.
type System struct {
	Name string
	// Train is the training data and Valid the validation data; nil means no validation.
	Train, Valid data.Dataset
	// Weight is the frequency of the system's micro-batches relative to the other
	// systems; 0 means 1.
	Weight float64
	// Batch is the number of windows of a micro-batch; 0 means the release's 2 in 1D and
	// 2D and 1 in 3D.
	Batch int
	// Cut says how windows are cut from trajectories. Input 0 means the release's 6
	// frames in 1D and 2D and 3 in 3D. Output must be 0 or 1 +
	// Objective.Pushforward, to which the run sets it.
	Cut data.Cut
	// Rotations are the rotations from which one is drawn for each micro-batch; nil means no
	// rotation.
	Rotations []augment.Rotation
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
	return s
}

// RunOptions configure a Run.
type RunOptions struct {
	// Trainer configures the trainer. Only process 0 of its engine writes the folder.
	Trainer Options
	Systems []System
	// Schedule gives the learning rate of every epoch or, with PerUpdate, of every
	// update. Its lengths count epochs in both cases; PerUpdate multiplies them by
	// Updates. Its Epochs are set to Epochs.
	Schedule  Schedule
	PerUpdate bool
	// Epochs is the length of the run; 0 means the schedule's. Updates is the number of
	// updates of an epoch; 0 means the release's 500. Accumulate is the number of
	// micro-batches of an update; 0 means the release's 4.
	Epochs, Updates, Accumulate int
	// Dir is the folder of the run: checkpoints "last" and "best", log.jsonl and
	// TensorBoard's event files.
	Dir string
	// SaveEvery is the number of updates between two checkpoints; 0 means the updates of
	// an epoch. The run also writes a checkpoint after every epoch.
	SaveEvery  int
	Validation Validation
	// AllowChanges lets a run resume with other settings than those of the interrupted run,
	// for example another learning rate. It logs what changed. Otherwise that is a
	// [ChangedError].
	AllowChanges bool
	// Loader bounds the number of windows that are read ahead.
	Loader data.LoaderOptions
	// Observe, if not nil, is called after every update and every validation.
	Observe func(Progress)
	// ObserveValidation, if not nil, is called during validations, one call at a time,
	// with the number of frames that this process has forecast and the number that it
	// will forecast in all.
	ObserveValidation func(done, total int)
}

// Validation configures the validations of a run. The zero value scores one step of 16
// windows of every system after every epoch.
type Validation struct {
	// Every is the number of epochs between two validations; 0 means 1, a negative
	// number means none.
	Every int
	// Windows is the number of windows of a system; 0 means 16.
	Windows int
	// RolloutEvery is the number of epochs between two validations by rollouts of
	// RolloutSteps steps (0 means 20); 0 means no rollouts.
	RolloutEvery, RolloutSteps int
	// RolloutWindows is the number of windows of a system that rollouts start from; 0
	// means Windows.
	RolloutWindows int
}

// Progress is the state of a run after an update or a validation.
type Progress struct {
	Epoch, Epochs int
	// Update counts from 1; Updates is the number of updates of the whole run.
	Update, Updates int64
	// Loss is the mean loss over the micro-batches of the update, Norm the norm of the
	// gradient before clipping, Rate the learning rate.
	Loss, Norm, Rate float64
	// Samples is the number of windows of the update, Duration its time.
	Samples  int
	Duration time.Duration
	// Validation holds the median VRMSE of every system, by horizon, after a validation,
	// else nil. After a validation Loss, Norm, Rate, Samples and Duration are 0.
	Validation map[string]map[string]float64
}

// fill sets the defaults and checks the options.
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
		output := 1 + o.Trainer.Objective.Pushforward
		o.Systems[i] = s.withDefaults()
		if set := s.Cut.Output; set != 0 && set != output {
			return fmt.Errorf("train: run: system %q: expected %d frames to forecast (1 and the pushforward), got %d", s.Name, output, set)
		}
		o.Systems[i].Cut.Output = output
	}
	return nil
}

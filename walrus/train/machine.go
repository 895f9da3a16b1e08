package train

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/walrus"
)

// Machine computes the updates of a run: a Trainer on one device, or the trainer of
// package distributed on many devices. Every process of a run makes the same calls.
type Machine interface {
	// Groups returns the numbers of the groups whose micro-batches this process draws.
	// Shards returns the number of devices of each group, which share a micro-batch.
	Groups() []int
	Shards() int
	// Devices returns the first device of each of these groups, which computes its part
	// of a validation. Every process has the same number of groups.
	Devices() []compute.DeviceNum
	// Rank is the number of this process, from 0 to Size−1. Process 0 writes files.
	Rank() int
	Size() int
	// Share is an all-reduce: it replaces values by their sum over all processes.
	Share(values []float32) error
	// Step computes an update from micro micro-batches of every group, at the given
	// learning rate.
	Step(ctx context.Context, next Source, micro int, rate float64) (Update, error)
	Updates() int64
	// Weights returns the weights after the last update. Averaged returns their moving
	// average or, without one, the weights. The machine owns both.
	Weights() (*walrus.Weights, error)
	Averaged() (*walrus.Weights, error)
	Checkpoint() (walrus.Checkpoint, error)
	Restore(m *walrus.Manifest) error
	// Drop discards accumulated gradients.
	Drop()
	Close()
}

// Source returns the next micro-batch of a group; micro is its number within the update.
// Groups call it at the same time.
type Source func(ctx context.Context, group, micro int) (*Batch, error)

// Update holds the results of an update.
type Update struct {
	// Loss is the mean loss over all micro-batches of all groups. Norm is the norm of
	// their mean gradient before clipping.
	Loss, Norm float64
	// Samples is the number of windows in all groups.
	Samples int
}

// CheckStep checks the arguments of Machine.Step.
func CheckStep(micro int, rate float64) error {
	if micro < 1 || !(rate >= 0) || rate > 1e9 {
		return fmt.Errorf("train: step: expected at least 1 micro-batch and a finite learning rate of at least 0, got %d and %v", micro, rate)
	}
	return nil
}

// single implements Machine with a Trainer on one device.
type single struct{ *Trainer }

func (single) Groups() []int                { return []int{0} }
func (single) Shards() int                  { return 1 }
func (single) Devices() []compute.DeviceNum { return []compute.DeviceNum{0} }
func (single) Rank() int                    { return 0 }
func (single) Size() int                    { return 1 }
func (single) Share([]float32) error        { return nil }
func (s single) Drop()                      { s.drop() }

func (s single) Weights() (*walrus.Weights, error)  { return s.Trainer.Weights(), nil }
func (s single) Averaged() (*walrus.Weights, error) { return s.Trainer.Averaged(), nil }

func (s single) Step(ctx context.Context, next Source, micro int, rate float64) (u Update, err error) {
	if err := CheckStep(micro, rate); err != nil {
		return u, err
	}
	for k := range micro {
		b, err := next(ctx, 0, k)
		if err != nil {
			return u, err
		}
		loss, err := s.Accumulate(b)
		if err != nil {
			return u, err
		}
		u.Loss, u.Samples = u.Loss+loss/float64(micro), u.Samples+len(b.Windows)
	}
	u.Norm, err = s.Update(rate)
	return u, err
}

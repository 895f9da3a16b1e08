package train

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/walrus"
)

// Machine makes the updates of a run: a Trainer on one device, or the trainer of
// package distributed on many. Every process of a run makes the same calls.
type Machine interface {
	// Groups are the numbers of the groups whose micro-batches this process draws,
	// and Shards the number of devices of each, which share a micro-batch.
	Groups() []int
	Shards() int
	// Devices are the first devices of these groups, which judge what was learned.
	// Every process has the same number.
	Devices() []compute.DeviceNum
	// Rank is the number of this process among Size; process 0 writes files.
	Rank() int
	Size() int
	// Share replaces values by their sum over all processes.
	Share(values []float32) error
	// Step makes an update of micro micro-batches of every group at a learning rate.
	Step(ctx context.Context, next Source, micro int, rate float64) (Update, error)
	Updates() int64
	// Weights and Averaged are the weights and their moving average, if there is one,
	// else the weights; they are the machine's and as of the last update.
	Weights() (*walrus.Weights, error)
	Averaged() (*walrus.Weights, error)
	Checkpoint() (walrus.Checkpoint, error)
	Restore(m *walrus.Manifest) error
	// Drop forgets gradients that wait for an update.
	Drop()
	Close()
}

// Source gives the next micro-batch of a group; micro counts those of the update.
// Groups ask at the same time.
type Source func(ctx context.Context, group, micro int) (*Batch, error)

// Update is what an update came to.
type Update struct {
	// Loss is the mean over all micro-batches of all groups, Norm that of the mean
	// gradient before clipping.
	Loss, Norm float64
	// Samples is the number of windows of all groups.
	Samples int
}

// CheckStep returns an error for arguments that Machine.Step refuses.
func CheckStep(micro int, rate float64) error {
	if micro < 1 || !(rate >= 0) || rate > 1e9 {
		return fmt.Errorf("train: step: expected at least 1 micro-batch and a finite learning rate of at least 0, got %d and %v", micro, rate)
	}
	return nil
}

// single is a Trainer as a machine.
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

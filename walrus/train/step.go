package train

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
)

// GroupError is the error of one of several groups. It names the group, the update and the
// micro-batch.
type GroupError struct {
	Group, Micro int
	Update       int64
	// System names the data set, if it is known.
	System string
	Err    error
}

// Error names group, update and micro-batch.
func (e *GroupError) Error() string {
	text := fmt.Sprintf("train: update %d: group %d, micro-batch %d", e.Update, e.Group, e.Micro)
	if e.System != "" {
		text += " of " + e.System
	}
	return fmt.Sprintf("%s: %v", text, e.Err)
}

// Unwrap returns the group's error.
func (e *GroupError) Unwrap() error { return e.Err }

// Source returns the next micro-batch of a group; micro is its number within the update.
// Groups call it at the same time.
type Source func(ctx context.Context, group, micro int) (*Batch, error)

// Update holds the results of an update.
type Update struct {
	// Loss is the mean loss over all micro-batches of all groups. Norm is the norm of
	// their mean gradient before clipping, or 0 if the whole update was left out.
	Loss, Norm float64
	// Samples is the number of windows in all groups.
	Samples int
	// Skipped is the number of micro-batches that were left out
	// ([Options.SkipNonFinite]).
	Skipped int
}

// Accumulate computes loss and gradients of one micro-batch, adds the gradients to those
// since the last update and returns the loss. If the loss or the norm of the gradient is
// not finite, it returns a [NonFiniteError] and adds nothing, so that training can go on
// with another micro-batch. A trainer with several groups in this process takes its
// micro-batches from a source, see StepFrom.
func (t *Trainer) Accumulate(b *Batch) (float64, error) {
	if err := t.enter(); err != nil {
		return 0, fmt.Errorf("train: accumulate: %w", err)
	}
	defer t.uses.Leave()
	if len(t.groups) != 1 {
		return 0, fmt.Errorf("train: accumulate: expected one group in this process, got %d: call StepFrom", len(t.groups))
	}
	loss, _, err := t.groups[0].accumulate(b)
	return loss, err
}

// Step computes one update from a single micro-batch: Accumulate, then Update.
func (t *Trainer) Step(b *Batch, lr float64) (loss float64, err error) {
	if loss, err = t.Accumulate(b); err != nil {
		return loss, err
	}
	_, err = t.Update(lr)
	return loss, err
}

// StepFrom computes one update. Every group runs micro micro-batches from next, all groups
// sum their gradients, and each applies the mean with AdamW at learning rate lr. The first
// error of a group ends all groups of this process and leaves the weights as they were.
// When ctx ends, groups stop before their next micro-batch.
func (t *Trainer) StepFrom(ctx context.Context, next Source, micro int, lr float64) (u Update, err error) {
	if next == nil {
		return u, errors.New("train: step: expected a source of micro-batches, got nil")
	}
	if micro < 1 {
		return u, fmt.Errorf("train: step: expected at least 1 micro-batch, got %d", micro)
	}
	if err := checkRate(lr); err != nil {
		return u, err
	}
	if err := t.enter(); err != nil {
		return u, fmt.Errorf("train: step: %w", err)
	}
	defer t.uses.Leave()
	if u, err = t.accumulate(ctx, next, micro); err != nil {
		t.drop()
		return u, err
	}
	if u.Skipped == micro*t.total() {
		return u, nil
	}
	u.Norm, err = t.Update(lr)
	var bad *NonFiniteError
	if t.opts.SkipNonFinite && errors.As(err, &bad) {
		t.opts.Log.Warn("update left out", "update", t.step+1, "reason", err)
		u.Norm, err = 0, nil
	}
	return u, err
}

// accumulate runs the micro-batches of this process's groups concurrently, and returns loss
// and number of samples of all processes.
func (t *Trainer) accumulate(ctx context.Context, next Source, micro int) (u Update, err error) {
	var mu sync.Mutex
	work, ctx := errgroup.WithContext(ctx)
	for _, g := range t.groups {
		work.Go(func() error {
			for k := range micro {
				loss, samples, err := t.micro(ctx, g, next, k)
				var bad *NonFiniteError
				skip := t.opts.SkipNonFinite && errors.As(err, &bad)
				if err != nil && !skip {
					return err
				}
				mu.Lock()
				if skip {
					t.opts.Log.Warn("micro-batch left out", "update", t.step+1, "reason", err)
					u.Skipped++
				} else {
					u.Loss, u.Samples = u.Loss+loss/float64(micro*len(t.groups)), u.Samples+samples
				}
				mu.Unlock()
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return u, err
	}
	if n := t.opts.Engine.Size(); n > 1 {
		all := []float32{float32(u.Loss), float32(u.Samples), float32(u.Skipped)}
		if err := t.allReduce(all); err != nil {
			return u, fmt.Errorf("train: adding up losses: %w", err)
		}
		u = Update{Loss: float64(all[0]) / float64(n), Samples: int(all[1]), Skipped: int(all[2])}
	}
	if all := micro * t.total(); u.Skipped > 0 && u.Skipped < all {
		u.Loss *= float64(all) / float64(all-u.Skipped)
	}
	return u, nil
}

// micro runs one micro-batch of a group.
func (t *Trainer) micro(ctx context.Context, g *group, next Source, k int) (loss float64, samples int, err error) {
	fail := func(system string, err error) (float64, int, error) {
		if t.total() > 1 {
			err = &GroupError{Group: g.number, Micro: k, Update: t.step + 1, System: system, Err: err}
		}
		return 0, 0, err
	}
	if err := ctx.Err(); err != nil {
		return fail("", err)
	}
	if t.uses.Closed() {
		return fail("", ErrClosed)
	}
	b, err := next(ctx, g.number, k)
	if err != nil {
		return fail("", err)
	}
	loss, samples, err = g.accumulate(b)
	if err != nil {
		return fail(b.system(), err)
	}
	if t.opts.Done != nil {
		t.opts.Done(g.number, k)
	}
	return loss, samples, nil
}

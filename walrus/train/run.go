package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Run trains a network on several data sets: draws, reads ahead, accumulates,
// updates, judges, logs and saves. A run that was interrupted at any moment goes on
// from its last checkpoint as if nothing had happened.
type Run struct {
	o       RunOptions
	trainer *Trainer
	mixture *data.Mixture
	judge   *judge
	journal *journal
	lock    *flock.Flock

	place    data.MixtureState // where the epoch began
	epoch    int
	consumed int // micro-batches of the epoch
	best     *float64
	saved    int64 // update of the last checkpoint
	resumed  bool
}

// ErrInterrupted is returned by Run.Go when its context ends: the state was saved.
var ErrInterrupted = errors.New("train: interrupted")

// NewRun prepares a run of weights, which it changes in place. If the folder holds a
// checkpoint the run goes on from there.
func NewRun(w *walrus.Weights, o RunOptions) (*Run, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	r := &Run{o: o}
	err := r.open(w)
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// open takes the folder, makes the parts of the run and reads its checkpoint.
func (r *Run) open(w *walrus.Weights) error {
	if err := os.MkdirAll(r.o.Dir, 0o777); err != nil {
		return fmt.Errorf("train: run: %w", err)
	}
	r.lock = flock.New(filepath.Join(r.o.Dir, ".lock"))
	free, err := r.lock.TryLock()
	if err != nil {
		return fmt.Errorf("train: run: folder %s: %w", r.o.Dir, err)
	}
	if !free {
		return fmt.Errorf("train: run: folder %s: expected it to be free, but another run is writing there", r.o.Dir)
	}
	if r.trainer, err = New(w, r.o.Trainer); err != nil {
		return err
	}
	if r.mixture, err = newMixture(r.o); err != nil {
		return err
	}
	r.place = r.mixture.State()
	if r.judge, err = newJudge(r.trainer, r.o); err != nil {
		return err
	}
	offset, err := r.resume()
	if err != nil {
		return err
	}
	r.journal, err = openJournal(r.o.Dir, offset, r.trainer.Updates())
	return err
}

func newMixture(o RunOptions) (*data.Mixture, error) {
	var systems []data.System
	for _, s := range o.Systems {
		windows, err := data.NewWindows(s.Train, s.Cut)
		if err != nil {
			return nil, err
		}
		systems = append(systems, data.System{Name: s.Name, Windows: windows, Batch: s.Batch, Weight: s.Weight})
	}
	return data.NewMixture(systems, data.MixtureOptions{Seed: o.Trainer.Seed, Length: o.Updates * o.Accumulate})
}

// Trainer returns the trainer of the run.
func (r *Run) Trainer() *Trainer { return r.trainer }

// Resumed reports whether the run goes on from a checkpoint.
func (r *Run) Resumed() bool { return r.resumed }

// Close frees what the run holds, but not the weights and data sets.
func (r *Run) Close() error {
	var err error
	if r.journal != nil {
		err = r.journal.close()
	}
	if r.judge != nil {
		r.judge.close()
	}
	if r.trainer != nil {
		r.trainer.Close()
	}
	if r.lock != nil {
		err = errors.Join(err, r.lock.Unlock())
	}
	return err
}

// Go trains to the end. When the context ends it finishes the update at hand, saves
// and returns ErrInterrupted. Any other error leaves the last checkpoint as it was.
func (r *Run) Go(ctx context.Context) error {
	for r.epoch < r.o.Epochs {
		if err := r.runEpoch(ctx); err != nil {
			return err
		}
		r.epoch, r.consumed = r.epoch+1, 0
		if err := r.validate(ctx); err != nil {
			return err
		}
		if err := r.save(); err != nil {
			return err
		}
	}
	return nil
}

// runEpoch makes the updates of the epoch that are left.
func (r *Run) runEpoch(ctx context.Context) error {
	if err := r.mixture.Restore(r.here()); err != nil {
		return err
	}
	feed := newFeed(ctx, r.o, r.mixture, r.consumed)
	defer feed.close()
	for r.consumed < r.o.Updates*r.o.Accumulate {
		if ctx.Err() != nil {
			return r.interrupted()
		}
		p, err := r.update(feed)
		if err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return r.interrupted()
			}
			return fmt.Errorf("train: update %d: %w", r.trainer.Updates()+1, err)
		}
		if err := r.journal.update(p); err != nil {
			return err
		}
		if r.o.Observe != nil {
			r.o.Observe(p)
		}
		if p.Update-r.saved >= int64(r.o.SaveEvery) && r.consumed < r.o.Updates*r.o.Accumulate {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// here is the place in the stream of micro-batches up to which they were learned.
// The mixture itself is ahead.
func (r *Run) here() data.MixtureState {
	place := r.place
	place.Epoch, place.Step = uint64(r.epoch), r.consumed
	return place
}

// interrupted saves what there is. Gradients that wait for an update are dropped:
// their micro-batches come again.
func (r *Run) interrupted() error {
	r.trainer.drop()
	if err := r.save(); err != nil {
		return errors.Join(ErrInterrupted, err)
	}
	return ErrInterrupted
}

// update makes one update.
func (r *Run) update(f *feed) (Progress, error) {
	begin := time.Now()
	e := r.epoch
	if r.o.PerUpdate {
		e = int(r.trainer.Updates())
	}
	p := Progress{Epoch: r.epoch, Epochs: r.o.Epochs, Update: r.trainer.Updates() + 1,
		Updates: int64(r.o.Epochs) * int64(r.o.Updates), Rate: r.o.Schedule.Rate(e)}
	for range r.o.Accumulate {
		b, err := f.next()
		if err != nil {
			return p, err
		}
		loss, err := r.trainer.Accumulate(b)
		if err != nil {
			return p, err
		}
		f.release()
		p.Samples += len(b.Windows)
		p.Loss += loss / float64(r.o.Accumulate)
	}
	var err error
	if p.Norm, err = r.trainer.Update(p.Rate); err != nil {
		return p, err
	}
	r.consumed += r.o.Accumulate
	p.Took = time.Since(begin)
	return p, nil
}

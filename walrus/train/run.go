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
	"github.com/gowalrus/gowalrus/internal/lifetime"
	"github.com/gowalrus/gowalrus/walrus"
)

// Run trains a network on several data sets: it draws, reads ahead, accumulates, updates,
// validates, logs and saves. A run that was interrupted at any moment resumes from its last
// checkpoint and gives the results of a run without interruption.
type Run struct {
	o       RunOptions
	trainer *Trainer
	// mixtures are the streams of micro-batches of the trainer's groups. plan is the
	// stream of group 0, which is the same for every mesh: its state is saved.
	mixtures  []*data.Mixture
	plan      *data.Mixture
	validator *validator
	journal   *journal
	lock      *flock.Flock

	place    data.MixtureState // state of plan at the start of the epoch
	epoch    int
	consumed int // micro-batches of the epoch that were trained on
	best     *float64
	saved    int64 // update of the last checkpoint
	resumed  bool
	uses     lifetime.Uses
}

// ErrInterrupted is the error of Run.Train after its context ended and the state was saved.
var ErrInterrupted = errors.New("train: interrupted")

// NewRun prepares a run that trains the given weights in place. If the folder holds a
// checkpoint, the run resumes from it.
func NewRun(w *walrus.Weights, o RunOptions) (*Run, error) {
	return newRun(o, func(r *Run) (err error) {
		if r.o.Trainer.Objective, err = r.o.Trainer.Objective.For(w); err == nil {
			r.trainer, err = New(w, r.o.Trainer)
		}
		return err
	})
}

// NewRunFor prepares a run that trains any network in place, as [NewFor] does. Systems must
// not have Statistics: the network has its own.
func NewRunFor(net Network, o RunOptions) (*Run, error) {
	for _, s := range o.Systems {
		if s.Statistics != nil {
			return nil, fmt.Errorf("train: run: system %q: expected no statistics, because the network has its own, got some", s.Name)
		}
	}
	return newRun(o, func(r *Run) (err error) {
		r.trainer, err = NewFor(net, r.o.Trainer)
		return err
	})
}

// newRun prepares a run with the trainer that start sets.
func newRun(o RunOptions, start func(r *Run) error) (*Run, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	r := &Run{o: o}
	err := start(r)
	if err == nil {
		err = r.open()
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// open locks the folder, makes the parts of the run and reads its checkpoint.
func (r *Run) open() error {
	var err error
	if r.writes() {
		if err := r.takeFolder(); err != nil {
			return err
		}
	}
	groups := r.trainer.total()
	if r.plan, err = newMixture(r.o, 0, groups, 1); err != nil {
		return err
	}
	for _, g := range r.trainer.numbers() {
		m, err := newMixture(r.o, g, groups, r.trainer.opts.Mesh.Shards)
		if err != nil {
			return err
		}
		r.mixtures = append(r.mixtures, m)
	}
	r.place = r.plan.State()
	averaged, err := r.trainer.AveragedNetwork()
	if err != nil {
		return err
	}
	if r.validator, err = newValidator(averaged, r.o, r.trainer); err != nil {
		return err
	}
	offset, err := r.resume()
	if err != nil {
		return err
	}
	if r.writes() {
		r.journal, err = openJournal(r.o.Dir, offset, r.trainer.Updates())
	}
	return err
}

// writes reports whether this process writes the files of the run.
func (r *Run) writes() bool { return r.trainer.opts.Engine.Rank() == 0 }

// takeFolder makes the folder of the run and locks it.
func (r *Run) takeFolder() error {
	if err := os.MkdirAll(r.o.Dir, 0o777); err != nil {
		return fmt.Errorf("train: run: %w", err)
	}
	r.lock = flock.New(filepath.Join(r.o.Dir, ".lock"))
	free, err := r.lock.TryLock()
	if err != nil {
		return fmt.Errorf("train: run: folder %s: %w", r.o.Dir, err)
	}
	if !free {
		return fmt.Errorf("train: run: folder %s: expected a folder that no other run uses, but another run is writing to it", r.o.Dir)
	}
	return nil
}

// newMixture returns the stream of micro-batches of one group. The devices of a group share
// each micro-batch, so it has shards times the windows.
func newMixture(o RunOptions, group, groups, shards int) (*data.Mixture, error) {
	var systems []data.System
	for _, s := range o.Systems {
		windows, err := data.NewWindows(s.Train, s.Cut)
		if err != nil {
			return nil, err
		}
		systems = append(systems, data.System{Name: s.Name, Windows: windows, Batch: s.Batch * shards, Weight: s.Weight})
	}
	return data.NewMixture(systems, data.MixtureOptions{Seed: o.Trainer.Seed, Group: uint64(group), Groups: uint64(groups), Length: o.Updates * o.Accumulate})
}

// Trainer returns the trainer of the run. The run closes it.
func (r *Run) Trainer() *Trainer { return r.trainer }

// Updates returns the number of updates so far.
func (r *Run) Updates() int64 { return r.trainer.Updates() }

// Resumed reports whether the run resumed from a checkpoint.
func (r *Run) Resumed() bool { return r.resumed }

// Close frees the parts of the run, but not its weights and data sets. Train, if it is
// running, ends with [ErrClosed] before its next micro-batch, without saving, and then
// frees them.
func (r *Run) Close() error {
	if r.trainer != nil {
		r.trainer.Close()
	}
	var err error
	if now := r.uses.Close(func() { err = r.free() }); !now {
		return nil
	}
	return err
}

func (r *Run) free() error {
	var err error
	if r.journal != nil {
		err = r.journal.close()
	}
	if r.validator != nil {
		r.validator.close()
	}
	if r.lock != nil {
		err = errors.Join(err, r.lock.Unlock())
	}
	return err
}

// Train trains to the end. When the context ends, Train finishes the current update, saves and
// returns ErrInterrupted. After any other error the last checkpoint is unchanged.
func (r *Run) Train(ctx context.Context) error {
	if !r.uses.Enter() {
		return fmt.Errorf("train: run: %w", ErrClosed)
	}
	defer r.uses.Leave()
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

// runEpoch computes the remaining updates of the epoch.
func (r *Run) runEpoch(ctx context.Context) error {
	// A process must not leave an update in which the others wait for it, so all
	// processes agree before each update whether to continue.
	work := ctx
	if r.trainer.opts.Engine.Size() > 1 {
		work = context.WithoutCancel(ctx)
	}
	feeds := map[int]*feed{}
	for i, g := range r.trainer.numbers() {
		if err := restore(r.mixtures[i], r.here()); err != nil {
			return err
		}
		feeds[g] = newFeed(work, r.o, g, r.mixtures[i], r.consumed)
		defer feeds[g].close()
	}
	for r.consumed < r.o.Updates*r.o.Accumulate {
		stop, err := r.anyone(ctx.Err() != nil)
		if err != nil {
			return err
		}
		if stop {
			return r.interrupted()
		}
		p, err := r.update(work, feeds)
		if err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return r.interrupted()
			}
			var named *GroupError
			if errors.As(err, &named) {
				return err
			}
			return fmt.Errorf("train: update %d: %w", r.trainer.Updates()+1, err)
		}
		if p.Update > r.trainer.Updates() {
			continue // the update was left out, and logged as a warning
		}
		if err := r.report(p); err != nil {
			return err
		}
		if p.Update-r.saved >= int64(r.o.SaveEvery) && r.consumed < r.o.Updates*r.o.Accumulate {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// anyone reports whether yes is true in any process.
func (r *Run) anyone(yes bool) (bool, error) {
	votes := []float32{0}
	if yes {
		votes[0] = 1
	}
	err := r.trainer.allReduce(votes)
	return votes[0] > 0, err
}

// report logs an update.
func (r *Run) report(p Progress) error {
	if !r.writes() {
		return nil
	}
	if r.o.Observe != nil {
		defer r.o.Observe(p)
	}
	return r.journal.update(p)
}

// restore sets a mixture to a state of the run's plan.
func restore(m *data.Mixture, place data.MixtureState) error {
	place.Fingerprint = m.State().Fingerprint
	return m.Restore(place)
}

// here returns the state of plan after the last micro-batch that was trained on. The
// mixtures themselves have read ahead.
func (r *Run) here() data.MixtureState {
	place := r.place
	place.Epoch, place.Step = uint64(r.epoch), r.consumed
	return place
}

// interrupted saves the state and returns ErrInterrupted. It discards accumulated
// gradients, because the resumed run repeats their micro-batches.
func (r *Run) interrupted() error {
	r.trainer.Drop()
	if err := r.save(); err != nil {
		return errors.Join(ErrInterrupted, err)
	}
	return ErrInterrupted
}

// update computes one update.
func (r *Run) update(ctx context.Context, feeds map[int]*feed) (Progress, error) {
	begin := time.Now()
	e := r.epoch
	if r.o.PerUpdate {
		e = int(r.trainer.Updates())
	}
	p := Progress{Epoch: r.epoch, Epochs: r.o.Epochs, Update: r.trainer.Updates() + 1,
		Updates: int64(r.o.Epochs) * int64(r.o.Updates), Rate: r.o.Schedule.Rate(e)}
	u, err := r.trainer.StepFrom(ctx, func(_ context.Context, group, _ int) (*Batch, error) {
		feeds[group].release()
		return feeds[group].next()
	}, r.o.Accumulate, p.Rate)
	for _, f := range feeds {
		f.release()
	}
	if err != nil {
		return p, err
	}
	p.Loss, p.Norm, p.Samples = u.Loss, u.Norm, u.Samples
	r.consumed += r.o.Accumulate
	p.Duration = time.Since(begin)
	return p, nil
}

package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Names of the checkpoints in the folder of a run. Last holds the state from which a run
// resumes, Best the weights with the least validation error.
const (
	LastCheckpoint = "last"
	BestCheckpoint = "best"
)

// RunCheckpoint returns the path of the checkpoint to use of the run in a folder:
// BestCheckpoint, or LastCheckpoint if there is no best one, as before the first
// validation. It does not check that the last one exists.
func RunCheckpoint(dir string) string {
	best := filepath.Join(dir, BestCheckpoint)
	if _, err := os.Stat(best); err != nil {
		return filepath.Join(dir, LastCheckpoint)
	}
	return best
}

// runKey is the key of a run's state in the manifest of a checkpoint.
const runKey = "run"

// runState is the state of a run in a checkpoint.
type runState struct {
	Place data.MixtureState `json:"place"`
	Best  *float64          `json:"best,omitempty"`
	// Journal is the length of the log that belongs to the checkpoint.
	Journal int64 `json:"journal"`
	// Settings are those of the run; older checkpoints have none.
	Settings map[string]string `json:"settings,omitempty"`
}

// save writes the checkpoint from which the run can resume.
func (r *Run) save() error {
	if !r.writes() {
		r.saved = r.trainer.Updates()
		return nil
	}
	c, err := r.trainer.Checkpoint()
	if err != nil {
		return err
	}
	s := runState{Place: r.here(), Best: r.best}
	if s.Journal, err = r.journal.flush(); err != nil {
		return err
	}
	if s.Settings, err = r.settings(); err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("train: run: %w", err)
	}
	c.Extra[runKey] = text
	r.record(c)
	if err := walrus.SaveCheckpoint(filepath.Join(r.o.Dir, LastCheckpoint), c); err != nil {
		return err
	}
	r.saved = c.Step
	return nil
}

// settings lists the options that decide the course of the run. The description of a network
// of another design than Walrus is among them.
func (r *Run) settings() (map[string]string, error) {
	c, err := r.trainer.net.Checkpoint()
	if err != nil {
		return nil, err
	}
	return r.o.settings(c.Design)
}

// record records the scaling of the run in the weights of a checkpoint.
func (r *Run) record(c walrus.Checkpoint) {
	if c.Weights != nil {
		c.Weights.SetScaling(r.scaling())
	}
}

// scaling returns the scaling to record in checkpoints, which the systems have in common.
func (r *Run) scaling() walrus.Scaling {
	s := r.o.Trainer.Objective.scaling()
	all := s.With(r.o.Systems[0].Statistics)
	for _, other := range r.o.Systems[1:] {
		all = common(all, s.With(other.Statistics))
	}
	return all
}

// saveBest writes the weights or, if the run averages them, their moving average.
func (r *Run) saveBest() error {
	if !r.writes() {
		return nil
	}
	net, err := r.trainer.AveragedNetwork()
	if err != nil {
		return err
	}
	c, err := net.Checkpoint()
	if err != nil {
		return err
	}
	c.Step = r.trainer.Updates()
	r.record(c)
	return walrus.SaveCheckpoint(filepath.Join(r.o.Dir, BestCheckpoint), c)
}

// ResumeError is the error of [NewRun] for a folder whose last checkpoint the run cannot
// resume from: other settings wrote it, or its files are damaged.
type ResumeError struct {
	Checkpoint string
	Err        error
}

// Error names the checkpoint.
func (e *ResumeError) Error() string {
	return fmt.Sprintf("train: resuming from %s: %v", e.Checkpoint, e.Err)
}

// Unwrap returns the cause.
func (e *ResumeError) Unwrap() error { return e.Err }

// resume restores the last checkpoint, if there is one, and returns the length of the log
// at that checkpoint.
func (r *Run) resume() (int64, error) {
	m, err := walrus.OpenCheckpoint(filepath.Join(r.o.Dir, LastCheckpoint))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	fail := func(err error) (int64, error) {
		return 0, &ResumeError{Checkpoint: m.Dir, Err: err}
	}
	var s runState
	if err := json.Unmarshal(m.Extra[runKey], &s); err != nil {
		return fail(fmt.Errorf("expected the state of a run: %w", err))
	}
	if err := r.compare(s.Settings); err != nil {
		return fail(err)
	}
	if err := r.plan.Restore(s.Place); err != nil {
		return fail(err)
	}
	if err := r.trainer.Restore(m); err != nil {
		return fail(err)
	}
	r.epoch, r.consumed, r.best, r.saved, r.resumed = int(s.Place.Epoch), s.Place.Step, s.Best, m.Step, true
	return s.Journal, nil
}

// compare checks the settings against those of the interrupted run.
func (r *Run) compare(was map[string]string) error {
	if was == nil {
		return nil
	}
	is, err := r.settings()
	if err != nil {
		return err
	}
	list := changes(was, is)
	if len(list) == 0 {
		return nil
	}
	if !r.o.AllowChanges {
		return &ChangedError{list}
	}
	r.o.Trainer.Log.Warn("resumed with other settings", "changes", list)
	return nil
}

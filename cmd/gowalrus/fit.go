package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// fit runs a training in a folder, or resumes the run in it, and prints its progress, a line
// per validation and how to resume. finished is false if the run was interrupted, which is no
// error.
func (a *app) fit(ctx context.Context, o *recipe.Opened, b compute.Backend, dir string) (finished bool, err error) {
	stdout := a.stdout
	s := &screen{out: stdout}
	o.Options.Observe, o.Options.ObserveValidation = s.show, s.judging
	r, err := o.NewRun(b, dir)
	if err != nil {
		if resume := (*train.ResumeError)(nil); errors.As(err, &resume) {
			return false, fmt.Errorf("%w; to start again choose another folder, or remove %s", err, dir)
		}
		return false, err
	}
	defer r.Close()
	announce(o, stdout)
	if t := r.Trainer(); t != nil {
		trained, all := t.Trainable()
		fmt.Fprintf(stdout, "Training %d of %d parameters on %s.\n", trained, all, b.Description())
	}
	if r.Resumed() {
		fmt.Fprintf(stdout, "Resuming after update %d.\n", r.Updates())
	}
	s.meter = meter.New(a.stderr, "training", "updates")
	err = r.Train(ctx)
	s.meter.Close()
	if n, ok := o.Simulations(); ok {
		fmt.Fprintf(stdout, "Simulated %d trajectories, read %d from the cache; %d simulations were lost and drawn again. Readers waited %s.\n", n.Simulated, n.Cached, n.Lost, n.Waited.Round(time.Second/10))
	}
	switch {
	case errors.Is(err, train.ErrInterrupted):
		fmt.Fprintf(stdout, "Interrupted after update %d; the same command resumes the run.\n", r.Updates())
		if path := train.RunCheckpoint(dir); filepath.Base(path) == train.LastCheckpoint {
			fmt.Fprintf(stdout, "There is no %s yet: the weights so far are in %s.\n", train.BestCheckpoint, path)
		}
		return false, nil
	case err != nil:
		return false, err
	}
	fmt.Fprintf(stdout, "Done: %d updates; weights in %s.\n", r.Updates(), train.RunCheckpoint(dir))
	return true, nil
}

// announce prints the notes and the parameters of a run before it starts.
func announce(o *recipe.Opened, stdout io.Writer) {
	for _, note := range o.Notes {
		fmt.Fprintln(stdout, "Note:", note)
	}
	judged := slices.ContainsFunc(o.Options.Systems, func(s train.System) bool { return s.Valid != nil })
	if !judged || o.Options.Validation.Every < 0 {
		fmt.Fprintf(stdout, "Note: the run is not validated: no checkpoint %s is written, the weights are in %s.\n", train.BestCheckpoint, train.LastCheckpoint)
	}
}

// screen shows the progress of a run.
type screen struct {
	out   io.Writer
	meter *meter.Meter
	loss  float64
	seen  int
}

// show updates the counts or prints a validation.
func (s *screen) show(p train.Progress) {
	if p.Validation != nil {
		s.judged(p)
		return
	}
	s.seen++
	s.loss += (p.Loss - s.loss) / min(float64(s.seen), 50)
	s.meter.Note("loss %.2f, rate %.2g, %.3g samples/s", s.loss, p.Rate, float64(p.Samples)/p.Duration.Seconds())
	s.meter.Set(p.Update, p.Updates)
}

// judging shows the progress of a validation.
func (s *screen) judging(done, total int) {
	s.meter.Note("validation: %d of %d frames", done, total)
}

// judged prints a validation.
func (s *screen) judged(p train.Progress) {
	var parts []string
	for system, horizons := range p.Validation {
		for h, v := range horizons {
			parts = append(parts, fmt.Sprintf("%s %s: %.3f", system, h, v))
		}
	}
	slices.Sort(parts)
	_ = s.meter.Print(s.out, fmt.Sprintf("epoch %d, VRMSE by steps: %s", p.Epoch+1, strings.Join(parts, ", ")))
}

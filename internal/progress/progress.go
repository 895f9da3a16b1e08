// Package progress runs a training for the example programs: with a progress bar,
// a line per validation and a word about how to go on.
package progress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/schollz/progressbar/v3"

	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Fit runs a training in a folder, or goes on with the one that is there. An
// interruption is no error.
func Fit(ctx context.Context, o *recipe.Opened, b compute.Backend, dir string, stdout, stderr io.Writer) error {
	s := &screen{out: stdout, stderr: stderr}
	o.Options.Trainer.Backend, o.Options.Dir, o.Options.Observe = b, dir, s.show
	r, err := train.NewRun(o.Weights, o.Options)
	if err != nil {
		return err
	}
	defer r.Close()
	if t := r.Trainer(); t != nil {
		trained, all := t.Trainable()
		fmt.Fprintf(stdout, "Training %d of %d parameters on %s.\n", trained, all, b.Description())
	}
	if r.Resumed() {
		fmt.Fprintf(stdout, "Going on after update %d.\n", r.Updates())
	}
	err = r.Go(ctx)
	s.finish()
	switch {
	case errors.Is(err, train.ErrInterrupted):
		fmt.Fprintf(stdout, "Interrupted after update %d; the same command goes on from here.\n", r.Updates())
		return nil
	case err != nil:
		return err
	}
	fmt.Fprintf(stdout, "Done: %d updates; weights in %s/%s.\n", r.Updates(), dir, train.BestCheckpoint)
	return nil
}

// screen shows progress.
type screen struct {
	out, stderr io.Writer
	bar         *progressbar.ProgressBar
	loss        float64
	seen        int
}

func (s *screen) show(p train.Progress) {
	if p.Validation != nil {
		s.judged(p)
		return
	}
	if s.bar == nil {
		s.bar = progressbar.NewOptions64(p.Updates, progressbar.OptionSetWriter(s.stderr), progressbar.OptionSetWidth(20),
			progressbar.OptionThrottle(500*time.Millisecond), progressbar.OptionSetPredictTime(true), progressbar.OptionShowCount())
	}
	s.seen++
	s.loss += (p.Loss - s.loss) / min(float64(s.seen), 50)
	s.bar.Describe(fmt.Sprintf("loss %.2f, rate %.2g, %.1f samples/s", s.loss, p.Rate, float64(p.Samples)/p.Took.Seconds()))
	_ = s.bar.Set64(p.Update) // a bar that cannot be drawn stops nothing
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
	if s.bar != nil {
		_ = s.bar.Clear()
	}
	fmt.Fprintf(s.out, "epoch %d, VRMSE by steps: %s\n", p.Epoch+1, strings.Join(parts, ", "))
}

func (s *screen) finish() {
	if s.bar != nil {
		_ = s.bar.Exit()
		fmt.Fprintln(s.stderr)
	}
}

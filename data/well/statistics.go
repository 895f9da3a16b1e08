package well

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
)

// ComputeStatistics computes the statistics of a data set as The Well's script does for its
// training split: per component, in float64, over all trajectories, frames and points, with
// biased variances, and with differences between successive frames. Constant fields have no
// differences; a constant field that the trajectories of a file share counts once per file.
// Transforms are applied, and the statistics have the fields' new names. A data set opened
// with a normalisation is an error.
//
// Trajectories are read in parallel. Each keeps two blocks of frames in memory: the frames
// that share a chunk, at most 32 MiB. progress, if not nil, is called with the number of
// trajectories read and their total.
func ComputeStatistics(ctx context.Context, d *Dataset, progress func(done, total int)) (*data.Statistics, error) {
	if d == nil {
		return nil, errors.New("well: statistics: expected a data set, got nil")
	}
	if d.options.Normalization != NoNormalization {
		return nil, fmt.Errorf("well: statistics of %s: expected values that are not normalised", d.meta.Name)
	}
	parts := make([]*summary, len(d.trajectories))
	errs := make([]error, len(d.trajectories))
	if err := d.sweep(ctx, progress, func(i int) { parts[i], errs[i] = d.summarize(ctx, i) }); err != nil {
		return nil, err
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	// Merge in the order of the trajectories, so that the last digit does not depend on the
	// scheduling.
	total := newSummary(d)
	for _, p := range parts {
		total.add(p)
	}
	return data.StatisticsOf(d.meta.Fields, len(d.meta.Grid), total.frames, total.deltas, total.constants)
}

// UpdateStatistics computes the statistics of a data set's training split and writes its
// stats.yaml in full precision.
func UpdateStatistics(ctx context.Context, dir string) error {
	if hub.IsAddress(dir) {
		return fmt.Errorf("well: statistics: expected the folder of a data set on this machine, got %s: nothing can be written there (in Go: ComputeStatistics, and Options.Statistics to use the result)", dir)
	}
	d, err := Open(dir, Options{Split: "train"})
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := ComputeStatistics(ctx, d, nil)
	if err != nil {
		return err
	}
	return data.WriteStatistics(filepath.Join(dir, StatisticsFile), s, d.meta.Fields, len(d.meta.Grid), data.FullPrecision)
}

// CreateStatistics is [UpdateStatistics] for a data set without a stats.yaml. It returns the
// path of the new file, or an error that is [os.ErrExist] if there is one.
func CreateStatistics(ctx context.Context, dir string) (string, error) {
	if hub.IsAddress(dir) {
		return "", UpdateStatistics(ctx, dir) // its error
	}
	splits, err := Splits(dir)
	if err != nil || !slices.Contains(splits, "train") {
		return "", fmt.Errorf("well: %s: expected the folder of a data set with files in data/train, for statistics", dir)
	}
	file := filepath.Join(dir, StatisticsFile)
	if _, err := os.Stat(file); err == nil {
		return "", fmt.Errorf("well: statistics: %s: %w: remove it to compute it again", file, os.ErrExist)
	}
	return file, UpdateStatistics(ctx, dir)
}

// summary holds the moments of every channel.
type summary struct {
	frames, deltas, constants []data.Moments
}

func newSummary(d *Dataset) *summary {
	return &summary{make([]data.Moments, d.channels(false)), make([]data.Moments, d.channels(false)), make([]data.Moments, d.channels(true))}
}

func (s *summary) add(o *summary) {
	for i := range s.frames {
		s.frames[i].Add(o.frames[i])
		s.deltas[i].Add(o.deltas[i])
	}
	for i := range s.constants {
		s.constants[i].Add(o.constants[i])
	}
}

// summarize computes the moments of one trajectory.
func (d *Dataset) summarize(ctx context.Context, trajectory int) (*summary, error) {
	s, t := newSummary(d), d.trajectories[trajectory]
	points, length := d.points(), d.blockLength(trajectory)
	// Two blocks, and the points of one channel as float64.
	if err := d.checkMemory(d.files[d.fileOf[trajectory]], 2*length, 8*int64(points)); err != nil {
		return nil, err
	}
	values := make([]float64, points)
	w, last := new(data.Window), new(data.Window)
	var before []float32 // the previous frame, in last or w
	for block := range d.blocks(trajectory) {
		if _, err := d.Read(ctx, block, w); err != nil {
			return nil, err
		}
		for _, frame := range w.Frames {
			s.frame(frame, before, values)
			before = frame
		}
		w, last = last, w
	}
	at := 0
	for _, f := range d.files[d.fileOf[trajectory]].fields {
		if !f.field.Constant {
			continue
		}
		for c := at; c < at+f.components && (f.perSample || t.Index == 0); c++ {
			s.constants[c].Add(data.MomentsOf(widen(values, last.Constants[c*points:(c+1)*points])))
		}
		at += f.components
	}
	return s, nil
}

// frame adds a frame and, unless before is nil, its difference from the frame before.
// values is a buffer for the points of one channel.
func (s *summary) frame(now, before []float32, values []float64) {
	points := len(values)
	for c := range s.frames {
		channel := now[c*points : (c+1)*points]
		s.frames[c].Add(data.MomentsOf(widen(values, channel)))
		if before == nil {
			continue
		}
		for i, v := range channel {
			values[i] = float64(v) - float64(before[c*points+i])
		}
		s.deltas[c].Add(data.MomentsOf(values))
	}
}

func widen(dst []float64, src []float32) []float64 {
	for i, v := range src {
		dst[i] = float64(v)
	}
	return dst
}

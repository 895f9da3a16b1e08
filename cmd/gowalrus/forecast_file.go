package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
	writers "github.com/gowalrus/gowalrus/data/output"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
)

// gifEnding is the ending of animations, which package output does not write.
const gifEnding = ".gif"

// forecastEndings returns the endings of --out that name a file instead of a folder.
func forecastEndings() []string { return append(writers.Formats(), gifEnding) }

// ending returns the ending of --out.
func (o *forecastOptions) ending() string { return strings.ToLower(filepath.Ext(o.out)) }

// toFile reports whether --out is a file instead of a folder.
func (o *forecastOptions) toFile() bool { return slices.Contains(forecastEndings(), o.ending()) }

// stream forecasts and writes every step as it comes.
func (a *app) stream(ctx context.Context, f walrus.Forecaster, p *prediction, o forecastOptions) ([]string, error) {
	known, err := a.known(f, p)
	if err != nil {
		return nil, err
	}
	h := writers.Header{Start: known, GridType: o.gridType, Times: p.times(), Members: o.members, Provenance: o.provenance(f, p)}
	if h.Times == nil {
		for k := range o.steps {
			h.Times = append(h.Times, float32(k+1))
		}
		h.Provenance["times"] = "the source has none: these are the numbers of the steps"
	}
	w, err := writers.Create(o.out, h)
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	m := meter.New(a.stderr, "forecast", "frames")
	defer m.Close()
	m.SetInt(0, o.steps)
	begin := time.Now()
	if err := forecastInto(ctx, f, known, o, func(step int, frames [][]float32) error {
		m.SetInt(step, o.steps)
		return w.Step(frames...)
	}); err != nil {
		return nil, err
	}
	p.seconds = time.Since(begin).Seconds()
	return written(o.out), w.Close()
}

// forecastInto calls each with the frames of every step: one, or one per member.
func forecastInto(ctx context.Context, f walrus.Forecaster, known *data.Window, o forecastOptions, each func(step int, frames [][]float32) error) error {
	if o.members == 0 {
		for frame, err := range f.Rollout(ctx, known, o.steps) {
			if err == nil {
				err = each(frame.Step, [][]float32{frame.Values})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	em, ok := f.(*walrus.Emulator)
	if !ok {
		return errNoMembers
	}
	for frame, err := range em.Ensemble(ctx, known, o.steps, walrus.EnsembleOptions{Members: o.members, KeepMembers: true}) {
		if err == nil {
			err = each(frame.Step, frame.Members)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// written returns the path to open: of image data the collection.
func written(path string) []string {
	if stem, ok := strings.CutSuffix(path, filepath.Ext(path)); ok && strings.EqualFold(filepath.Ext(path), ".vti") {
		return []string{stem + ".pvd"}
	}
	return []string{path}
}

// provenance says how a forecast was made.
func (o *forecastOptions) provenance(f walrus.Forecaster, p *prediction) map[string]string {
	path := o.data
	if hub.IsAddress(path) {
		path, _, _ = strings.Cut(path, "?") // queries may contain signatures
	}
	source := fmt.Sprintf("%s, split %s, trajectory %d, from frame %d with stride %d", path, o.split, o.trajectory, o.start, o.stride)
	if o.window != "" {
		source = o.window
	}
	b := readBuild()
	out := map[string]string{
		"source": source, "history_frames": fmt.Sprint(p.history), "seed": fmt.Sprint(o.seed), "weights": o.weights,
		"program": strings.TrimSpace("gowalrus " + b.Version + " " + b.Revision),
	}
	em, ok := f.(*walrus.Emulator)
	if !ok {
		return out
	}
	out["scaling"] = em.Scaling().Normalization.String() + " of the history"
	if em.Scaling().Statistics != nil {
		out["scaling"] = em.Scaling().Normalization.String() + " of a data set"
	}
	c := em.NewCalibration()
	out["settings"] = c.Settings
	if c.WeightsSHA256 != "" {
		out["weights_sha256"] = c.WeightsSHA256
	}
	return out
}

package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// FamiliarityOptions configure [RecordFamiliarity].
type FamiliarityOptions struct {
	// Input is the number of frames of a window; 0 means 6 in 1D and 2D and 3 in 3D.
	Input int
	// Windows is the largest number of windows of each data set, spread evenly over its
	// trajectories; 0 means 256.
	Windows int
	// Rate is the rate of false alarms; 0 means 0.01.
	Rate float64
}

// RecordFamiliarity describes what the windows of the training data sets look like
// ([walrus.Familiarity]). valid holds data sets that are like them but were not trained on, such
// as their validation splits, and sets the limit of the score: at most a part Rate of such
// windows is above it, on average. That needs at least 1/Rate − 1 windows in all.
//
//	f, err := eval.RecordFamiliarity(ctx, train, valid, eval.FamiliarityOptions{})
//	…
//	err = f.Save("runs/shear/best")
func RecordFamiliarity(ctx context.Context, train, valid []data.Dataset, o FamiliarityOptions) (*walrus.Familiarity, error) {
	o.Windows, o.Rate = cmp.Or(o.Windows, 256), cmp.Or(o.Rate, 0.01)
	if !(o.Rate > 0 && o.Rate < 1) || o.Windows < 1 {
		return nil, fmt.Errorf("eval: familiarity: expected a rate between 0 and 1 and at least one window, got %v and %d", o.Rate, o.Windows)
	}
	if len(train) == 0 || len(valid) == 0 {
		return nil, errors.New("eval: familiarity: expected training and validation data sets")
	}
	f := walrus.NewFamiliarity()
	f.Rate = o.Rate
	for _, ds := range train {
		d, err := describe(ctx, ds, o)
		if err != nil {
			return nil, fmt.Errorf("eval: familiarity: %w", err)
		}
		if slices.ContainsFunc(f.Datasets, func(x walrus.FamiliarDataset) bool { return x.Name == d.Name }) {
			return nil, fmt.Errorf("eval: familiarity: expected training data sets of different names, got %s twice", d.Name)
		}
		f.Datasets = append(f.Datasets, d)
	}
	var scores []float64
	for _, ds := range valid {
		if err := eachWindow(ctx, ds, o, func(w *data.Window) error {
			s, _, err := f.Score(w)
			scores = append(scores, s)
			return err
		}); err != nil {
			return nil, fmt.Errorf("eval: familiarity: %w", err)
		}
	}
	slices.Sort(scores)
	f.Windows = len(scores)
	rank := int(math.Ceil(float64(len(scores)+1) * (1 - o.Rate)))
	if rank > len(scores) {
		return nil, fmt.Errorf("eval: familiarity: expected at least %.0f validation windows for a rate of %v, got %d: take more data, more of its windows, or a higher rate", math.Ceil(1/o.Rate-1), o.Rate, len(scores))
	}
	if f.Limit = scores[rank-1]; math.IsInf(f.Limit, 0) {
		return nil, fmt.Errorf("eval: familiarity: expected validation data with the channels of a training data set, got others in more than a part %v of the windows", o.Rate)
	}
	return f, nil
}

// describe returns the means and covariances of a data set.
func describe(ctx context.Context, ds data.Dataset, o FamiliarityOptions) (d walrus.FamiliarDataset, err error) {
	var channels []string
	var all [][][walrus.FeatureCount]float64 // by window and channel
	err = eachWindow(ctx, ds, o, func(w *data.Window) error {
		features, err := walrus.WindowFeatures(w)
		for _, f := range features {
			if slices.ContainsFunc(f[:], math.IsNaN) {
				return fmt.Errorf("%s: expected windows of at least 3 frames, got %d", w.Name, len(w.Frames))
			}
		}
		channels, all = w.Channels(false), append(all, features)
		return err
	})
	if err != nil {
		return d, err
	}
	d.Name, d.Windows, d.Channels = ds.Metadata().Name, len(all), map[string]walrus.FamiliarFeatures{}
	n := float64(len(all))
	for c, name := range channels {
		var k walrus.FamiliarFeatures
		for _, f := range all {
			for i, v := range f[c] {
				k.Mean[i] += v / n
			}
		}
		for _, f := range all {
			for i, v := range f[c] {
				for j, u := range f[c] {
					k.Covariance[i][j] += (v - k.Mean[i]) * (u - k.Mean[j]) / n
				}
			}
		}
		d.Channels[name] = k
	}
	return d, err
}

// eachWindow calls f for windows of a data set.
func eachWindow(ctx context.Context, ds data.Dataset, o FamiliarityOptions, f func(w *data.Window) error) error {
	p, err := Protocol{Input: o.Input, Windows: o.Windows, Horizons: []Horizon{{1, 1}}}.check(ds)
	if err != nil {
		return err
	}
	spans := p.places(ds, 1)
	if len(spans) == 0 {
		return fmt.Errorf("data set %s: expected trajectories of at least %d frames", ds.Metadata().Name, p.Input+1)
	}
	for _, span := range spans {
		span.Frames = p.Input
		w, err := ds.Read(ctx, span, nil)
		if err == nil {
			err = f(w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

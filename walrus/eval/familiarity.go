package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
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

// FamiliarWindows are windows of a training data set, or of several that count as one.
type FamiliarWindows struct {
	Name string
	// Train are windows of the training and Valid windows that are like them but were not
	// trained on. Either may be nil.
	Train, Valid iter.Seq2[*data.Window, error]
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
	if o.Windows < 0 || o.Rate < 0 || o.Rate >= 1 {
		return nil, fmt.Errorf("eval: familiarity: expected a rate between 0 and 1 and at least one window, or 0 for the defaults, got %v and %d", o.Rate, o.Windows)
	}
	if len(train) == 0 || len(valid) == 0 {
		return nil, errors.New("eval: familiarity: expected training and validation data sets")
	}
	var sets []FamiliarWindows
	for _, ds := range train {
		if ds == nil {
			return nil, errors.New("eval: familiarity: expected data sets, got nil")
		}
		sets = append(sets, FamiliarWindows{Name: ds.Metadata().Name, Train: windowsOf(ctx, ds, o)})
	}
	for _, ds := range valid {
		sets = append(sets, FamiliarWindows{Valid: windowsOf(ctx, ds, o)})
	}
	return FamiliarityOf(sets, o)
}

// FamiliarityOf is RecordFamiliarity for given windows. o.Input and o.Windows are not used.
func FamiliarityOf(sets []FamiliarWindows, o FamiliarityOptions) (*walrus.Familiarity, error) {
	o.Rate = cmp.Or(o.Rate, 0.01)
	if !(o.Rate > 0 && o.Rate < 1) {
		return nil, fmt.Errorf("eval: familiarity: expected a rate between 0 and 1, got %v", o.Rate)
	}
	f := walrus.NewFamiliarity()
	f.Rate = o.Rate
	for _, s := range sets {
		if s.Train == nil {
			continue
		}
		d, err := describe(s)
		if err != nil {
			return nil, fmt.Errorf("eval: familiarity: %s: %w", s.Name, err)
		}
		if slices.ContainsFunc(f.Datasets, func(x walrus.FamiliarDataset) bool { return x.Name == d.Name }) {
			return nil, fmt.Errorf("eval: familiarity: expected training data sets of different names, got %s twice", d.Name)
		}
		f.Datasets = append(f.Datasets, d)
	}
	var scores []float64
	for _, s := range sets {
		if s.Valid == nil {
			continue
		}
		for w, err := range s.Valid {
			var score float64
			if err == nil {
				score, _, err = f.Score(w)
			}
			if err != nil {
				return nil, fmt.Errorf("eval: familiarity: %w", err)
			}
			scores = append(scores, score)
		}
	}
	slices.Sort(scores)
	f.Windows = len(scores)
	rank := int(math.Ceil(float64(len(scores)+1) * (1 - o.Rate)))
	if rank > len(scores) {
		return nil, fmt.Errorf("eval: familiarity: expected at least %.0f validation windows for a rate of %v, got %d: take more data, more of its windows, or a higher rate", math.Ceil(1/o.Rate-1), o.Rate, len(scores))
	}
	if f.Limit = math.Ceil(1e3*scores[rank-1]) / 1e3; math.IsInf(f.Limit, 0) {
		return nil, fmt.Errorf("eval: familiarity: expected validation data with the channels of a training data set, got others in more than a part %v of the windows", o.Rate)
	}
	return f, nil
}

// describe returns the means and deviations of a data set, rounded to two decimals.
func describe(s FamiliarWindows) (d walrus.FamiliarDataset, err error) {
	all := map[string][][walrus.FeatureCount]float64{} // by channel
	d.Name, d.Channels = s.Name, map[string]walrus.FamiliarFeatures{}
	for w, err := range s.Train {
		if err != nil {
			return d, err
		}
		if len(w.Frames) < 3 {
			return d, fmt.Errorf("%s: expected windows of at least 3 frames, got %d", w.Name, len(w.Frames))
		}
		features, err := walrus.WindowFeatures(w)
		if err != nil {
			return d, err
		}
		d.Windows++
		for c, name := range w.Channels(false) {
			all[name] = append(all[name], features[c])
		}
	}
	for name, list := range all {
		var k walrus.FamiliarFeatures
		for i := range k.Mean {
			k.Mean[i], k.Deviation[i] = summary(list, i)
		}
		d.Channels[name] = k
	}
	return d, nil
}

// summary returns the mean and standard deviation of a feature over windows in which it is a
// number. Without any, the deviation is as wide as the range of the features.
func summary(list [][walrus.FeatureCount]float64, i int) (mean, deviation float64) {
	n, square := 0.0, 0.0
	for _, f := range list {
		if v := f[i]; !math.IsNaN(v) {
			n, mean, square = n+1, mean+v, square+v*v
		}
	}
	if n == 0 {
		return 0, 28
	}
	mean /= n
	round := func(v float64) float64 { return math.Round(100*v) / 100 }
	return round(mean), round(math.Sqrt(max(square/n-mean*mean, 0)))
}

// windowsOf returns windows of a data set, spread evenly over its trajectories.
func windowsOf(ctx context.Context, ds data.Dataset, o FamiliarityOptions) iter.Seq2[*data.Window, error] {
	return func(yield func(*data.Window, error) bool) {
		stopped := errors.New("stopped")
		if err := eachWindow(ctx, ds, o, func(w *data.Window) error {
			if !yield(w, nil) {
				return stopped
			}
			return nil
		}); err != nil && !errors.Is(err, stopped) {
			yield(nil, err)
		}
	}
}

// eachWindow calls f for windows of a data set.
func eachWindow(ctx context.Context, ds data.Dataset, o FamiliarityOptions, f func(w *data.Window) error) error {
	p, err := Protocol{Input: o.Input, Windows: cmp.Or(o.Windows, 256), Horizons: []Horizon{{1, 1}}}.check(ds)
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

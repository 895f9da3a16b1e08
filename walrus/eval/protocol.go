package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// Forecast continues a window by the given number of frames, in the window's channels
// and units. A forecast that diverges returns the frames before and an error that is
// [walrus.ErrDiverged]: [Evaluate] counts it and scores it with +Inf from that step on.
type Forecast func(ctx context.Context, history *data.Window, steps int) ([][]float32, error)

// Protocol says how a data set is forecast and scored.
type Protocol struct {
	// Input is the number of frames of history; 0 means 6 in 1D and 2D and 3 in 3D, as
	// in the training of the weights.
	Input int
	// Horizons are scored one by one; nil means PaperHorizons. If every trajectory is
	// too short for a range, the range is scored up to the end of the longest
	// trajectory, and the result says so. A range that starts beyond that is omitted.
	Horizons []Horizon
	// Windows is the largest number of windows that are forecast for a horizon, spread
	// evenly over all windows of all trajectories that are long enough; 0 means 32.
	Windows int
	// Eps is the eps of the VRMSE; 0 means DefaultEps.
	Eps float64
	// Ensembles are probabilistic forecasters. Their distributions are scored in
	// HorizonResult.Ensembles, the means of their members like other forecasts. No name may
	// be that of another forecaster.
	Ensembles map[string]EnsembleForecast
	// Level is the probability with which intervals should contain the truth; 0 means 0.9.
	Level float64
	// Long, if set, also measures the long-term behaviour of all forecasters: spectra, drift
	// of means, time to decorrelation and blow-up.
	Long *Long
	// Progress, if set, is called with the number of finished frames and the number of
	// all frames: before the first, whenever a forecaster calls [Step], and after every
	// forecast. Frames of all forecasters count.
	Progress func(done, total int)
}

func (p Protocol) withDefaults(m data.Metadata) Protocol {
	if p.Input == 0 {
		p.Input = m.History()
	}
	if len(p.Horizons) == 0 {
		p.Horizons = PaperHorizons()
	}
	if p.Windows == 0 {
		p.Windows = 32
	}
	if p.Eps == 0 {
		p.Eps = DefaultEps
	}
	if p.Level == 0 {
		p.Level = 0.9
	}
	if p.Long != nil {
		l := p.Long.withDefaults()
		p.Long = &l
	}
	return p
}

// check returns the protocol with its defaults, or an error if it cannot be used.
func (p Protocol) check(ds data.Dataset) (Protocol, error) {
	if ds == nil {
		return p, errors.New("eval: expected a data set, got nil")
	}
	p = p.withDefaults(ds.Metadata())
	if p.Input < 2 || p.Input > maxCount || p.Windows < 0 {
		return p, fmt.Errorf("eval: expected 2 to %d frames of history and a positive number of windows, got %d and %d", maxCount, p.Input, p.Windows)
	}
	if !(p.Level > 0 && p.Level < 1) {
		return p, fmt.Errorf("eval: level: expected a probability between 0 and 1, got %v", p.Level)
	}
	if p.Long != nil {
		if err := p.Long.Validate(); err != nil {
			return p, fmt.Errorf("eval: %w", err)
		}
	}
	for _, h := range p.Horizons {
		if h.From < 1 || h.To < h.From {
			return p, fmt.Errorf("eval: horizons: expected steps from 1 and in order, got %d to %d", h.From, h.To)
		}
	}
	return p, nil
}

// Baselines returns persistence and linear extrapolation, under these names.
func Baselines() map[string]Forecast {
	return map[string]Forecast{
		"persistence": func(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
			return Persistence(w.Frames, steps)
		},
		"linear": func(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
			return Linear(w.Frames, steps)
		},
	}
}

// Evaluate forecasts windows of a data set with each forecaster and returns their VRMSE
// over the horizons (paper §5, appendix E.1). It returns an error if all trajectories
// are too short for every horizon.
func Evaluate(ctx context.Context, ds data.Dataset, forecasters map[string]Forecast, p Protocol) (*Result, error) {
	p, err := p.check(ds)
	if err != nil {
		return nil, err
	}
	if err := p.checkNames(forecasters); err != nil {
		return nil, err
	}
	r := &Result{Dataset: ds.Metadata().Name}
	if len(ds.Trajectories()) == 0 {
		return nil, fmt.Errorf("eval: data set %s: expected at least one trajectory, got none", r.Dataset)
	}
	varies := map[string]bool{}
	steps := counter{tell: p.Progress, total: p.Frames(ds) * (len(forecasters) + len(p.Ensembles))}
	steps.to(0)
	for _, h := range p.Horizons {
		to := min(h.To, p.reach(ds))
		if to < h.From {
			r.Skipped = append(r.Skipped, h)
			continue
		}
		spans := p.places(ds, to)
		t := table{horizon: h, to: to, eps: p.Eps, level: p.Level, varies: varies, scores: map[string][][]float64{}, steps: map[string][][]float64{},
			ensembles: map[string][][]ensembleSum{}, diverged: map[string]Divergences{}, long: p.Long, longs: map[string][][]longWindow{}}
		for _, span := range spans {
			if err := t.add(ctx, ds, span, p, forecasters, &steps); err != nil {
				return nil, fmt.Errorf("eval: data set %s: steps %v: %w", r.Dataset, h, err)
			}
		}
		r.Horizons = append(r.Horizons, t.result())
	}
	if len(r.Horizons) == 0 {
		return nil, fmt.Errorf("eval: data set %s: expected a trajectory of %d frames of history and at least %d to forecast, got at most %d frames in all",
			r.Dataset, p.Input, p.Horizons[0].From, p.Input+p.reach(ds))
	}
	for name, yes := range varies {
		if !yes {
			r.Constant = append(r.Constant, name)
		}
	}
	slices.Sort(r.Constant)
	return r, nil
}

// checkNames checks the forecasters.
func (p Protocol) checkNames(forecasters map[string]Forecast) error {
	for name, f := range forecasters {
		if f == nil {
			return fmt.Errorf("eval: forecaster %q: expected a function, got nil", name)
		}
	}
	for name, f := range p.Ensembles {
		if f == nil {
			return fmt.Errorf("eval: ensemble %q: expected a function, got nil", name)
		}
		if forecasters[name] != nil {
			return fmt.Errorf("eval: ensemble %q: expected a name that no other forecaster has", name)
		}
	}
	return nil
}

// reach returns the number of steps that can be forecast in the longest trajectory.
func (p Protocol) reach(ds data.Dataset) int {
	most := -p.Input
	for _, t := range ds.Trajectories() {
		most = max(most, t.Steps-p.Input)
	}
	return most
}

// places returns the windows from which to forecast the given number of steps.
func (p Protocol) places(ds data.Dataset, steps int) []data.Span {
	frames := p.Input + steps
	var all []data.Span
	for i, t := range ds.Trajectories() {
		for start := 0; start+frames <= t.Steps; start++ {
			all = append(all, data.Span{Trajectory: i, Start: start, Stride: 1, Frames: frames})
		}
	}
	if len(all) <= p.Windows {
		return all
	}
	out := make([]data.Span, p.Windows)
	for i := range out {
		out[i] = all[(2*i+1)*len(all)/(2*p.Windows)]
	}
	return out
}

package eval

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// CalibrateOptions configure [Calibrate].
type CalibrateOptions struct {
	// Steps is the number of steps to calibrate; 0 means 20.
	Steps int
	// Input is the number of frames of history; 0 means 6 in 1D and 2D and 3 in 3D.
	Input int
	// Windows is the largest number of forecasts, spread evenly over all windows of all
	// trajectories that are long enough; 0 means 128.
	Windows int
	// Levels are the probabilities with which intervals contain the truth, ascending; nil
	// means those of 0.5, 0.8, 0.9 and 0.95 for which there are enough windows.
	Levels []float64
	// Bands is the number of frequency bands ([SpectrumEdges]) in which the error is measured
	// too, for [BandIntervals]; 0 means none.
	Bands int
	// Progress, if set, is called with the number of finished and of all frames.
	Progress func(done, total int)
}

// Calibrate forecasts a calibration split and returns the errors of the emulator by channel
// and lead time: a calibration that gives forecasts intervals with stated coverage
// ([walrus.Calibration] says what that means). The data must not have been used in training,
// and must be like the runs to forecast: the same system, its parameters and initial states
// drawn alike, the same time step.
//
// A level needs at least level/(1−level) units, 9 for 90 %. The units are trajectories if
// there are enough of them, otherwise windows. A forecast that diverges counts as outside
// every interval from that step on.
//
//	c, err := eval.Calibrate(ctx, valid, em, eval.CalibrateOptions{Steps: 20})
//	…
//	err = c.Save("runs/shear/best")
func Calibrate(ctx context.Context, ds data.Dataset, em *walrus.Emulator, o CalibrateOptions) (*walrus.Calibration, error) {
	if em == nil {
		return nil, errors.New("eval: calibrate: expected an emulator, got nil")
	}
	c := em.NewCalibration()
	if err := calibrate(ctx, ds, Model(em), c, o); err != nil {
		return nil, err
	}
	return c, nil
}

// calibrate fills in a calibration with the errors of a forecaster.
func calibrate(ctx context.Context, ds data.Dataset, forecast Forecast, c *walrus.Calibration, o CalibrateOptions) error {
	if o.Steps == 0 {
		o.Steps = 20
	}
	if o.Windows == 0 {
		o.Windows = 128
	}
	p, err := Protocol{Input: o.Input, Windows: o.Windows, Horizons: []Horizon{{1, max(o.Steps, 1)}}}.check(ds)
	if err != nil {
		return err
	}
	if o.Steps < 1 || o.Steps > maxCount {
		return fmt.Errorf("eval: calibrate: expected 1 to %d steps, got %d", maxCount, o.Steps)
	}
	if o.Bands < 0 || o.Bands > maxCount {
		return fmt.Errorf("eval: calibrate: expected 0 to %d frequency bands, got %d", maxCount, o.Bands)
	}
	name := ds.Metadata().Name
	spans := p.places(ds, o.Steps)
	if len(spans) == 0 {
		return fmt.Errorf("eval: calibrate: data set %s: expected a trajectory of %d frames of history and %d to forecast, got at most %d frames in all: calibrate fewer steps (here up to %d) or take longer trajectories",
			name, p.Input, o.Steps, p.Input+p.reach(ds), p.reach(ds))
	}
	units, err := newUnits(spans, o.Levels)
	if err != nil {
		return fmt.Errorf("eval: calibrate: data set %s: %w", name, err)
	}
	c.Dataset, c.Windows, c.History, c.Levels, c.Unit, c.Units = name, len(spans), p.Input, units.levels, units.kind, units.n
	counts := counter{tell: o.Progress, total: len(spans) * o.Steps}
	counts.to(0)
	var errs *errorTable
	for i, span := range spans {
		w, err := ds.Read(ctx, span, nil)
		if err != nil {
			return fmt.Errorf("eval: calibrate: %w", err)
		}
		if errs == nil {
			errs, c.Edges = newErrorTable(w.Channels(false), o.Steps, o.Bands), SpectrumEdges(w.Grid, o.Bands)
		}
		if edges := SpectrumEdges(w.Grid, o.Bands); !slices.Equal(edges, c.Edges) {
			return fmt.Errorf("eval: calibrate: %s: expected windows of one grid, whose frequency bands are %v, got %v", w.Name, c.Edges, edges)
		}
		if err := errs.add(counts.in(ctx), w, p, forecast, units.weight(span)); err != nil {
			return fmt.Errorf("eval: calibrate: %s: %w", w.Name, err)
		}
		counts.to((i + 1) * o.Steps)
	}
	c.Fields = errs.channels(units)
	return nil
}

// units are the parts of the calibration data that count as exchangeable.
type units struct {
	kind   string // "trajectory" or "window"
	n      int
	levels []float64
	// windows counts the windows of each trajectory.
	windows map[int]int
}

// defaultLevels are the levels of CalibrateOptions.Levels that is nil.
var defaultLevels = []float64{0.5, 0.8, 0.9, 0.95}

// needs returns the least number of units for a finite interval.
func needs(level float64) int { return int(math.Ceil(level/(1-level) - 1e-9)) }

// newUnits chooses trajectories as units if there are enough of them, otherwise windows.
func newUnits(spans []data.Span, levels []float64) (units, error) {
	u := units{windows: map[int]int{}, levels: slices.Clone(levels)}
	for _, s := range spans {
		u.windows[s.Trajectory]++
	}
	if levels == nil {
		for _, l := range defaultLevels {
			if len(spans) >= needs(l) {
				u.levels = append(u.levels, l)
			}
		}
	}
	for i, l := range u.levels {
		if !(l > 0 && l < 1) || i > 0 && l <= u.levels[i-1] {
			return u, fmt.Errorf("levels: expected ascending probabilities between 0 and 1, got %v", u.levels)
		}
	}
	most := needs(slices.Max(append([]float64{0.5}, u.levels...)))
	u.kind, u.n = "trajectory", len(u.windows)
	if u.n < most {
		u.kind, u.n = "window", len(spans)
	}
	if u.n < most || len(u.levels) == 0 {
		return u, fmt.Errorf("expected at least %d windows for levels %v, got %d", most, u.levels, len(spans))
	}
	return u, nil
}

// weight returns the part of a unit that a window is.
func (u units) weight(s data.Span) float64 {
	if u.kind == "window" {
		return 1
	}
	return 1 / float64(u.windows[s.Trajectory])
}

// Scores of calibration, |truth − forecast| divided by the scale, are counted in bins of equal
// width on a logarithmic axis, so that a radius is at most half a percent too large.
const (
	binsPerOctave = 144
	lowestOctave  = -40
	octaves       = 64
)

// errorTable collects the errors of a calibration.
type errorTable struct {
	names []string
	// cells holds the errors by channel and step.
	cells [][]errorCell
}

// scoreBins holds, for each bin, the sum over units of the fraction of values with a score in
// it. The first bin holds scores of 0 and scores too small for the others.
type scoreBins []float64

func newScoreBins() scoreBins { return make(scoreBins, binsPerOctave*octaves+1) }

// add counts an error with a weight. Errors without a scale are infinite.
func (b scoreBins) add(err, scale, weight float64) {
	if err > 0 {
		err /= scale
	}
	if bin := binOf(err); bin < len(b) {
		b[bin] += weight
	}
}

// errorCell collects the errors of one channel at one step.
type errorCell struct {
	// points counts the errors of points, bands the root mean squares in frequency bands.
	points scoreBins
	bands  []scoreBins
	// vrmse is the weighted sum of the VRMSE over the windows whose field varies over the
	// grid, varying the sum of their weights.
	vrmse, varying float64
}

func newErrorTable(names []string, steps, bands int) *errorTable {
	t := &errorTable{names: names, cells: make([][]errorCell, len(names))}
	for c := range t.cells {
		t.cells[c] = make([]errorCell, steps)
		for s := range t.cells[c] {
			t.cells[c][s].points = newScoreBins()
			for range bands {
				t.cells[c][s].bands = append(t.cells[c][s].bands, newScoreBins())
			}
		}
	}
	return t
}

// add forecasts a window and counts its errors with the given weight.
func (t *errorTable) add(ctx context.Context, w *data.Window, p Protocol, forecast Forecast, weight float64) error {
	history, err := w.Slice(0, p.Input)
	if err != nil {
		return err
	}
	scales, err := walrus.FieldScales(history)
	if err != nil {
		return err
	}
	truth, points := w.Frames[p.Input:], w.Points()
	frames, err := forecast(ctx, history, len(truth))
	if err != nil && !errors.Is(err, walrus.ErrDiverged) {
		return err
	}
	if err == nil && len(frames) != len(truth) {
		return fmt.Errorf("expected a forecast of %d frames, got %d", len(truth), len(frames))
	}
	for s, ref := range truth {
		var pred []float32
		if s < len(frames) {
			if pred = frames[s]; len(pred) != len(ref) {
				return fmt.Errorf("step %d: expected %d values, got %d", s+1, len(ref), len(pred))
			}
		}
		for c, name := range t.names {
			from, to := c*points, (c+1)*points
			cell := &t.cells[c][s]
			if varies(ref[from:to]) {
				cell.varying += weight
				if pred == nil {
					cell.vrmse = math.Inf(1)
				}
			}
			if pred == nil {
				continue // outside every interval
			}
			err := cell.addField(pred[from:to], ref[from:to], scales[c], p.Eps, weight)
			if err == nil {
				err = cell.addBands(pred[from:to], ref[from:to], w.Grid, scales[c], weight)
			}
			if err != nil {
				return fmt.Errorf("step %d: field %s: %w", s+1, name, err)
			}
		}
	}
	return nil
}

// addField counts the errors of one frame.
func (c *errorCell) addField(pred, ref []float32, scale, eps, weight float64) error {
	vrmse, err := VRMSE(pred, ref, eps)
	if err != nil {
		return err
	}
	if varies(ref) {
		c.vrmse += weight * vrmse
	}
	for i, y := range ref {
		c.points.add(math.Abs(float64(pred[i])-float64(y)), scale, weight/float64(len(ref)))
	}
	return nil
}

// addBands counts the errors of one frame by frequency band.
func (c *errorCell) addBands(pred, ref []float32, grid []int, scale, weight float64) error {
	if len(c.bands) == 0 {
		return nil
	}
	diff := make([]float32, len(ref))
	for i := range diff {
		diff[i] = pred[i] - ref[i]
	}
	s, err := PowerSpectrum(diff, grid, len(c.bands))
	if err != nil {
		return err
	}
	for i, p := range s.Power {
		c.bands[i].add(math.Sqrt(p), scale, weight)
	}
	return nil
}

// binOf returns the bin of a score, binsPerOctave·octaves+1 for one beyond all.
func binOf(score float64) int {
	const beyond = binsPerOctave*octaves + 1
	if score == 0 {
		return 0
	}
	return int(max(0, min(beyond, math.Ceil((math.Log2(score)-lowestOctave)*binsPerOctave))))
}

// radius returns the least radius whose intervals leave out at most the part 1−level of the
// values, as expected over n units and the one to forecast, which counts as left out:
// the sum of fractions inside is at least level·(n+1).
func (b scoreBins) radius(level float64, n int) float64 {
	want, inside := level*float64(n+1)-1e-9, 0.0
	for bin, part := range b {
		if inside += part; inside >= want {
			if bin == 0 && b[0] > 0 {
				return 0
			}
			return math.Exp2(float64(bin)/binsPerOctave + lowestOctave)
		}
	}
	return math.Inf(1)
}

// channels returns the radii and errors.
func (t *errorTable) channels(u units) map[string]walrus.ChannelCalibration {
	out := map[string]walrus.ChannelCalibration{}
	for c, name := range t.names {
		var f walrus.ChannelCalibration
		scored := false
		for _, cell := range t.cells[c] {
			var row []float64
			var bands [][]float64
			for _, level := range u.levels {
				row = append(row, cell.points.radius(level, u.n))
				var bounds []float64
				for _, b := range cell.bands {
					bounds = append(bounds, b.radius(level, u.n))
				}
				bands = append(bands, bounds)
			}
			f.Radius = append(f.Radius, row)
			if len(cell.bands) > 0 {
				f.Bands = append(f.Bands, bands)
			}
			vrmse := 0.0
			if cell.varying > 0 {
				vrmse, scored = cell.vrmse/cell.varying, true
			}
			f.VRMSE = append(f.VRMSE, vrmse)
		}
		if !scored {
			f.VRMSE = nil
		}
		out[name] = f
	}
	return out
}

// Intervals returns the forecasts of a calibrated emulator with their intervals, as ensembles
// of one member. Steps and channels that the calibration lacks are errors.
func Intervals(em *walrus.Emulator) EnsembleForecast {
	return func(ctx context.Context, w *data.Window, steps int) iter.Seq2[Distribution, error] {
		return func(yield func(Distribution, error) bool) {
			if em == nil || em.Calibration() == nil {
				yield(Distribution{}, errors.New("expected an emulator with a calibration, got none"))
				return
			}
			for frame, err := range em.Rollout(ctx, w, steps) {
				if err == nil && frame.Interval == nil {
					err = fmt.Errorf("no interval: %w", walrus.ErrNotCalibrated)
				}
				if err != nil {
					yield(Distribution{}, err)
					return
				}
				if !yield(Distribution{Members: [][]float32{frame.Values}, Lower: frame.Interval.Lower, Upper: frame.Interval.Upper}, nil) {
					return
				}
			}
		}
	}
}

package eval

import (
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// BandInterval bounds the error and the power of one channel in frequency bands.
type BandInterval struct {
	// Edges are the frequencies between the bands, in cycles per point ([SpectrumEdges]).
	Edges []float64
	// Error holds, for each band, the bound of the root mean square of the forecast's error,
	// in the field's units. The error of a band is at most the bound with the probability of
	// the level.
	Error []float64
	// Lower and Upper bound the power of the truth in each band, in the units of
	// [Spectrum.Power]. They follow from Error by the triangle inequality, √power ± Error of
	// the forecast's power, so that they hold with at least the probability of the level.
	Lower, Upper []float64
}

// BandIntervals returns the bounds that a calibration states for each channel of a forecast
// frame by frequency band: for which wavelengths a forecast can still be trusted. step counts
// from 1 after the history, and values has the layout of the window's frames. Each band
// holds on its own (split conformal prediction, as in [walrus.Calibration]), with runs as
// units.
//
// It returns [walrus.ErrNotCalibrated] for a calibration without bands
// ([CalibrateOptions].Bands), for a step, channel or level that it lacks, and for a grid
// whose bands have other edges. A bound is infinite if forecasts diverged too often.
func BandIntervals(c *walrus.Calibration, history *data.Window, step int, values []float32, level float64) ([]BandInterval, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("eval: bands: %w", err)
	}
	scales, err := walrus.FieldScales(history)
	if err != nil {
		return nil, err
	}
	fail := func(format string, args ...any) ([]BandInterval, error) {
		return nil, fmt.Errorf("eval: bands: window %s: step %d: "+format, append([]any{history.Name, step}, args...)...)
	}
	names, points := history.Channels(false), history.Points()
	l := slices.Index(c.Levels, level)
	switch {
	case c.Edges == nil:
		return fail("%w: expected a calibration with frequency bands (CalibrateOptions.Bands)", walrus.ErrNotCalibrated)
	case !slices.Equal(SpectrumEdges(history.Grid, len(c.Edges)-1), c.Edges):
		return fail("%w: expected a grid whose longest axis has the length of the calibration's, with bands between %v, got %v", walrus.ErrNotCalibrated, c.Edges, history.Grid)
	case l < 0:
		return fail("%w: level %v: expected one of %v", walrus.ErrNotCalibrated, level, c.Levels)
	case len(values) != len(names)*points:
		return fail("expected %d values, got %d", len(names)*points, len(values))
	}
	var out []BandInterval
	for k, name := range names {
		f, ok := c.Fields[name]
		if !ok || step < 1 || step > len(f.Bands) {
			return fail("channel %s: %w: expected a channel of the calibration and a step from 1 to %d", name, walrus.ErrNotCalibrated, len(f.Bands))
		}
		s, err := PowerSpectrum(values[k*points:(k+1)*points], history.Grid, len(c.Edges)-1)
		if err != nil {
			return fail("channel %s: %w", name, err)
		}
		out = append(out, bandInterval(s, f.Bands[step-1][l], scales[k]))
	}
	return out, nil
}

// bandInterval returns the bounds around the spectrum of a forecast. radii are in units of
// the scale.
func bandInterval(s Spectrum, radii []float64, scale float64) BandInterval {
	out := BandInterval{Edges: s.Edges}
	for i, r := range radii {
		e := r
		if !math.IsInf(r, 1) {
			e *= scale
		}
		root := math.Sqrt(s.Power[i])
		out.Error = append(out.Error, e)
		out.Lower = append(out.Lower, math.Pow(max(root-e, 0), 2))
		out.Upper = append(out.Upper, math.Pow(root+e, 2))
	}
	return out
}

package walrus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// CalibrationFile is the name of a [Calibration] next to the weights, from which [Load] reads
// it.
const CalibrationFile = "calibration.json"

// calibrationVersion is the format of the file.
const calibrationVersion = 1

// Calibration says how large the errors of an emulator's forecasts are, by channel and lead
// time, measured on runs that are like those to forecast (split conformal prediction, Vovk et
// al. 2005; package eval computes it, see eval.Calibrate).
//
// The half-width of an interval is a radius times the window's scale of the field: the root
// mean square of its changes between successive frames of the history, over all components,
// but at least a thousandth of its standard deviation over the grid. The radii are chosen so
// that the expected fraction of values outside the interval is at most 1 − level, if the
// calibration units and the run to forecast are exchangeable (conformal risk control,
// Angelopoulos et al. 2022, arXiv:2208.02814): drawn alike and independently. So the statement
// holds on average over runs and points, not for every run or point; and not for another
// system, other parameters, another history length or another time step.
type Calibration struct {
	FormatVersion int `json:"format_version"`
	// Dataset names the calibration data.
	Dataset string `json:"dataset"`
	// Units is the number of units that count as exchangeable, and Unit says what they are:
	// "trajectory", or "window" if there were too few trajectories for the levels. Windows of
	// one trajectory are not independent; then the coverage is approximate.
	Units int    `json:"units"`
	Unit  string `json:"unit"`
	// Windows is the number of forecasts.
	Windows int `json:"windows"`
	// History is the number of frames from which they started.
	History int `json:"history"`
	// Settings describes the options of the emulator that affect its errors, and
	// WeightsSHA256 is the checksum of its weights in the manifest, if there was one.
	Settings      string `json:"settings"`
	WeightsSHA256 string `json:"weights_sha256,omitempty"`
	// Levels are the probabilities for which there are intervals, in ascending order.
	Levels []float64 `json:"levels"`
	// Edges are the frequencies between the bands of ChannelCalibration.Bands, in cycles per
	// grid point; nil without bands.
	Edges []float64 `json:"edges,omitempty"`
	// Fields holds the errors of each channel: "pressure", "velocity_x".
	Fields map[string]ChannelCalibration `json:"fields"`
}

// ChannelCalibration holds the errors of one channel. The first entry of each list belongs to
// step 1.
type ChannelCalibration struct {
	// Radius holds, for each step and level, the half-width of the interval in units of the
	// window's scale. +Inf, in JSON null, means that no finite interval has the coverage.
	Radius [][]float64
	// VRMSE is the mean VRMSE of each step over the units whose field varies over the grid;
	// +Inf, in JSON null, if a forecast diverged, and 0 if the field varies in none. It is nil
	// if the field varies at no step.
	VRMSE []float64
	// Bands holds, for each step, level and frequency band, the bound of the root mean square
	// of the error in the band, in units of the window's scale. +Inf, in JSON null, means that
	// no finite bound has the probability. It is nil without bands. eval.BandIntervals
	// computes bounds in the field's units.
	Bands [][][]float64
}

// channelJSON is the JSON of a ChannelCalibration.
type channelJSON struct {
	Radius [][]*float64   `json:"radius"`
	VRMSE  []*float64     `json:"vrmse,omitempty"`
	Bands  [][][]*float64 `json:"bands,omitempty"`
}

// MarshalJSON writes infinite numbers as null.
func (c ChannelCalibration) MarshalJSON() ([]byte, error) {
	finite := func(list []float64) []*float64 {
		out := make([]*float64, len(list))
		for i, v := range list {
			if !math.IsInf(v, 1) {
				out[i] = &v
			}
		}
		return out
	}
	out := channelJSON{VRMSE: finite(c.VRMSE), Radius: make([][]*float64, len(c.Radius)), Bands: make([][][]*float64, len(c.Bands))}
	for i, row := range c.Radius {
		out.Radius[i] = finite(row)
	}
	for i, levels := range c.Bands {
		for _, row := range levels {
			out.Bands[i] = append(out.Bands[i], finite(row))
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the JSON of MarshalJSON.
func (c *ChannelCalibration) UnmarshalJSON(text []byte) error {
	var in channelJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	infinite := func(list []*float64) []float64 {
		out := make([]float64, len(list))
		for i, v := range list {
			out[i] = math.Inf(1)
			if v != nil {
				out[i] = *v
			}
		}
		return out
	}
	*c = ChannelCalibration{}
	if in.VRMSE != nil {
		c.VRMSE = infinite(in.VRMSE)
	}
	for _, row := range in.Radius {
		c.Radius = append(c.Radius, infinite(row))
	}
	for i, levels := range in.Bands {
		c.Bands = append(c.Bands, nil)
		for _, row := range levels {
			c.Bands[i] = append(c.Bands[i], infinite(row))
		}
	}
	return nil
}

// Interval is a range that should contain the value of every point with probability Level.
type Interval struct {
	Level float64
	// Lower and Upper have the layout of the frame's values.
	Lower, Upper []float32
}

// ErrNotCalibrated is the error of intervals beyond the steps, channels or levels of a
// calibration.
var ErrNotCalibrated = errors.New("not calibrated")

// Validate checks the lists and their ranges.
func (c *Calibration) Validate() error {
	if c == nil {
		return errors.New("calibration: expected one, got nil")
	}
	if c.FormatVersion != calibrationVersion {
		return fmt.Errorf("calibration: expected format %d, got %d (of another version of the library?)", calibrationVersion, c.FormatVersion)
	}
	if len(c.Levels) == 0 || len(c.Fields) == 0 {
		return fmt.Errorf("calibration: expected at least one level and one field, got levels %v and %d fields", c.Levels, len(c.Fields))
	}
	for i, l := range c.Levels {
		if !(l > 0 && l < 1) || i > 0 && l <= c.Levels[i-1] {
			return fmt.Errorf("calibration: expected ascending levels between 0 and 1, got %v", c.Levels)
		}
	}
	for i, e := range c.Edges {
		if !(e > 0) || i > 0 && e <= c.Edges[i-1] || len(c.Edges) < 2 {
			return fmt.Errorf("calibration: expected at least two ascending frequencies above 0 as edges of the bands, got %v", c.Edges)
		}
	}
	for name, f := range c.Fields {
		if err := c.checkBands(f); err != nil {
			return fmt.Errorf("calibration: field %s: %w", name, err)
		}
		if len(f.Radius) == 0 || f.VRMSE != nil && len(f.VRMSE) != len(f.Radius) {
			return fmt.Errorf("calibration: field %s: expected radii and errors of one number of steps, at least 1, got %d and %d", name, len(f.Radius), len(f.VRMSE))
		}
		for s, row := range f.Radius {
			if len(row) != len(c.Levels) {
				return fmt.Errorf("calibration: field %s: step %d: expected a radius for each of %d levels, got %d", name, s+1, len(c.Levels), len(row))
			}
			for i, r := range row {
				if !(r >= 0) || i > 0 && r < row[i-1] {
					return fmt.Errorf("calibration: field %s: step %d: expected radii that do not fall with the level, got %v", name, s+1, row)
				}
			}
			if f.VRMSE != nil && !(f.VRMSE[s] >= 0) {
				return fmt.Errorf("calibration: field %s: step %d: expected a VRMSE of at least 0, got %v", name, s+1, f.VRMSE[s])
			}
		}
	}
	return nil
}

// checkBands checks the bounds by frequency band.
func (c *Calibration) checkBands(f ChannelCalibration) error {
	if (c.Edges == nil) != (f.Bands == nil) || f.Bands != nil && len(f.Bands) != len(f.Radius) {
		return fmt.Errorf("bands: expected bounds for %d steps if there are edges, and none otherwise, got %d edges and %d steps", len(f.Radius), len(c.Edges), len(f.Bands))
	}
	for s, levels := range f.Bands {
		if len(levels) != len(c.Levels) {
			return fmt.Errorf("bands: step %d: expected bounds for each of %d levels, got %d", s+1, len(c.Levels), len(levels))
		}
		for l, row := range levels {
			if len(row) != len(c.Edges)-1 {
				return fmt.Errorf("bands: step %d: expected a bound for each of %d bands, got %d", s+1, len(c.Edges)-1, len(row))
			}
			for b, r := range row {
				if !(r >= 0) || l > 0 && r < levels[l-1][b] {
					return fmt.Errorf("bands: step %d: band %d: expected bounds that do not fall with the level, got %v", s+1, b, r)
				}
			}
		}
	}
	return nil
}

// Steps returns the number of steps with errors of all channels.
func (c *Calibration) Steps() int {
	if c == nil || len(c.Fields) == 0 {
		return 0
	}
	steps := math.MaxInt
	for _, f := range c.Fields {
		steps = min(steps, len(f.Radius))
	}
	return steps
}

// TrustHorizon returns the last step up to which the expected VRMSE, the mean over the given
// channels, stays at or below a bound; without channels, over all that have one. It is 0 if
// the first step exceeds the bound, and at most Steps: the calibration knows nothing beyond. A
// channel whose VRMSE the calibration lacks is [ErrNotCalibrated].
func (c *Calibration) TrustHorizon(bound float64, channels ...string) (int, error) {
	if err := c.Validate(); err != nil {
		return 0, fmt.Errorf("walrus: %w", err)
	}
	if !(bound > 0) {
		return 0, fmt.Errorf("walrus: trust horizon: expected a bound above 0, got %v", bound)
	}
	if len(channels) == 0 {
		for name, f := range c.Fields {
			if f.VRMSE != nil {
				channels = append(channels, name)
			}
		}
		if len(channels) == 0 {
			return 0, fmt.Errorf("walrus: trust horizon: %w: expected a field that varies over the grid", ErrNotCalibrated)
		}
		slices.Sort(channels)
	}
	for step := range c.Steps() {
		sum := 0.0
		for _, name := range channels {
			f, err := c.channel(name)
			if err == nil && f.VRMSE == nil {
				err = fmt.Errorf("channel %s: %w: expected a field that varies over the grid", name, ErrNotCalibrated)
			}
			if err != nil {
				return 0, fmt.Errorf("walrus: trust horizon: %w", err)
			}
			sum += f.VRMSE[step]
		}
		if !(sum/float64(len(channels)) <= bound) {
			return step, nil
		}
	}
	return c.Steps(), nil
}

// channel returns the errors of a channel.
func (c *Calibration) channel(name string) (ChannelCalibration, error) {
	f, ok := c.Fields[name]
	if !ok {
		return f, fmt.Errorf("channel %s: %w: expected one of the calibration's channels", name, ErrNotCalibrated)
	}
	return f, nil
}

// Interval returns the interval of a level around a forecast frame of the given step after
// the history. values has the layout of the window's frames. A step, channel or level that
// the calibration lacks, or an infinite interval, is [ErrNotCalibrated].
func (c *Calibration) Interval(history *data.Window, step int, values []float32, level float64) (*Interval, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("walrus: %w", err)
	}
	if err := history.ValidateLengths(); err != nil {
		return nil, err
	}
	scales, err := FieldScales(history)
	if err != nil {
		return nil, err
	}
	return c.interval(history, scales, step, values, level)
}

// interval is Interval for a calibration and a history that are valid.
func (c *Calibration) interval(history *data.Window, scales []float64, step int, values []float32, level float64) (*Interval, error) {
	fail := func(format string, args ...any) (*Interval, error) {
		return nil, fmt.Errorf("walrus: interval: %s: step %d: "+format, append([]any{label(history), step}, args...)...)
	}
	l := slices.Index(c.Levels, level)
	if l < 0 {
		return fail("%w: level %v: expected one of %v", ErrNotCalibrated, level, c.Levels)
	}
	names, points := history.Channels(false), history.Points()
	if len(values) != len(names)*points {
		return fail("expected %d values, got %d", len(names)*points, len(values))
	}
	out := &Interval{Level: level, Lower: make([]float32, len(values)), Upper: make([]float32, len(values))}
	for k, name := range names {
		f, err := c.channel(name)
		if err != nil {
			return fail("%w", err)
		}
		if step < 1 || step > len(f.Radius) {
			return fail("%w: expected a step from 1 to %d", ErrNotCalibrated, len(f.Radius))
		}
		width := f.Radius[step-1][l] * scales[k]
		if math.IsInf(f.Radius[step-1][l], 0) {
			return fail("%w: channel %s: no finite interval of level %v covers the calibration's errors, because forecasts diverged", ErrNotCalibrated, name, level)
		}
		for i := k * points; i < (k+1)*points; i++ {
			out.Lower[i], out.Upper[i] = float32(float64(values[i])-width), float32(float64(values[i])+width)
		}
	}
	return out, nil
}

// changeFloor is the least scale of a field, relative to its standard deviation.
const changeFloor = 1e-3

// FieldScales returns the scale of each variable channel of a window, from which the widths
// of calibrated intervals are computed ([Calibration]). All components of a field have the
// same scale. It is 0 for a field that is constant in time and space.
func FieldScales(w *data.Window) ([]float64, error) {
	if err := w.ValidateLengths(); err != nil {
		return nil, err
	}
	var out []float64
	points, at := w.Points(), 0
	for _, f := range w.Fields {
		if f.Constant {
			continue
		}
		channels := len(f.ComponentsOf(w.AxisNames()))
		n := channels * points
		change, variance := 0.0, 0.0
		for t, frame := range w.Frames {
			u := frame[at : at+n]
			for c := range channels {
				variance += varianceOf(u[c*points:(c+1)*points]) / float64(channels*len(w.Frames))
			}
			if t == 0 {
				continue
			}
			for i, v := range u {
				d := float64(v) - float64(w.Frames[t-1][at+i])
				change += d * d / float64(n*(len(w.Frames)-1))
			}
		}
		scale := max(math.Sqrt(change), changeFloor*math.Sqrt(variance))
		out = append(out, slices.Repeat([]float64{scale}, channels)...)
		at += n
	}
	return out, nil
}

// varianceOf returns the variance of values.
func varianceOf(values []float32) float64 {
	mean, sum, n := 0.0, 0.0, float64(max(len(values), 1))
	for _, v := range values {
		mean += float64(v) / n
	}
	for _, v := range values {
		sum += (float64(v) - mean) * (float64(v) - mean) / n
	}
	return sum
}

// NewCalibration returns a calibration without errors that names the emulator's weights and
// settings, for eval.Calibrate to fill in.
func (e *Emulator) NewCalibration() *Calibration {
	c := &Calibration{FormatVersion: calibrationVersion}
	if e.weights != nil {
		c.Settings, c.WeightsSHA256 = e.settings(), e.weights.sum
	}
	return c
}

// settings describes the options that affect the errors of forecasts.
func (e *Emulator) settings() string {
	o := e.opts
	s := fmt.Sprintf("ensemble %d", o.Ensemble)
	if o.Cache != nil {
		s += fmt.Sprintf(", cache of %d frames refreshed after %d", o.Cache.Frames, o.Cache.refresh())
	}
	if o.Precision != Float32 {
		s += ", " + o.Precision.String()
	}
	if held := o.held(); held != o.Precision {
		s += fmt.Sprintf(", weights %v", held)
	}
	if o.JitterOff {
		s += ", no jitter"
	} else if o.NoRolls {
		s += ", no rolls"
	}
	if o.Resize != (Resize{}) {
		s += fmt.Sprintf(", resized %v", o.Resize)
	}
	if o.Between != nil {
		s += ", corrected"
	}
	return s
}

// fits returns an error unless the calibration was made with the weights and settings of an
// emulator.
func (c *Calibration) fits(e *Emulator) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if sum := e.weights.sum; c.WeightsSHA256 != sum && c.WeightsSHA256 != "" && sum != "" {
		return fmt.Errorf("calibration: expected one of these weights (SHA-256 %.12s…), got one of other weights (%.12s…): calibrate again", sum, c.WeightsSHA256)
	}
	if s := e.settings(); c.Settings != s {
		return fmt.Errorf("calibration: expected one of an emulator with these settings (%s), got %q: calibrate again, or use those settings", s, c.Settings)
	}
	return nil
}

// Save writes the calibration as JSON; a folder that holds a checkpoint gets it under the name
// [CalibrationFile].
func (c *Calibration) Save(path string) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("walrus: saving to %s: %w", path, err)
	}
	return saveBeside(path, CalibrationFile, "calibration", c)
}

// ReadCalibration reads a calibration that Save wrote: a file, or [CalibrationFile] in a
// folder.
func ReadCalibration(path string) (*Calibration, error) {
	c := new(Calibration)
	path, err := readBeside(path, CalibrationFile, "calibration", c)
	if err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("walrus: %s: %w", path, err)
	}
	return c, nil
}

// adoptCalibration reads the calibration next to a weight file, if there is one. It leaves
// out one that does not fit and says so in the log.
func (e *Emulator) adoptCalibration(weights string) error {
	path := filepath.Join(filepath.Dir(weights), CalibrationFile)
	c, err := ReadCalibration(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err = c.fits(e); err == nil {
		err = c.has(e.opts.Level)
	}
	if err != nil {
		e.opts.Log.Warn("forecasts have no intervals", "calibration", path, "reason", err)
		return nil
	}
	e.opts.Calibration = c
	return nil
}

// has returns an error if the calibration lacks a level.
func (c *Calibration) has(level float64) error {
	if !slices.Contains(c.Levels, level) {
		return fmt.Errorf("level: expected one of the calibration's levels %v, got %v", c.Levels, level)
	}
	return nil
}

package picture

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// Options say what [Frames] and [Compare] draw. The zero value draws all channels,
// interpolated, with a title that only counts the frames.
type Options struct {
	// Title starts the title line; the frame and, if known, its time follow.
	Title string
	// Channels are the names of the channels to draw; nil means all variable channels. A
	// vector velocity has the channels velocity_x, velocity_y, …
	Channels []string
	// Scale is the pixels per value; 0 makes the longest side of a field about 192 pixels
	// in 2D and 128 in 3D.
	Scale int
	// Squares draws each value as a square instead of interpolating.
	Squares bool
}

// Frames returns one panel per frame of a window on a grid of two or three axes, with a
// row per channel. The colours of a channel mean the same in all frames: quantities with
// both signs get [CoolWarm] over a symmetric range, others [Viridis] over their extent.
//
// A 3D field is drawn as four pictures: the planes in the middle of the three axes, and
// the maximum-intensity projection along the last axis. The projection of a quantity with
// both signs, or of an error, is that of its magnitude. Axes of length 1 of a 3D grid do
// not count.
//
// It returns an error for a grid of one axis, for unknown channels, for frames of wrong
// length and for values that are not finite.
func Frames(w *data.Window, o Options) ([]Panel, error) {
	s, err := newSequence(w, o)
	if err != nil {
		return nil, err
	}
	return s.panels(func(c channel) []line {
		return []line{{"", w.Frames, c.colors(w.Frames)}}
	})
}

// Compare returns one panel per frame of truth with the forecast and the error (forecast -
// truth), in the colours of [Frames]. forecast has the frames, channels and grid of truth.
//
// Truth, forecast and error are the columns of a 2D field. They are rows of a 3D field,
// whose columns are the planes and the projection. The colours follow the truth. Errors
// get [CoolWarm] over a symmetric range as wide as the truth's, so that the colours show
// the size of the error relative to the signal.
//
// Compare returns the errors of [Frames], and one if forecast differs from truth in the
// number of frames or values.
func Compare(truth *data.Window, forecast [][]float32, o Options) ([]Panel, error) {
	s, err := newSequence(truth, o)
	if err != nil {
		return nil, err
	}
	if len(forecast) != len(truth.Frames) {
		return nil, fmt.Errorf("picture: forecast: expected one frame per frame of the truth (%d), got %d", len(truth.Frames), len(forecast))
	}
	diff := make([][]float32, len(forecast))
	for t, frame := range forecast {
		if err := s.check(t, frame); err != nil {
			return nil, fmt.Errorf("picture: forecast: %w", err)
		}
		diff[t] = minus(frame, truth.Frames[t])
	}
	return s.panels(func(c channel) []line {
		field := c.colors(truth.Frames)
		off := field
		if !field.magnitude {
			half := (field.r.Max - field.r.Min) / 2
			if extent := c.extent(truth.Frames); extent.Min == extent.Max { // it says nothing about the errors
				e := c.extent(diff)
				half = math.Max(-e.Min, e.Max)
			}
			off = both(half, half)
		}
		return []line{{"truth", truth.Frames, field}, {"forecast", forecast, field}, {"error", diff, off}}
	})
}

func minus(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

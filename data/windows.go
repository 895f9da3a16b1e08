package data

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
)

// Cut describes the windows of a trajectory: Input frames of history and Output frames to
// forecast, with a stride between successive frames.
type Cut struct {
	Input, Output int
	// MinStride and MaxStride bound the stride, which is drawn for each window. 0 means 1.
	MinStride, MaxStride int
}

// withDefaults returns the cut with its default strides filled in.
func (c Cut) withDefaults() Cut {
	c.MinStride = max(c.MinStride, 1)
	c.MaxStride = max(c.MaxStride, c.MinStride)
	return c
}

// maxCut bounds frames and strides of a cut, so that their products fit an int.
const maxCut = 1 << 30

// Validate checks that the cut has input and output frames and that MinStride does not
// exceed MaxStride.
func (c Cut) Validate() error {
	if c.Input < 1 || c.Output < 1 {
		return fmt.Errorf("data: cut: expected at least one input and one output frame, got %d and %d", c.Input, c.Output)
	}
	if largest := max(c.Input, c.Output, c.MinStride, c.MaxStride); largest > maxCut {
		return fmt.Errorf("data: cut: expected frames and strides of at most 2^30, got %d", largest)
	}
	if c.MinStride < 0 || c.MaxStride < 0 || (c.MaxStride != 0 && c.MaxStride < c.MinStride) {
		return fmt.Errorf("data: cut: expected strides from 1 and in order, got %d to %d", c.MinStride, c.MaxStride)
	}
	return nil
}

// Frames returns the number of frames of a window.
func (c Cut) Frames() int { return c.Input + c.Output }

// Count returns the number of windows of a trajectory with the given number of frames: one
// for every frame at which a window with the smallest stride can start (docs/reference.md
// §11). A cut that [Cut.Validate] refuses has none.
func (c Cut) Count(steps int) int {
	if c.Validate() != nil {
		return 0
	}
	c = c.withDefaults()
	return max(0, max(steps, 0)-c.MinStride*(c.Frames()-1))
}

// StrideRange returns the smallest and largest stride of windows that start at a frame. It
// returns 0, 0 for a cut that [Cut.Validate] refuses and for frames that the trajectory does
// not have.
func (c Cut) StrideRange(steps, start int) (lo, hi int) {
	if c.Validate() != nil || start < 0 || start >= steps {
		return 0, 0
	}
	c = c.withDefaults()
	return c.MinStride, max(c.MinStride, min(c.MaxStride, (steps-start-1)/(c.Frames()-1)))
}

// Stride draws a stride uniformly from StrideRange. If only one stride fits, it draws no
// random number.
func (c Cut) Stride(rng *rand.Rand, steps, start int) int {
	lo, hi := c.StrideRange(steps, start)
	if lo == hi {
		return lo
	}
	return lo + rng.IntN(hi-lo+1)
}

// errNoDataset is the error of functions that need a data set.
var errNoDataset = errors.New("data: expected a data set, got nil")

// Windows numbers the windows of a data set by trajectory, then by first frame.
type Windows struct {
	ds  Dataset
	cut Cut
	n   int   // number of windows
	per int   // windows per trajectory, if it is the same for all
	end []int // otherwise: number of windows of trajectories 0 to i
}

// NewWindows numbers the windows of a data set. As in the release, a trajectory that is too
// short for one window is an error.
func NewWindows(ds Dataset, cut Cut) (*Windows, error) {
	if err := cut.Validate(); err != nil {
		return nil, err
	}
	if ds == nil {
		return nil, errNoDataset
	}
	w := &Windows{ds: ds, cut: cut.withDefaults()}
	same := true
	for _, t := range ds.Trajectories() {
		n := cut.Count(t.Steps)
		if n == 0 {
			return nil, fmt.Errorf("data: %s: trajectory %d has %d frames: expected at least %d for windows of %d+%d frames at stride %d",
				t.File, t.Index, t.Steps, w.cut.MinStride*(cut.Frames()-1)+1, cut.Input, cut.Output, w.cut.MinStride)
		}
		same = same && (w.per == 0 || n == w.per)
		w.n, w.per = w.n+n, n
	}
	if w.n == 0 {
		return nil, fmt.Errorf("data: data set %s: expected at least one trajectory, got none", ds.Metadata().Name)
	}
	if !same {
		w.number()
	}
	return w, nil
}

// number sets end, for trajectories of different lengths.
func (w *Windows) number() {
	w.per = 0
	total := 0
	for _, t := range w.ds.Trajectories() {
		total += w.cut.Count(t.Steps)
		w.end = append(w.end, total)
	}
}

// Dataset returns the data set.
func (w *Windows) Dataset() Dataset { return w.ds }

// Cut returns the cut with its default strides filled in.
func (w *Windows) Cut() Cut { return w.cut }

// Len returns the number of windows.
func (w *Windows) Len() int { return w.n }

// Span returns window i at the given stride, 0 ≤ i < Len. For another i it returns the zero
// Span, which data sets refuse to read.
func (w *Windows) Span(i, stride int) Span {
	if i < 0 || i >= w.n {
		return Span{}
	}
	trajectory, start := w.locate(i)
	return Span{Trajectory: trajectory, Start: start, Stride: stride, Frames: w.cut.Frames()}
}

// Draw returns window i at a random stride, as [Windows.Span] does.
func (w *Windows) Draw(rng *rand.Rand, i int) Span {
	if i < 0 || i >= w.n {
		return Span{}
	}
	trajectory, start := w.locate(i)
	return w.Span(i, w.cut.Stride(rng, w.ds.Trajectories()[trajectory].Steps, start))
}

func (w *Windows) locate(i int) (trajectory, start int) {
	if w.per > 0 {
		return i / w.per, i % w.per
	}
	trajectory = sort.SearchInts(w.end, i+1)
	first, _ := w.windowsOf(trajectory)
	return trajectory, i - first
}

// windowsOf returns the index of a trajectory's first window and the number of its windows.
func (w *Windows) windowsOf(trajectory int) (first, n int) {
	if w.per > 0 {
		return trajectory * w.per, w.per
	}
	if trajectory > 0 {
		first = w.end[trajectory-1]
	}
	return first, w.end[trajectory] - first
}

// Horizon describes the forecasts of whole trajectories (docs/reference.md §10).
type Horizon struct {
	// Input is the number of frames of history and Stride the distance between frames. A
	// Stride of 0 means 1.
	Input, Stride int
	// Start, if positive, is the first frame to forecast; the history precedes it.
	// Otherwise the history starts at frame 0.
	Start int
	// MaxOutput bounds the number of frames to forecast. 0 means 100, as in The Well.
	MaxOutput int
}

// FullTrajectories returns one span per trajectory: Input frames of history, followed by
// the frames to forecast, as many as the shortest trajectory has.
func FullTrajectories(ds Dataset, h Horizon) ([]Span, error) {
	h.Stride = max(h.Stride, 1)
	h.MaxOutput = cmp.Or(h.MaxOutput, 100)
	if ds == nil {
		return nil, errNoDataset
	}
	if largest := max(h.Input, h.Stride, h.Start, h.MaxOutput); largest > maxCut {
		return nil, fmt.Errorf("data: horizon: expected frames and strides of at most 2^30, got %d", largest)
	}
	list := ds.Trajectories()
	if len(list) == 0 {
		return nil, fmt.Errorf("data: data set %s: expected at least one trajectory, got none", ds.Metadata().Name)
	}
	shortest := list[0]
	for _, t := range list {
		if t.Steps < shortest.Steps {
			shortest = t
		}
	}
	history := h.Input * h.Stride
	output := min((shortest.Steps-max(history, h.Start))/h.Stride, h.MaxOutput)
	start := 0
	if h.Start > 0 {
		start = h.Start - history
	}
	if h.Input < 1 || start < 0 || output < 1 {
		return nil, fmt.Errorf("data: %s: trajectory %d has %d frames: cannot take %d frames of history at stride %d before frame %d and one to forecast",
			shortest.File, shortest.Index, shortest.Steps, h.Input, h.Stride, max(h.Start, history))
	}
	spans := make([]Span, len(list))
	for i := range list {
		spans[i] = Span{Trajectory: i, Start: start, Stride: h.Stride, Frames: h.Input + output}
	}
	return spans, nil
}

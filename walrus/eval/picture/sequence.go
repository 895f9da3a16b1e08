package picture

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// sequence is the frames of a window with their pictures.
type sequence struct {
	o        Options
	views    []view
	channels []channel
	frames   int
	size     int // values of a frame
	times    []float32
}

// channel is one channel of a sequence.
type channel struct {
	name string
	from int // first value in a frame
	n    int // values
	view []view
}

// line is a channel of one kind of frames (truth, forecast or error) with its colours.
type line struct {
	name   string
	frames [][]float32
	colors
}

func newSequence(w *data.Window, o Options) (*sequence, error) {
	if w == nil {
		return nil, errors.New("picture: expected a window, got nil")
	}
	if err := w.ValidateLengths(); err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	if o.Scale < 0 {
		return nil, fmt.Errorf("picture: expected a scale of at least 0, got %d", o.Scale)
	}
	grid, axes := []int{}, []string{}
	for k, n := range w.Grid {
		if n > 1 || len(w.Grid) < 3 {
			grid, axes = append(grid, n), append(axes, w.AxisNames()[k])
		}
	}
	if len(grid) < 2 || slices.Max(grid) > maxPixels {
		return nil, fmt.Errorf("picture: window %q: expected a grid of two or three axes of at most %d points, got %v", w.Name, maxPixels, w.Grid)
	}
	if len(w.Frames) == 0 {
		return nil, fmt.Errorf("picture: window %q: expected frames, got none", w.Name)
	}
	names := w.Channels(false)
	s := &sequence{o: o, views: views(grid, axes), frames: len(w.Frames), size: len(names) * w.Points()}
	if len(w.Times) == len(w.Frames) {
		s.times = w.Times
	}
	wanted := o.Channels
	if wanted == nil {
		wanted = names
	}
	for _, name := range wanted {
		i := slices.Index(names, name)
		if i < 0 {
			return nil, fmt.Errorf("picture: window %q: expected channels among %q, got %q", w.Name, names, name)
		}
		s.channels = append(s.channels, channel{name, i * w.Points(), w.Points(), s.views})
	}
	if len(s.channels) == 0 {
		return nil, fmt.Errorf("picture: window %q: expected at least one channel to draw, got none", w.Name)
	}
	for t, frame := range w.Frames {
		if err := s.check(t, frame); err != nil {
			return nil, fmt.Errorf("picture: window %q: %w", w.Name, err)
		}
	}
	return s, nil
}

// check returns an error unless the values of a frame can be drawn.
func (s *sequence) check(t int, frame []float32) error {
	if len(frame) != s.size {
		return fmt.Errorf("frame %d: expected %d values, got %d", t, s.size, len(frame))
	}
	for _, c := range s.channels {
		for i, v := range c.of(frame) {
			if err := finite(float64(v), i); err != nil {
				return fmt.Errorf("frame %d: channel %s: %w", t, c.name, err)
			}
		}
	}
	return nil
}

// panels returns one panel per frame with the lines of each channel: side by side in 2D,
// one below the other in 3D.
func (s *sequence) panels(lines func(channel) []line) ([]Panel, error) {
	out := make([]Panel, s.frames)
	for t := range out {
		out[t] = Panel{Title: s.title(t), Scale: s.scale(), Smooth: !s.o.Squares}
	}
	for _, c := range s.channels {
		kinds := lines(c)
		for t := range out {
			p := &out[t]
			row := Row{Label: c.name}
			for _, k := range kinds {
				cells := c.cells(k, t)
				if len(s.views) == 1 {
					cells[0].Bar = k.name != "truth" // the forecast's bar is the truth's
					row.Cells = append(row.Cells, cells...)
					continue
				}
				cells[len(cells)-1].Bar = true
				cells[len(cells)-2].Bar = k.magnitude // whose projection has other colours
				p.Rows = append(p.Rows, Row{Label: join(k.name, c.name), Cells: cells})
			}
			if len(s.views) == 1 {
				p.Rows = append(p.Rows, row)
			}
			p.Columns = s.headings(kinds)
		}
	}
	return out, nil
}

// headings returns the names of the columns, which are lines in 2D and views in 3D.
func (s *sequence) headings(kinds []line) (out []string) {
	if len(s.views) > 1 {
		for _, v := range s.views {
			out = append(out, v.name)
		}
	} else if len(kinds) > 1 {
		for _, k := range kinds {
			out = append(out, k.name)
		}
	}
	return out
}

func join(kind, name string) string {
	if kind == "" {
		return name
	}
	return name + ", " + kind
}

func (s *sequence) scale() int {
	if s.o.Scale > 0 || len(s.views) == 1 {
		return s.o.Scale
	}
	longest := 1
	for _, v := range s.views {
		longest = max(longest, v.h, v.w)
	}
	return max(1, (128+longest/2)/longest)
}

func (s *sequence) title(t int) string {
	text := fmt.Sprintf("step %d of %d", t+1, s.frames)
	if len(s.times) > 0 {
		text += fmt.Sprintf(", t = %.3g", s.times[t])
	}
	if s.o.Title != "" {
		text = s.o.Title + ": " + text
	}
	return text
}

// of returns the values of the channel in a frame.
func (c channel) of(frame []float32) []float32 { return frame[c.from : c.from+c.n] }

// cells returns the pictures of a line at one step.
func (c channel) cells(l line, t int) (out []Cell) {
	for _, v := range c.view {
		cell := Cell{Values: v.of(c.of(l.frames[t]), l.magnitude), H: v.h, W: v.w, Map: l.m, Range: l.r}
		if v.projects {
			cell.Map, cell.Range = l.projected, l.projectedR
		}
		out = append(out, cell)
	}
	return out
}

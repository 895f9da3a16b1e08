package report

import (
	"fmt"
	"image"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// Chart is a line chart. picture.PNG writes it to a file.
type Chart struct {
	Title, XLabel, YLabel string
	Lines                 []Line
	// LogX and LogY make an axis logarithmic; its values must be positive.
	LogX, LogY bool
	// Width and Height in pixels; 0 means 640 and 400.
	Width, Height int
}

// Line is one curve of a chart or one series of bars.
type Line struct {
	Name string
	// X holds the position of each value; nil means 1, 2, 3, … Bars have no positions.
	X      []float64
	Values []float64
}

// Curves returns the chart of the error over the steps of a horizon, one line per name.
// Forecasters whose error is 0 or not finite at some step are omitted, because the axis
// is logarithmic. A name without a curve is an error.
func Curves(h *eval.HorizonResult, forecasters []string) (Chart, error) {
	c := Chart{Title: "error of the forecast", XLabel: "step", YLabel: "VRMSE", LogY: true}
	if h == nil {
		return c, fmt.Errorf("report: curves: expected the result of a horizon, got nil")
	}
	for _, name := range forecasters {
		values, ok := h.Curves[name]
		if !ok {
			return c, fmt.Errorf("report: curves of steps %v: expected one of %q, got none", h.Horizon, name)
		}
		l := Line{Name: name, Values: values}
		drawable := true
		for i, v := range values {
			l.X = append(l.X, float64(h.Horizon.From+i))
			drawable = drawable && checkValue(v, true) == nil
		}
		if drawable {
			c.Lines = append(c.Lines, l)
		}
	}
	return c, nil
}

// Image draws the chart. It returns an error for a chart without values, for values that
// are not finite (or beyond 1e99) or, on a logarithmic axis, not positive, for more than
// six lines, for lines whose lengths of X and Values differ, and for a size below 240 x 160.
func (c Chart) Image() (*image.RGBA, error) {
	if c.Width == 0 {
		c.Width = 640
	}
	if c.Height == 0 {
		c.Height = 400
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("report: chart %q: %w", c.Title, err)
	}
	p := newPlot(c.Title, c.XLabel, c.YLabel)
	p.Add(grid(true))
	var keys []key
	var xs, ys []float64
	most := 0
	for k, l := range c.Lines {
		points := l.points()
		for _, at := range points {
			xs, ys = append(xs, at.X), append(ys, at.Y)
		}
		most = max(most, len(points))
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("report: chart %q: line %q: %w", c.Title, l.Name, err)
		}
		line.Color, line.Width = lineColors[k], vg.Points(1.5)
		dots.Color, dots.Radius, dots.Shape = lineColors[k], vg.Points(2.5), shapes[k]
		p.Add(line)
		if len(points) <= mostDots {
			p.Add(dots)
			keys = append(keys, key{l.Name, []plot.Thumbnailer{line, dots}})
		} else {
			keys = append(keys, key{l.Name, []plot.Thumbnailer{line}})
		}
	}
	if c.LogX {
		logarithmic(&p.X, xs)
	} else {
		steps(&p.X, xs)
	}
	if c.LogY {
		logarithmic(&p.Y, ys)
	} else {
		fromZero(&p.Y, ys)
	}
	return render(p, keys, c.Width, c.Height)
}

// mostDots is the largest number of values of a line that are marked by dots.
const mostDots = 40

// points returns the positions and values of a line.
func (l Line) points() plotter.XYs {
	out := make(plotter.XYs, len(l.Values))
	for i, v := range l.Values {
		out[i] = plotter.XY{X: float64(i + 1), Y: v}
		if l.X != nil {
			out[i].X = l.X[i]
		}
	}
	return out
}

func (c Chart) check() error {
	if c.Width < 240 || c.Height < 160 || c.Width > maxPixels || c.Height > maxPixels {
		return fmt.Errorf("expected a size from 240 x 160 to %d x %[1]d, got %d x %d", maxPixels, c.Width, c.Height)
	}
	if len(c.Lines) > len(lineColors) {
		return fmt.Errorf("expected at most %d lines, got %d", len(lineColors), len(c.Lines))
	}
	n := 0
	for _, l := range c.Lines {
		if l.X != nil && len(l.X) != len(l.Values) {
			return fmt.Errorf("line %q: expected one position per value (%d), got %d", l.Name, len(l.Values), len(l.X))
		}
		for i, at := range l.points() {
			if err := checkValue(at.X, c.LogX); err != nil {
				return fmt.Errorf("line %q: position of value %d: %w", l.Name, i+1, err)
			}
			if err := checkValue(at.Y, c.LogY); err != nil {
				return fmt.Errorf("line %q: value %d: %w", l.Name, i+1, err)
			}
		}
		n += len(l.Values)
	}
	if n == 0 {
		return fmt.Errorf("expected at least one value, got none")
	}
	return nil
}

// checkValue returns an error unless an axis can show the value.
func checkValue(v float64, log bool) error {
	if log && v <= 0 {
		return fmt.Errorf("expected a positive value on a logarithmic axis, got %v", v)
	}
	if a := math.Abs(v); v != 0 && !(a >= 1e-99 && a <= 1e99) {
		return fmt.Errorf("expected a finite value of moderate size (1e-99 to 1e99), got %v", v)
	}
	return nil
}

// shapes mark the values of the lines, so that they differ without colour, too.
var shapes = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.CrossGlyph{}}

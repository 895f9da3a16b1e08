package report

import (
	"fmt"
	"image"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bars is a chart of horizontal bars: for every name one bar per series, with its
// value at the end. picture.PNG writes it to a file.
type Bars struct {
	Title, XLabel string
	// Names are written at the left, from top to bottom.
	Names []string
	// Series hold one value of at least 0 per name, in at most six colours. Their names
	// form the legend.
	Series []Line
	// Width in pixels; 0 means 640. The height follows from the number of bars.
	Width int
}

// Distances of bars.
const (
	barThick   = vg.Length(12)
	barsApart  = vg.Length(2)  // within a name
	namesApart = vg.Length(12) // between names
)

// Image draws the chart. It returns an error without values, for values that are
// negative or not finite, for series whose length differs from that of the names, and
// for a width below 240.
func (b Bars) Image() (*image.RGBA, error) {
	if b.Width == 0 {
		b.Width = 640
	}
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("report: bars %q: %w", b.Title, err)
	}
	p := newPlot(b.Title, b.XLabel, "")
	g := grid(false)
	g.Vertical = g.Horizontal
	g.Horizontal.Color = nil
	p.Add(g)
	var keys []key
	var all []float64
	n := vg.Length(len(b.Series))
	for k, s := range b.Series {
		values := slices.Clone(s.Values)
		slices.Reverse(values) // the axis runs upwards
		all = append(all, values...)
		bars, err := plotter.NewBarChart(plotter.Values(values), barThick)
		if err != nil {
			return nil, fmt.Errorf("report: bars %q: series %q: %w", b.Title, s.Name, err)
		}
		bars.Horizontal, bars.Color, bars.LineStyle.Width = true, lineColors[k], 0
		bars.Offset = ((n-1)/2 - vg.Length(k)) * (barThick + barsApart)
		ends := plotter.XYLabels{}
		for i, v := range values {
			ends.XYs = append(ends.XYs, plotter.XY{X: v, Y: float64(i)})
			ends.Labels = append(ends.Labels, strconv.FormatFloat(v, 'f', 1, 64))
		}
		labels, err := plotter.NewLabels(ends)
		if err != nil {
			return nil, fmt.Errorf("report: bars %q: series %q: %w", b.Title, s.Name, err)
		}
		labels.Offset = vg.Point{X: 4, Y: bars.Offset}
		for i := range labels.TextStyle {
			labels.TextStyle[i] = style(smallType)
			labels.TextStyle[i].YAlign = draw.YCenter
		}
		p.Add(bars, labels)
		keys = append(keys, key{s.Name, []plot.Thumbnailer{bars}})
	}
	names := slices.Clone(b.Names)
	slices.Reverse(names)
	fromZero(&p.X, all)
	p.NominalY(names...)
	p.X.Padding, p.Y.Padding = 2, 2
	p.Y.Min, p.Y.Max = -0.5, float64(len(names))-0.5
	p.Y.Tick.Label.YAlign = draw.YCenter
	return render(p, keys, b.Width, b.height(keys))
}

// height returns the height in pixels.
func (b Bars) height(keys []key) int {
	h := b.groupHeight() * vg.Length(len(b.Names))
	return int((h + 40 + headHeight(b.Title, b.XLabel, keys)) / pixel)
}

// groupHeight returns the height of the bars of one name and the space around them.
func (b Bars) groupHeight() vg.Length {
	return vg.Length(len(b.Series))*(barThick+barsApart) - barsApart + namesApart
}

func (b Bars) check() error {
	if len(b.Names) == 0 || len(b.Series) == 0 {
		return fmt.Errorf("expected names and series, got %d and %d", len(b.Names), len(b.Series))
	}
	if len(b.Series) > len(lineColors) {
		return fmt.Errorf("expected at most %d series, got %d", len(lineColors), len(b.Series))
	}
	if b.Width < 240 || b.Width > maxPixels || len(b.Names) > int(maxPixels*pixel/b.groupHeight())-5 {
		return fmt.Errorf("expected 240 to %d pixels of width and at most %[1]d of height, got a width of %d and %d names", maxPixels, b.Width, len(b.Names))
	}
	for _, s := range b.Series {
		if len(s.Values) != len(b.Names) || s.X != nil {
			return fmt.Errorf("series %q: expected %d values, one per name, and no positions, got %d and %d", s.Name, len(b.Names), len(s.Values), len(s.X))
		}
		for i, v := range s.Values {
			if !(v >= 0 && v <= 1e99) {
				return fmt.Errorf("series %q: %q: expected a finite value of at least 0, got %v", s.Name, b.Names[i], v)
			}
		}
	}
	return nil
}

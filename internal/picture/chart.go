package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// Chart is a line chart of one value per step; the first value of a line is
// at step 1.
type Chart struct {
	Title, XLabel, YLabel string
	Lines                 []Line
	// LogY draws the values on a logarithmic axis; they must be positive.
	LogY bool
	// Width and Height in pixels; 0 means 640 and 400.
	Width, Height int
}

// Line is one curve of a chart. Curves may differ in length.
type Line struct {
	Name   string
	Values []float64
}

// lineColors are the colours of Okabe and Ito ("Color Universal Design", 2008), which
// people with any colour vision can distinguish, without yellow and the lightest blue.
var lineColors = []color.RGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255}, {0, 0, 0, 255},
}

// Image draws the chart. It returns an error for a chart without values, for values
// that are not finite (or beyond 1e99) or, with LogY, not positive, for more than six
// lines and for a size below 240 x 160.
func (c Chart) Image() (*image.RGBA, error) {
	if c.Width == 0 {
		c.Width = 640
	}
	if c.Height == 0 {
		c.Height = 400
	}
	x, y, err := c.axes()
	if err != nil {
		return nil, fmt.Errorf("picture: chart %q: %w", c.Title, err)
	}
	img := image.NewRGBA(image.Rect(0, 0, c.Width, c.Height))
	fill(img, img.Rect, white)
	plot := c.plotArea(y)
	c.drawGrid(img, plot, x, y)
	for k, l := range c.Lines {
		c.drawLine(img, plot, x, y, l, lineColors[k])
	}
	frame(img, plot, faint)
	c.drawTexts(img, plot)
	return img, nil
}

func (c Chart) axes() (x, y axis, err error) {
	if c.Width < 240 || c.Height < 160 || c.Width > maxPixels || c.Height > maxPixels {
		return x, y, fmt.Errorf("expected a size from 240 x 160 to %d x %[1]d, got %d x %d", maxPixels, c.Width, c.Height)
	}
	if len(c.Lines) > len(lineColors) {
		return x, y, fmt.Errorf("expected at most %d lines, got %d", len(lineColors), len(c.Lines))
	}
	var all []float64
	longest := 0
	for _, l := range c.Lines {
		for i, v := range l.Values {
			if err := c.drawable(v); err != nil {
				return x, y, fmt.Errorf("line %q: step %d: %w", l.Name, i+1, err)
			}
		}
		all = append(all, l.Values...)
		longest = max(longest, len(l.Values))
	}
	if len(all) == 0 {
		return x, y, fmt.Errorf("expected at least one value, got none")
	}
	x = stepAxis(longest)
	if c.LogY {
		return x, logAxis(all), nil
	}
	return x, linearAxis(all), nil
}

// drawable returns an error unless the axis can show the value.
func (c Chart) drawable(v float64) error {
	if c.LogY && v <= 0 {
		return fmt.Errorf("expected a positive value on a logarithmic axis, got %v", v)
	}
	if a := math.Abs(v); v != 0 && !(a >= 1e-99 && a <= 1e99) {
		return fmt.Errorf("expected a finite value of moderate size (1e-99 to 1e99), got %v", v)
	}
	return nil
}

// plotArea leaves room for the texts around the curves.
func (c Chart) plotArea(y axis) image.Rectangle {
	left, top, bottom := margin+y.widest()+6, margin, margin+glyphHeight+6
	if c.YLabel != "" {
		left += glyphHeight + 6
	}
	if c.Title != "" {
		top += glyphHeight + 8
	}
	if c.legend() {
		top += glyphHeight + 8
	}
	if c.XLabel != "" {
		bottom += glyphHeight + 4
	}
	return image.Rect(left, top, c.Width-margin-4, c.Height-bottom)
}

func (c Chart) legend() bool {
	for _, l := range c.Lines {
		if l.Name != "" {
			return true
		}
	}
	return false
}

// drawGrid draws grid lines, ticks and their numbers.
func (c Chart) drawGrid(img *image.RGBA, plot image.Rectangle, x, y axis) {
	for _, t := range y.ticks {
		py := pixel(y.place(t.at), plot.Max.Y-1, plot.Min.Y)
		fill(img, image.Rect(plot.Min.X, py, plot.Max.X, py+1), rule)
		drawText(img, plot.Min.X-6-textWidth(t.label), py-glyphHeight/2, t.label, faint)
	}
	for _, t := range x.ticks {
		px := pixel(x.place(t.at), plot.Min.X, plot.Max.X-1)
		fill(img, image.Rect(px, plot.Max.Y, px+1, plot.Max.Y+4), faint)
		drawText(img, px-textWidth(t.label)/2, plot.Max.Y+6, t.label, faint)
	}
}

// drawLine draws a curve with a dot at every value.
func (c Chart) drawLine(img *image.RGBA, plot image.Rectangle, x, y axis, l Line, col color.RGBA) {
	pts := make([]point, len(l.Values))
	for i, v := range l.Values {
		pts[i] = point{
			x: between(x.place(float64(i+1)), plot.Min.X, plot.Max.X-1),
			y: between(y.place(v), plot.Max.Y-1, plot.Min.Y),
		}
	}
	stroke(img, pts, 2, col)
	for _, p := range pts {
		stroke(img, []point{p}, 6, col)
	}
}

// drawTexts writes title, legend and the names of the axes.
func (c Chart) drawTexts(img *image.RGBA, plot image.Rectangle) {
	y := margin
	if c.Title != "" {
		drawText(img, plot.Min.X, y, clip(c.Title, c.Width-margin-plot.Min.X), ink)
		y += glyphHeight + 8
	}
	x := plot.Min.X
	for k, l := range c.Lines {
		if l.Name == "" {
			continue
		}
		stroke(img, []point{{float64(x + 2), float64(y + 6)}, {float64(x + 20), float64(y + 6)}}, 2, lineColors[k])
		stroke(img, []point{{float64(x + 11), float64(y + 6)}}, 6, lineColors[k])
		drawText(img, x+26, y, l.Name, ink)
		x += 26 + textWidth(l.Name) + 18
	}
	if c.XLabel != "" {
		drawText(img, (plot.Min.X+plot.Max.X-textWidth(c.XLabel))/2, c.Height-margin-glyphHeight, c.XLabel, ink)
	}
	if c.YLabel != "" {
		drawTextUp(img, margin, (plot.Min.Y+plot.Max.Y)/2, clip(c.YLabel, plot.Dy()), ink)
	}
}

package picture

import (
	"fmt"
	"image"
	"math"
)

// Bars is a chart of horizontal bars: for every name one bar per series, with its
// value at the end.
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

// Distances of bars in pixels.
const (
	barThick   = 16
	barsApart  = 2  // within a name
	namesApart = 14 // between names
)

// Image draws the chart. It returns an error without values, for values that are
// negative or not finite, for series whose length differs from that of the names, and
// if there is no room.
func (b Bars) Image() (*image.RGBA, error) {
	if b.Width == 0 {
		b.Width = 640
	}
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("picture: bars %q: %w", b.Title, err)
	}
	var all []float64
	for _, s := range b.Series {
		all = append(all, s.Values...)
	}
	x := linearAxis(all)
	plot := b.plotArea()
	if plot.Dx() < 100 {
		return nil, fmt.Errorf("picture: bars %q: expected more than %d pixels of width, got %d", b.Title, b.Width-plot.Dx()+100, b.Width)
	}
	img := image.NewRGBA(image.Rect(0, 0, b.Width, plot.Max.Y+b.bottom()))
	fill(img, img.Rect, white)
	for _, t := range x.ticks {
		px := pixel(x.place(t.at), plot.Min.X, plot.Max.X)
		fill(img, image.Rect(px, plot.Min.Y, px+1, plot.Max.Y), rule)
		drawText(img, px-textWidth(t.label)/2, plot.Max.Y+5, t.label, faint)
	}
	for i := range b.Names {
		b.drawGroup(img, plot, x, i)
	}
	fill(img, image.Rect(plot.Min.X, plot.Min.Y, plot.Min.X+1, plot.Max.Y), faint)
	b.drawTexts(img, plot)
	return img, nil
}

func (b Bars) check() error {
	if len(b.Names) == 0 || len(b.Series) == 0 {
		return fmt.Errorf("expected names and series, got %d and %d", len(b.Names), len(b.Series))
	}
	if len(b.Series) > len(lineColors) {
		return fmt.Errorf("expected at most %d series, got %d", len(lineColors), len(b.Series))
	}
	if b.Width > maxPixels || len(b.Names)*b.groupHeight() > maxPixels-200 {
		return fmt.Errorf("expected at most %d pixels, got a width of %d and %d names", maxPixels, b.Width, len(b.Names))
	}
	for _, s := range b.Series {
		if len(s.Values) != len(b.Names) {
			return fmt.Errorf("series %q: expected %d values, one per name, got %d", s.Name, len(b.Names), len(s.Values))
		}
		for i, v := range s.Values {
			if !(v >= 0 && v <= 1e99) {
				return fmt.Errorf("series %q: %q: expected a finite value of at least 0, got %v", s.Name, b.Names[i], v)
			}
		}
	}
	return nil
}

// groupHeight returns the height of the bars of one name and the space after them.
func (b Bars) groupHeight() int {
	return len(b.Series)*(barThick+barsApart) - barsApart + namesApart
}

// plotArea leaves room for names at the left and values at the right.
func (b Bars) plotArea() image.Rectangle {
	left, top := 0, margin
	for _, n := range b.Names {
		left = max(left, textWidth(n))
	}
	if b.Title != "" {
		top += glyphHeight + 8
	}
	if b.legend() {
		top += glyphHeight + 8
	}
	return image.Rect(margin+left+8, top, b.Width-margin-numberWidth, top+len(b.Names)*b.groupHeight()+namesApart)
}

// bottom returns the height of the room below the bars.
func (b Bars) bottom() int {
	if b.XLabel == "" {
		return margin + glyphHeight + 6
	}
	return margin + 2*glyphHeight + 10
}

func (b Bars) legend() bool {
	for _, s := range b.Series {
		if s.Name != "" {
			return true
		}
	}
	return false
}

// bar returns the rectangle of a value.
func (b Bars) bar(plot image.Rectangle, x axis, i, k int) image.Rectangle {
	y := plot.Min.Y + namesApart + i*b.groupHeight() + k*(barThick+barsApart)
	return image.Rect(plot.Min.X, y, pixel(x.place(b.Series[k].Values[i]), plot.Min.X, plot.Max.X), y+barThick)
}

// drawGroup draws the bars of one name with their values.
func (b Bars) drawGroup(img *image.RGBA, plot image.Rectangle, x axis, i int) {
	for k, s := range b.Series {
		r := b.bar(plot, x, i, k)
		fill(img, r, lineColors[k])
		drawText(img, r.Max.X+5, r.Min.Y+(barThick-glyphHeight)/2, number(math.Round(s.Values[i]*10)/10), ink)
	}
	first, last := b.bar(plot, x, i, 0), b.bar(plot, x, i, len(b.Series)-1)
	drawText(img, plot.Min.X-8-textWidth(b.Names[i]), (first.Min.Y+last.Max.Y-glyphHeight)/2, b.Names[i], ink)
}

// drawTexts writes title, legend and the name of the axis.
func (b Bars) drawTexts(img *image.RGBA, plot image.Rectangle) {
	y := margin
	if b.Title != "" {
		drawText(img, margin, y, clip(b.Title, b.Width-2*margin), ink)
		y += glyphHeight + 8
	}
	x := plot.Min.X
	for k, s := range b.Series {
		if s.Name == "" {
			continue
		}
		fill(img, image.Rect(x, y+1, x+12, y+12), lineColors[k])
		drawText(img, x+18, y, s.Name, ink)
		x += 18 + textWidth(s.Name) + 18
	}
	if b.XLabel != "" {
		drawText(img, (plot.Min.X+plot.Max.X-textWidth(b.XLabel))/2, plot.Max.Y+glyphHeight+9, b.XLabel, ink)
	}
}

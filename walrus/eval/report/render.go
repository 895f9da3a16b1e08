package report

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Measures of charts in points.
const (
	pixel     = 72.0 / vgimg.DefaultDPI
	border    = vg.Length(9)
	titleType = vg.Length(12)
	textType  = vg.Length(10.5)
	smallType = vg.Length(9.5)
	keyHeight = vg.Length(16) // of a row of the legend
)

// maxPixels bounds the width and the height of a chart.
const maxPixels = 8192

// lineColors are the colours of Okabe and Ito ("Color Universal Design", 2008), which
// people with any colour vision can distinguish, without yellow and the lightest blue.
var lineColors = []color.RGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255}, {0, 0, 0, 255},
}

var (
	ink   = color.RGBA{34, 34, 34, 255}
	faint = color.RGBA{119, 119, 119, 255}
	rule  = color.RGBA{221, 221, 221, 255}
)

// key is an entry of the legend.
type key struct {
	name   string
	thumbs []plot.Thumbnailer
}

// style returns the type of a size.
func style(size vg.Length) text.Style {
	return text.Style{Color: ink, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, Handler: plot.DefaultTextHandler}
}

// newPlot returns an empty plot in the style of all charts.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.Title.Padding = title, 4
	p.X.Label.Text, p.Y.Label.Text = x, y
	restyle(&p.Title.TextStyle, titleType)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		restyle(&a.Label.TextStyle, textType)
		restyle(&a.Tick.Label, smallType)
		a.Padding, a.Label.Padding = 0, 3
		a.Color, a.Tick.Color = faint, faint
		a.Tick.Length = 4
	}
	return p
}

// restyle changes font and colour of a style, but not its alignment.
func restyle(s *text.Style, size vg.Length) {
	n := style(size)
	s.Font, s.Color = n.Font, n.Color
}

// grid returns faint lines at the ticks, horizontal and, if both, vertical.
func grid(both bool) *plotter.Grid {
	g := plotter.NewGrid()
	g.Horizontal = draw.LineStyle{Color: rule, Width: pixel}
	if g.Vertical = g.Horizontal; !both {
		g.Vertical.Color = nil
	}
	return g
}

// render draws the plot with its title and legend above the axes.
func render(p *plot.Plot, keys []key, width, height int) (*image.RGBA, error) {
	canvas := vgimg.New(vg.Length(width)*pixel, vg.Length(height)*pixel)
	c := draw.Crop(draw.New(canvas), border, -border-6, border, -border)
	if p.Title.Text != "" {
		c.FillText(centred(p.Title.TextStyle), vg.Point{X: c.Center().X, Y: c.Max.Y}, p.Title.Text)
		c.Max.Y -= p.Title.TextStyle.Height(p.Title.Text) + 6
		p.Title.Text = ""
	}
	for _, row := range legendRows(keys, c.Max.X-c.Min.X) {
		drawKeys(c, row)
		c.Max.Y -= keyHeight
	}
	if len(keys) > 0 {
		c.Max.Y -= 6
	}
	p.Draw(nameAxes(p, c))
	img, ok := canvas.Image().(*image.RGBA)
	if !ok {
		return nil, fmt.Errorf("report: expected an RGBA image of the canvas, got %T", canvas.Image())
	}
	return img, nil
}

// nameAxes draws the names of the axes and returns the rest of the canvas. gonum/plot
// reserves room for a name as if a logarithmic axis were linear.
func nameAxes(p *plot.Plot, c draw.Canvas) draw.Canvas {
	x, y := p.X.Label, p.Y.Label
	p.X.Label.Text, p.Y.Label.Text = "", ""
	rest := c
	if x.Text != "" {
		rest.Min.Y += x.TextStyle.Height(x.Text) + x.Padding
	}
	if y.Text != "" {
		rest.Min.X += y.TextStyle.Height(y.Text) + y.Padding + 3
	}
	inside := p.DataCanvas(rest)
	middle := inside.Center()
	if x.Text != "" {
		style := centred(x.TextStyle)
		style.YAlign = draw.YBottom
		c.FillText(style, vg.Point{X: middle.X, Y: c.Min.Y}, x.Text)
	}
	if y.Text != "" {
		style := centred(y.TextStyle)
		style.Rotation = math.Pi / 2
		c.FillText(style, vg.Point{X: c.Min.X, Y: middle.Y}, y.Text)
	}
	return rest
}

func centred(s text.Style) text.Style {
	s.XAlign, s.YAlign = draw.XCenter, draw.YTop
	return s
}

// Widths in the legend in points.
const (
	thumbWidth = vg.Length(18)
	thumbGap   = vg.Length(5)
	keyGap     = vg.Length(16)
)

func (k key) width() vg.Length { return thumbWidth + thumbGap + style(smallType).Width(k.name) }

// legendRows breaks the legend into rows of at most the given width.
func legendRows(keys []key, width vg.Length) (rows [][]key) {
	used := vg.Length(0)
	for _, k := range keys {
		if k.name == "" {
			continue
		}
		if len(rows) == 0 || used+k.width() > width {
			rows, used = append(rows, nil), 0
		}
		last := len(rows) - 1
		rows[last], used = append(rows[last], k), used+k.width()+keyGap
	}
	return rows
}

// drawKeys draws one row of the legend at the top of the canvas, centred.
func drawKeys(c draw.Canvas, row []key) {
	width := -keyGap
	for _, k := range row {
		width += k.width() + keyGap
	}
	x, y := c.Center().X-width/2, c.Max.Y-keyHeight/2
	text := style(smallType)
	text.YAlign = draw.YCenter
	for _, k := range row {
		thumb := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: x, Y: y - 4}, Max: vg.Point{X: x + thumbWidth, Y: y + 4}}}
		for _, t := range k.thumbs {
			t.Thumbnail(&thumb)
		}
		c.FillText(text, vg.Point{X: x + thumbWidth + thumbGap, Y: y}, k.name)
		x += k.width() + keyGap
	}
}

// headHeight returns the height in points of title, legend of one row and label.
func headHeight(title, x string, keys []key) (h vg.Length) {
	if title != "" {
		h += titleType + 6
	}
	if len(legendRows(keys, vg.Length(maxPixels))) > 0 {
		h += keyHeight + 6
	}
	if x != "" {
		h += textType + 3
	}
	return h
}

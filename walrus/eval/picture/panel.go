package picture

import (
	"fmt"
	"image"
)

// Panel is a grid of fields.
type Panel struct {
	// Title is the line on top.
	Title string
	// H and W are the size of the fields: the lengths of the first axis, which is drawn to
	// the right, and of the second, which is drawn upwards. A cell may have its own size.
	H, W int
	// Columns holds one heading per column, or is empty.
	Columns []string
	// Rows all have one cell per column.
	Rows []Row
	// Scale is the pixels per value; 0 makes the longest side about 192 pixels.
	Scale int
	// Smooth interpolates between values instead of drawing squares.
	Smooth bool
}

// Row is one line of the grid.
type Row struct {
	// Label is written upwards at the left.
	Label string
	Cells []Cell
}

// Cell is one field with its colours.
type Cell struct {
	// Values has H*W entries, row major.
	Values []float32
	// H and W are the size of this field; 0 means the panel's.
	H, W int
	// Map is the colour map; the zero value means Viridis.
	Map ColorMap
	// Range is the range of the colours; the zero value means the extent of Values.
	Range Range
	// Bar draws a colour bar with numbers to the right of the cell. If few digits do not
	// tell its ends apart, the ends are written as distances from the middle, with a sign.
	Bar bool
}

// maxPixels bounds the width and the height of a picture.
const maxPixels = 8192

// Image draws the panel. It returns an error for an empty grid, for rows of different
// length, for cells that do not have H*W finite values and for ranges whose minimum is
// above the maximum; the error names row and column.
func (p Panel) Image() (*image.RGBA, error) {
	p, err := p.complete()
	if err != nil {
		return nil, err
	}
	t, err := newPen()
	if err != nil {
		return nil, fmt.Errorf("picture: panel %q: %w", p.Title, err)
	}
	l := p.layout(t)
	if l.width > maxPixels || l.height > maxPixels {
		return nil, fmt.Errorf("picture: panel %q: expected at most %d pixels a side, got %d x %d", p.Title, maxPixels, l.width, l.height)
	}
	t.dst = image.NewRGBA(image.Rect(0, 0, l.width, l.height))
	fill(t.dst, t.dst.Rect, white)
	p.draw(t, l)
	return t.dst, nil
}

// complete checks the panel and sets every default. The rows of the result are copies.
func (p Panel) complete() (Panel, error) {
	fail := func(format string, args ...any) (Panel, error) {
		return p, fmt.Errorf("picture: panel %q: %w", p.Title, fmt.Errorf(format, args...))
	}
	if p.Scale < 0 {
		return fail("expected a scale of at least 0, got %d", p.Scale)
	}
	if len(p.Rows) == 0 || len(p.Rows[0].Cells) == 0 {
		return fail("expected at least one row and one column, got none")
	}
	columns := len(p.Rows[0].Cells)
	if len(p.Columns) != 0 && len(p.Columns) != columns {
		return fail("expected %d headings, got %d", columns, len(p.Columns))
	}
	rows, longest := make([]Row, len(p.Rows)), 1
	for i, row := range p.Rows {
		if len(row.Cells) != columns {
			return fail("row %d: expected %d cells, got %d", i, columns, len(row.Cells))
		}
		rows[i] = Row{Label: row.Label, Cells: make([]Cell, columns)}
		for j, cell := range row.Cells {
			c, err := cell.complete(p.H, p.W)
			if err != nil {
				return fail("row %d, column %d: %w", i, j, err)
			}
			rows[i].Cells[j], longest = c, max(longest, c.H, c.W)
		}
	}
	if p.Scale == 0 {
		p.Scale = max(1, (192+longest/2)/longest)
	}
	if p.Scale > maxPixels {
		return fail("expected at most %d pixels per value, got %d", maxPixels, p.Scale)
	}
	p.Rows = rows
	return p, nil
}

// complete checks the cell and sets every default; h and w are the size of the panel.
func (c Cell) complete(h, w int) (Cell, error) {
	if c.H == 0 && c.W == 0 {
		c.H, c.W = h, w
	}
	if c.H < 1 || c.W < 1 || c.H > maxPixels || c.W > maxPixels {
		return c, fmt.Errorf("expected a field of 1 to %d values a side, got %d x %d", maxPixels, c.H, c.W)
	}
	if len(c.Values) != c.H*c.W {
		return c, fmt.Errorf("expected %d values, got %d", c.H*c.W, len(c.Values))
	}
	var err error
	c.Range, err = c.Range.orExtent(c.Values)
	return c, err
}

package picture

import "image"

// Distances in pixels.
const (
	margin  = 14
	gap     = 12  // between cells
	barGap  = 6   // between a cell and its bar
	barSize = 10  // width of a bar
	barText = 5   // between a bar and its numbers
	maxText = 160 // room for a heading or a label that is longer than its cells
)

// layout holds the positions of all parts.
type layout struct {
	width, height int
	titleY, headY int
	labelX        int
	colX, rowY    []int // upper left corners of the columns and rows
	colW, rowH    []int // room for the widest and the highest cell and for the texts
}

// layout computes positions from the shape of the grid and from headings and labels. The
// numbers at the bars get a fixed width and the title none, so that the frames of an
// animation have one size.
func (p Panel) layout(t pen) layout {
	l := layout{titleY: margin, labelX: margin}
	l.colW, l.rowH = make([]int, len(p.Rows[0].Cells)), make([]int, len(p.Rows))
	for j, head := range p.Columns {
		l.colW[j] = min(t.width(head), maxText)
	}
	for i, r := range p.Rows {
		l.rowH[i] = min(t.width(r.Label), maxText)
		for j, c := range r.Cells {
			l.colW[j], l.rowH[i] = max(l.colW[j], c.H*p.Scale), max(l.rowH[i], c.W*p.Scale)
			if c.Bar {
				l.rowH[i] = max(l.rowH[i], 2*lineHeight)
			}
		}
	}
	y := margin
	if p.Title != "" {
		y += lineHeight + 8
	}
	if l.headY = y; len(p.Columns) > 0 {
		y += lineHeight + 4
	}
	for _, height := range l.rowH {
		l.rowY = append(l.rowY, y+1)
		y += height + 2 + gap
	}
	l.height = y - gap + margin
	x := margin
	if p.labelled() {
		x += lineHeight + 6
	}
	for j, width := range l.colW {
		l.colX = append(l.colX, x+1)
		x += width + 2 + gap
		if p.barred(j) {
			x += barGap + barSize + 2 + barText + numberWidth
		}
	}
	l.width = x - gap + margin
	return l
}

func (p Panel) labelled() bool {
	for _, r := range p.Rows {
		if r.Label != "" {
			return true
		}
	}
	return false
}

// barred reports whether any cell of a column has a bar.
func (p Panel) barred(column int) bool {
	for _, r := range p.Rows {
		if r.Cells[column].Bar {
			return true
		}
	}
	return false
}

// draw paints a completed panel.
func (p Panel) draw(t pen, l layout) {
	img := t.dst
	t.text(margin, l.titleY, t.clip(p.Title, l.width-2*margin), ink)
	for j, head := range p.Columns {
		head = t.clip(head, l.colW[j])
		t.text(l.colX[j]+(l.colW[j]-t.width(head))/2, l.headY, head, faint)
	}
	for i, row := range p.Rows {
		t.textUp(l.labelX, l.rowY[i]+l.rowH[i]/2, t.clip(row.Label, l.rowH[i]), ink)
		for j, c := range row.Cells {
			r := l.cell(p, i, j)
			drawField(img, r.Min.X, r.Min.Y, c.Values, c.H, c.W, p.Scale, p.Smooth, c.Map, c.Range)
			frame(img, r, faint)
			if c.Bar {
				height := max(r.Dy(), 2*lineHeight)
				t.bar(l.colX[j]+l.colW[j]+1+barGap, (r.Min.Y+r.Max.Y-height)/2, height, c)
			}
		}
	}
}

// cell returns the place of a cell, in the middle of its column and row.
func (l layout) cell(p Panel, i, j int) image.Rectangle {
	c := p.Rows[i].Cells[j]
	w, h := c.H*p.Scale, c.W*p.Scale
	x, y := l.colX[j]+(l.colW[j]-w)/2, l.rowY[i]+(l.rowH[i]-h)/2
	return image.Rect(x, y, x+w, y+h)
}

// bar paints a colour bar with the numbers of its upper end, its middle and its lower end.
func (p pen) bar(x, y, height int, c Cell) {
	for k := range height {
		f := 1 - float64(k)/float64(max(1, height-1))
		fill(p.dst, image.Rect(x, y+k, x+barSize, y+k+1), c.Map.At(f))
	}
	frame(p.dst, image.Rect(x, y, x+barSize, y+height), faint)
	tx := x + barSize + 1 + barText
	top, middle, bottom := c.Range.labels()
	p.text(tx, y-2, top, faint)
	if height >= 4*lineHeight {
		p.text(tx, y+(height-lineHeight)/2, middle, faint)
	}
	p.text(tx, y+height-lineHeight+2, bottom, faint)
}

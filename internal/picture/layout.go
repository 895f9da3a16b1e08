package picture

import "image"

// Distances in pixels.
const (
	margin  = 14
	gap     = 12 // between cells
	barGap  = 6  // between a cell and its bar
	barSize = 10 // width of a bar
	barText = 5  // between a bar and its numbers
)

// layout holds the positions of all parts.
type layout struct {
	width, height int
	titleY, headY int
	labelX        int
	colX, rowY    []int // upper left corners of the cells
	cellW, cellH  int
}

// layout computes positions from the shape of the grid and the lengths of the texts.
// The numbers at the bars get a fixed width, so that the frames of an animation have
// one size.
func (p Panel) layout() layout {
	l := layout{cellW: p.H * p.Scale, cellH: p.W * p.Scale, titleY: margin, labelX: margin}
	y := margin
	if p.Title != "" {
		y += glyphHeight + 8
	}
	if l.headY = y; len(p.Columns) > 0 {
		y += glyphHeight + 4
	}
	for range p.Rows {
		l.rowY = append(l.rowY, y+1)
		y += l.cellH + 2 + gap
	}
	l.height = y - gap + margin
	x := margin
	if p.labelled() {
		x += glyphHeight + 6
	}
	for j := range p.Rows[0].Cells {
		l.colX = append(l.colX, x+1)
		x += l.cellW + 2 + gap
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
func (p Panel) draw(img *image.RGBA, l layout) {
	drawText(img, margin, l.titleY, clip(p.Title, l.width-2*margin), ink)
	for j, head := range p.Columns {
		head = clip(head, l.cellW)
		drawText(img, l.colX[j]+(l.cellW-textWidth(head))/2, l.headY, head, faint)
	}
	for i, row := range p.Rows {
		y := l.rowY[i]
		drawTextUp(img, l.labelX, y+l.cellH/2, clip(row.Label, l.cellH), ink)
		for j, c := range row.Cells {
			x := l.colX[j]
			drawField(img, x, y, c.Values, p.H, p.W, p.Scale, p.Smooth, c.Map, c.Range)
			frame(img, image.Rect(x, y, x+l.cellW, y+l.cellH), faint)
			if c.Bar {
				drawBar(img, x+l.cellW+1+barGap, y, l.cellH, c)
			}
		}
	}
}

// drawBar paints a colour bar of the cell's height with the numbers of its upper end,
// its middle and its lower end.
func drawBar(img *image.RGBA, x, y, height int, c Cell) {
	for k := range height {
		f := 1 - float64(k)/float64(max(1, height-1))
		fill(img, image.Rect(x, y+k, x+barSize, y+k+1), c.Map.At(f))
	}
	frame(img, image.Rect(x, y, x+barSize, y+height), faint)
	tx := x + barSize + 1 + barText
	drawText(img, tx, y-1, number(c.Range.Max), faint)
	if height >= 4*glyphHeight {
		drawText(img, tx, y+(height-glyphHeight)/2, number((c.Range.Min+c.Range.Max)/2), faint)
	}
	drawText(img, tx, y+height-glyphHeight+2, number(c.Range.Min), faint)
}

package picture

import (
	"image"
	"image/color"
	"math"
)

// point is a position in pixels; pixel (i, j) has its centre at (i, j).
type point struct{ x, y float64 }

// stroke draws a polyline of the given width with round ends and joins; a single point
// becomes a disc. The opacity of a pixel falls from one to zero over the last pixel of
// distance, and is the largest over all segments, so that joins are not painted twice.
func stroke(dst *image.RGBA, pts []point, width float64, c color.RGBA) {
	cover := map[image.Point]float64{}
	for i := range pts {
		a, b := pts[max(0, i-1)], pts[i]
		if i == 0 && len(pts) > 1 {
			continue
		}
		reach := width/2 + 1
		for y := int(math.Floor(min(a.y, b.y) - reach)); y <= int(math.Ceil(max(a.y, b.y)+reach)); y++ {
			for x := int(math.Floor(min(a.x, b.x) - reach)); x <= int(math.Ceil(max(a.x, b.x)+reach)); x++ {
				d := distance(point{float64(x), float64(y)}, a, b)
				share := math.Min(math.Max(width/2+0.5-d, 0), 1)
				if p := image.Pt(x, y); share > cover[p] && p.In(dst.Rect) {
					cover[p] = share
				}
			}
		}
	}
	for p, share := range cover {
		old := dst.RGBAAt(p.X, p.Y)
		mix := func(o, n uint8) uint8 { return uint8(math.Round(float64(o)*(1-share) + float64(n)*share)) }
		dst.SetRGBA(p.X, p.Y, color.RGBA{mix(old.R, c.R), mix(old.G, c.G), mix(old.B, c.B), 255})
	}
}

// distance returns the distance of p from the segment ab.
func distance(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	f := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		f = math.Min(math.Max(((p.x-a.x)*dx+(p.y-a.y)*dy)/l, 0), 1)
	}
	return math.Hypot(p.x-a.x-f*dx, p.y-a.y-f*dy)
}

package picture

import "math"

// saturate is the fraction of the values of both signs that the colours cover. A few
// strong points, such as a source at the start, then do not fade the rest.
const saturate = 0.995

// colors are the colours of the values, and of a projection.
type colors struct {
	m, projected  ColorMap
	r, projectedR Range
	// magnitude projects the magnitudes.
	magnitude bool
}

// extent returns the extent of the channel over all frames.
func (c channel) extent(frames [][]float32) Range {
	r := Range{math.Inf(1), math.Inf(-1)}
	for _, frame := range frames {
		for _, v := range c.of(frame) {
			r.Min, r.Max = math.Min(r.Min, float64(v)), math.Max(r.Max, float64(v))
		}
	}
	return r
}

// colors returns the colours of the channel. A quantity has both signs if its smaller
// side is at least a tenth of its larger one; its ranges then follow the values that are
// drawn, which are not all in 3D.
func (c channel) colors(frames [][]float32) colors {
	r := c.extent(frames)
	low, high := math.Max(0, -r.Min), math.Max(0, r.Max)
	if most := math.Max(low, high); most == 0 || math.Min(low, high) < 0.1*most {
		return colors{m: Viridis, projected: Viridis, r: r.widened(), projectedR: r.widened()}
	}
	var fields, projections [][]float32
	for _, frame := range frames {
		for _, v := range c.view {
			if drawn := v.of(c.of(frame), true); v.projects {
				projections = append(projections, drawn)
			} else {
				fields = append(fields, drawn)
			}
		}
	}
	return both(saturated(fields, high), saturated(projections, high))
}

// both returns the colours of a quantity with both signs up to size, and of the
// projection of its magnitude up to projected.
func both(size, projected float64) colors {
	return colors{CoolWarm, Viridis, Range{-size, size}.widened(), Range{0, projected}.widened(), true}
}

// saturated returns the magnitude that the colours cover, or otherwise if it is zero.
func saturated(drawn [][]float32, otherwise float64) float64 {
	if r, err := Symmetric(saturate, drawn...); err == nil && r.Max > 0 {
		return r.Max
	}
	return otherwise
}

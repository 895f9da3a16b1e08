package objective

import (
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// Cosines is a control for searches: a linear map from a few amplitudes to a smooth change of
// a window, which is the same in all its frames. Amplitudes of variance 1 make random fields of
// the deviation that [NewCosines] was given; the power of a wave of k and l half periods along
// the axes falls with 1/(1 + (k² + l²)/4)².
type Cosines struct {
	grid   []int
	points int
	scales []float64     // by channel
	tables [][][]float64 // by axis, half periods and point
}

// NewCosines returns the control of a window with the given number of cosines along each axis,
// the first of which is constant. deviation is the standard deviation of the change at a
// point, averaged over the grid, as a part of each channel's range in the window.
func NewCosines(w *data.Window, waves int, deviation float64) (*Cosines, error) {
	if w == nil {
		return nil, fmt.Errorf("objective: cosines: expected a window, got none")
	}
	if err := w.Validate(); err != nil {
		return nil, fmt.Errorf("objective: cosines: %w", err)
	}
	if waves < 1 || waves > slices.Max(w.Grid) {
		return nil, fmt.Errorf("objective: cosines: expected 1 to %d cosines along each axis, got %d", slices.Max(w.Grid), waves)
	}
	if !(deviation > 0) || math.IsInf(deviation, 0) {
		return nil, fmt.Errorf("objective: cosines: expected a positive standard deviation, got %v", deviation)
	}
	c := &Cosines{grid: w.Grid, points: w.Points()}
	for _, n := range w.Grid {
		table := make([][]float64, min(waves, n))
		for k := range table {
			for i := range n {
				table[k] = append(table[k], math.Cos(math.Pi*float64(k)*(float64(i)+0.5)/float64(n)))
			}
		}
		c.tables = append(c.tables, table)
	}
	power := 0.0
	for wave := range c.perChannel() {
		weight, share := c.wave(wave)
		power += weight * weight * share
	}
	for ch := range w.Channels(false) {
		low, high := math.Inf(1), math.Inf(-1)
		for _, f := range w.Frames {
			u := f[ch*w.Points() : (ch+1)*w.Points()]
			low, high = min(low, float64(slices.Min(u))), max(high, float64(slices.Max(u)))
		}
		c.scales = append(c.scales, deviation*(high-low)/math.Sqrt(power))
	}
	return c, nil
}

// perChannel returns the number of amplitudes of a channel.
func (c *Cosines) perChannel() int {
	n := 1
	for _, t := range c.tables {
		n *= len(t)
	}
	return n
}

// wave returns the weight of a wave, and the mean of its square over the grid.
func (c *Cosines) wave(wave int) (weight, share float64) {
	square := 0.0
	share = 1
	for a := len(c.tables) - 1; a >= 0; a-- {
		k := wave % len(c.tables[a])
		wave /= len(c.tables[a])
		square += float64(k * k)
		if k > 0 {
			share /= 2
		}
	}
	return 1 / (1 + square/4), share
}

// Size is the number of amplitudes.
func (c *Cosines) Size() int {
	if c == nil {
		return 0
	}
	return len(c.scales) * c.perChannel()
}

// each calls f for all waves and points with the value of the wave. It factorises nothing: the
// cost is the product of both numbers, little next to a step of the network.
func (c *Cosines) each(f func(amplitude, value int, weight float64)) {
	points, n := c.points, c.perChannel()
	shape := make([]float64, points)
	for wave := range n {
		weight, _ := c.wave(wave)
		for p := range shape {
			shape[p] = weight
			at, rest := p, wave
			for a := len(c.grid) - 1; a >= 0; a-- {
				shape[p] *= c.tables[a][rest%len(c.tables[a])][at%c.grid[a]]
				at, rest = at/c.grid[a], rest/len(c.tables[a])
			}
		}
		for ch, scale := range c.scales {
			for p, v := range shape {
				f(ch*n+wave, ch*points+p, scale*v)
			}
		}
	}
}

// Add returns the window with the change of the given amplitudes in every frame. The window
// must have the channels and the grid of the control's.
func (c *Cosines) Add(w *data.Window, amplitudes []float64) (*data.Window, error) {
	if c == nil || w == nil || len(amplitudes) != c.Size() {
		return nil, fmt.Errorf("objective: cosines: expected a window and %d amplitudes, got %d", c.Size(), len(amplitudes))
	}
	change := make([]float64, len(c.scales)*c.points)
	c.each(func(a, i int, weight float64) { change[i] += weight * amplitudes[a] })
	out := *w
	out.Frames = nil
	for _, f := range w.Frames {
		if len(f) != len(change) {
			return nil, fmt.Errorf("objective: cosines: expected frames of %d values, got %d", len(change), len(f))
		}
		f = slices.Clone(f)
		for i, v := range change {
			f[i] += float32(v)
		}
		out.Frames = append(out.Frames, f)
	}
	return &out, nil
}

// Pull returns the gradient with respect to the amplitudes, given the gradient with respect to
// the frames ([walrus.ForecastGradient]).
func (c *Cosines) Pull(frames [][]float32) ([]float64, error) {
	if c == nil {
		return nil, fmt.Errorf("objective: cosines: expected a control of NewCosines, got none")
	}
	sum := make([]float64, len(c.scales)*c.points)
	for _, f := range frames {
		if len(f) != len(sum) {
			return nil, fmt.Errorf("objective: cosines: expected frames of %d values, got %d", len(sum), len(f))
		}
		for i, v := range f {
			sum[i] += float64(v)
		}
	}
	out := make([]float64, c.Size())
	c.each(func(a, i int, weight float64) { out[a] += weight * sum[i] })
	return out, nil
}

package data

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Coarsen returns the window on a grid with 1/factor of the points along each axis: the mean
// of every block of factor points, for coordinates, too. Axes of one point stay. The mask
// is 1 where at least half of a block is solid, else 0, so that it has no values between.
// Every other axis must be divisible by factor, and the coordinates must be Cartesian: on
// other grids the points of a block have different volumes.
func (w *Window) Coarsen(factor int) (*Window, error) {
	if err := w.ValidateLengths(); err != nil {
		return nil, err
	}
	grid, err := coarseGrid(w.Grid, w.Curvilinear, factor)
	if err != nil {
		return nil, fmt.Errorf("window %s: coarsen: %w", w.Name, err)
	}
	out := new(Window)
	w.coarsenInto(out, grid)
	return out, nil
}

// coarseGrid returns the coarse grid.
func coarseGrid(grid []int, curvilinear bool, factor int) ([]int, error) {
	if curvilinear {
		return nil, fmt.Errorf("expected Cartesian coordinates, got curvilinear ones")
	}
	out := slices.Clone(grid)
	for i, n := range grid {
		if factor < 1 || (n > 1 && n%factor != 0) {
			return nil, fmt.Errorf("expected a factor that divides the grid %v, got %d", grid, factor)
		}
		if n > 1 {
			out[i] = n / factor
		}
	}
	return out, nil
}

// coarsenInto sets out, whose arrays it reuses, to the window on a coarse grid.
func (w *Window) coarsenInto(out *Window, grid []int) {
	frames, constants := out.Frames, out.Constants
	*out = *w
	out.Grid, out.Frames, out.Constants = grid, nil, nil
	blocks := newBlocks(w.Grid, grid)
	variable, constant := w.maskChannel(false), w.maskChannel(true)
	for i, frame := range w.Frames {
		var old []float32
		if i < len(frames) {
			old = frames[i]
		}
		out.Frames = append(out.Frames, blocks.mean(old, frame, variable))
	}
	if len(w.Constants) > 0 {
		out.Constants = blocks.mean(constants, w.Constants, constant)
	}
	if w.Coordinates != nil {
		out.Coordinates = make([][]float32, len(w.Coordinates))
		for i, x := range w.Coordinates {
			out.Coordinates[i] = newBlocks(w.Grid[i:i+1], grid[i:i+1]).mean(nil, x, -1)
		}
	}
}

// maskChannel returns the index of the mask among the variable or the constant channels, or
// -1.
func (w *Window) maskChannel(constant bool) int {
	return slices.Index(w.Channels(constant), MaskName)
}

// blocks maps the points of a fine grid to those of a coarse one.
type blocks struct {
	coarse []int // index of the coarse point of each fine one
	points int   // of the coarse grid
	count  float64
}

func newBlocks(fine, coarse []int) blocks {
	b := blocks{points: 1, count: 1}
	points := 1
	for i, n := range fine {
		points *= n
		b.points *= coarse[i]
		b.count *= float64(n / coarse[i])
	}
	b.coarse = make([]int, points)
	for p := range b.coarse {
		at, step := 0, 1
		for i, rest := len(fine)-1, p; i >= 0; i-- {
			at += rest % fine[i] / (fine[i] / coarse[i]) * step
			step *= coarse[i]
			rest /= fine[i]
		}
		b.coarse[p] = at
	}
	return b
}

// mean returns the means of all channels, in dst if it is large enough. The channel of the
// mask becomes 0 or 1.
func (b blocks) mean(dst, src []float32, mask int) []float32 {
	channels := len(src) / len(b.coarse)
	if cap(dst) < channels*b.points {
		dst = make([]float32, channels*b.points)
	}
	dst = dst[:channels*b.points]
	sum := make([]float64, b.points)
	for c := range channels {
		clear(sum)
		for p, v := range src[c*len(b.coarse) : (c+1)*len(b.coarse)] {
			if c == mask && v != 0 {
				v = 1
			}
			sum[b.coarse[p]] += float64(v)
		}
		for p, v := range sum {
			if v /= b.count; c == mask {
				v = map[bool]float64{true: 1}[v >= 0.5]
			}
			dst[c*b.points+p] = float32(v)
		}
	}
	return dst
}

// Coarsen returns a view of ds on a coarse grid; see [Window.Coarsen].
func Coarsen(ds Dataset, factor int) (Dataset, error) {
	if ds == nil {
		return nil, errNoDataset
	}
	m := ds.Metadata()
	grid, err := coarseGrid(m.Grid, !m.Cartesian(), factor)
	if err != nil {
		return nil, fmt.Errorf("data: data set %s: coarsen: %w", m.Name, err)
	}
	if factor == 1 {
		return ds, nil
	}
	m.Grid = grid
	return &coarsened{Dataset: ds, meta: m}, nil
}

type coarsened struct {
	Dataset
	meta Metadata
	fine sync.Pool // of *Window
}

func (c *coarsened) Metadata() Metadata { return c.meta }

func (c *coarsened) Read(ctx context.Context, span Span, into *Window) (*Window, error) {
	fine, _ := c.fine.Get().(*Window)
	w, err := c.Dataset.Read(ctx, span, fine)
	if err != nil {
		return nil, err
	}
	defer c.fine.Put(w)
	if into == nil {
		into = new(Window)
	}
	w.coarsenInto(into, c.meta.Grid)
	// The next window of the pool must not share the lists of this one.
	into.Times, into.Scalars = slices.Clone(w.Times), slices.Clone(w.Scalars)
	into.Boundaries = slices.Clone(w.Boundaries)
	for i, s := range w.Scalars {
		into.Scalars[i].Values = slices.Clone(s.Values)
	}
	return into, nil
}

package serve

// scaler averages fields over blocks of k points along each axis. Blocks at the high
// ends may be smaller.
type scaler struct {
	k          int
	from, grid []int
}

func newScaler(grid []int, k int) scaler {
	s := scaler{k: k, from: grid}
	for _, n := range grid {
		s.grid = append(s.grid, (n+k-1)/k)
	}
	return s
}

// points returns the number of points of the coarse grid.
func (s scaler) points() int { return product(s.grid) }

func product(grid []int) int {
	n := 1
	for _, x := range grid {
		n *= x
	}
	return n
}

// apply averages every channel of a frame.
func (s scaler) apply(frame []float32) []float32 {
	if s.k == 1 || frame == nil {
		return frame
	}
	fine, coarse := product(s.from), s.points()
	channels := len(frame) / fine
	sum, count := make([]float64, channels*coarse), make([]float64, coarse)
	for p := range fine {
		q := s.block(p)
		count[q]++
		for c := range channels {
			sum[c*coarse+q] += float64(frame[c*fine+p])
		}
	}
	out := make([]float32, len(sum))
	for i, v := range sum {
		out[i] = float32(v / count[i%coarse])
	}
	return out
}

// block returns the coarse point whose block contains the fine point p.
func (s scaler) block(p int) int {
	q, stride := 0, 1
	for a := len(s.from) - 1; a >= 0; a-- {
		q += p % s.from[a] / s.k * stride
		p /= s.from[a]
		stride *= s.grid[a]
	}
	return q
}

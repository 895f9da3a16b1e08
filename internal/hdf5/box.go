package hdf5

import "slices"

// box is a block of n elements per axis inside two row-major arrays.
type box struct{ srcShape, src, n, dst, dstShape []int }

// runs calls visit for each run of elements that are contiguous in both arrays, with
// its position in the source and in the destination and its length.
func (b box) runs(visit func(from, to, n int) error) error { return b.runsTo(len(b.n), visit) }

// strided is runs for blocks whose source may have one element along the last axes, such as
// a chunk that holds one component of a vector. The destination of a run's elements is to,
// to+step, to+2·step and so on.
func (b box) strided(visit func(from, to, n, step int) error) error {
	end, step := len(b.n), 1
	for end > 0 && b.srcShape[end-1] == 1 && b.dstShape[end-1] != 1 {
		end--
		step *= b.dstShape[end]
	}
	return b.runsTo(end, func(from, to, n int) error { return visit(from, to, n, step) })
}

// runsTo visits runs along the axes before end; there is one element along the others.
func (b box) runsTo(end int, visit func(from, to, n int) error) error {
	axis, run := end, 1 // axes from here to end belong to a run
	for axis > 0 {
		axis--
		run *= b.n[axis]
		if b.n[axis] != b.srcShape[axis] || b.n[axis] != b.dstShape[axis] {
			break
		}
	}
	at := make([]int, axis)
	high := slices.Clone(b.n[:axis])
	for i := range high {
		high[i]--
	}
	zero := make([]int, axis)
	for {
		from, to := 0, 0
		for i := range b.n {
			f, t := b.src[i], b.dst[i]
			if i < axis {
				f, t = f+at[i], t+at[i]
			}
			from, to = from*b.srcShape[i]+f, to*b.dstShape[i]+t
		}
		if err := visit(from, to, run); err != nil {
			return err
		}
		if axis == 0 || !advance(at, zero, high) {
			return nil
		}
	}
}

// advance steps at through the box from low to high, both included, the last axis
// fastest. It returns false at the end.
func advance(at, low, high []int) bool {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i]++; at[i] <= high[i] {
			return true
		}
		at[i] = low[i]
	}
	return false
}

// chunkWindow steps through the chunks that a block of elements touches.
type chunkWindow struct {
	offset, count []int // the block
	shape, counts []int // of a chunk, and chunks along each axis
	low, high     []int // first and last chunk along each axis
	at            []int // the current one
	from, to, n   []int
}

func newChunkWindow(d *Dataset, offset, count []int) *chunkWindow {
	rank := len(count)
	all := make([]int, 6*rank)
	cut := func(i int) []int { return all[i*rank : (i+1)*rank] }
	w := &chunkWindow{
		offset: offset, count: count, shape: d.layout.chunk, counts: d.chunkCounts(),
		low: cut(0), high: cut(1), at: cut(2), from: cut(3), to: cut(4), n: cut(5),
	}
	for i, s := range w.shape {
		w.low[i], w.high[i] = offset[i]/s, (offset[i]+count[i]-1)/s
	}
	copy(w.at, w.low)
	return w
}

// number returns the row-major number of the current chunk in the dataset.
func (w *chunkWindow) number() int {
	number := 0
	for i, a := range w.at {
		number = number*w.counts[i] + a
	}
	return number
}

// part returns the intersection of the block and the current chunk. It is valid until
// the next call.
func (w *chunkWindow) part() box {
	for i, a := range w.at {
		begin, end := max(w.offset[i], a*w.shape[i]), min(w.offset[i]+w.count[i], (a+1)*w.shape[i])
		w.from[i], w.to[i], w.n[i] = begin-a*w.shape[i], begin-w.offset[i], end-begin
	}
	return box{w.shape, w.from, w.n, w.to, w.count}
}

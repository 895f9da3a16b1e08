package hdf5

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// prefetcher is a reader of a file on another machine that can request bytes before they
// are read. It waits until they are there.
type prefetcher interface {
	Prefetch(ctx context.Context, off, n int64) error
}

const (
	// prefetchGap is the largest distance in bytes of two ranges that are requested as one.
	prefetchGap = 1 << 16
	// prefetchRanges is the number of ranges that are requested at the same time.
	prefetchRanges = 8
)

// byteRange is a range of bytes of a file.
type byteRange struct{ from, end int64 }

// Prefetch waits until the bytes of a block of elements are in the cache of the reader; see
// driver.Prefetcher.
func (d *Dataset) Prefetch(ctx context.Context, offset, count []int) error {
	p, ok := d.f.r.(prefetcher)
	if !ok {
		return nil
	}
	extents, err := d.extents(offset, count)
	if err != nil {
		return d.f.wrap(d.path, err)
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(prefetchRanges)
	for _, e := range extents {
		all.Go(func() error { return p.Prefetch(ctx, int64(d.f.super.base)+e.from, e.end-e.from) })
	}
	return d.f.wrap(d.path, all.Wait())
}

// extents returns the bytes in the file that hold a block of elements, in order.
func (d *Dataset) extents(offset, count []int) (out []byteRange, err error) {
	n, err := d.elements(offset, count)
	if err != nil || n == 0 {
		return nil, err
	}
	add := func(from, end int64) {
		if last := len(out) - 1; last >= 0 && from >= out[last].from && from-out[last].end <= prefetchGap {
			out[last].end = max(out[last].end, end)
			return
		}
		out = append(out, byteRange{from, end})
	}
	switch l := d.layout; {
	case l.kind == contiguousLayout && l.address != undefined:
		size := int64(d.typ.size)
		err = box{d.space.dims, offset, count, make([]int, len(count)), count}.runs(func(at, _, n int) error {
			add(int64(l.address)+int64(at)*size, int64(l.address)+int64(at+n)*size)
			return nil
		})
	case l.kind == chunkedLayout:
		stored, err := d.stored(offset, count)
		if err != nil {
			return nil, err
		}
		for _, c := range stored {
			add(int64(c.address), int64(c.address)+int64(c.size))
		}
	}
	return out, err
}

// stored returns the stored chunks that a block touches, in the order of the file.
func (d *Dataset) stored(offset, count []int) ([]chunk, error) {
	index, err := d.chunks()
	if err != nil {
		return nil, err
	}
	var out []chunk
	w := newChunkWindow(d, offset, count)
	for more := true; more; more = advance(w.at, w.low, w.high) {
		if c, ok := index.find(w.number()); ok {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b chunk) int { return cmp.Compare(a.address, b.address) })
	return out, nil
}

package hdf5

import "fmt"

// fixedArray reads the index of a dataset that cannot grow.
func (r *chunkReader) fixedArray() error {
	f := r.f
	c, err := r.quota.block(r.d.layout.address, uint64(12+f.super.lengthLen+f.super.offsetLen), "fixed array")
	if err != nil {
		return err
	}
	size, filtered := r.arrayHeader(c, "FAHD")
	pageBits, n, at := c.u8(), f.length(c), f.address(c)
	f.verify(c)
	if c.err != nil || at == undefined {
		return c.err
	}
	if pageBits > 30 || n > uint64(f.size) {
		return fmt.Errorf("%s: %d elements in pages of 2^%d are not sensible", c.what, n, pageBits)
	}
	if want := product(r.limitCounts(-1)); int(n) != want {
		return fmt.Errorf("%s: expected %d elements, one for each chunk, got %d", c.what, want, n)
	}
	elements := elementReader{r: r, size: size, filtered: filtered, place: newPlace(r.limitCounts(-1))}
	page := 1 << pageBits
	if int(n) <= page {
		return elements.block(at, 6+f.super.offsetLen, int(n), 0, "FADB", "fixed array block")
	}
	return r.fixedPages(&elements, at, int(n), page)
}

// fixedPages reads n elements in pages, which follow a block with a bit for each page
// that was written.
func (r *chunkReader) fixedPages(elements *elementReader, at uint64, n, page int) error {
	pages, head := ceilDiv(n, page), 6+r.f.super.offsetLen
	mapLen := ceilDiv(pages, 8)
	c, err := r.quota.block(at, uint64(head+mapLen+4), "fixed array block")
	if err != nil {
		return err
	}
	c.signature("FADB")
	c.skip(head - 4)
	written := pageMap{bits: c.bytes(mapLen)}
	r.f.verify(c)
	if c.err != nil {
		return c.err
	}
	at += uint64(head + mapLen + 4)
	for p := range pages {
		if written.written(p) {
			count := min(page, n-p*page)
			if err := elements.block(at, 0, count, p*page, "", "fixed array page"); err != nil {
				return err
			}
		}
		at += uint64(page*elements.size + 4)
	}
	return nil
}

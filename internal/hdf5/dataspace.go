package hdf5

import (
	"fmt"
	"math"
)

// maxRank is the largest number of axes the format allows.
const maxRank = 32

// dataspace is the shape of a dataset or an attribute.
type dataspace struct {
	dims []int
	// limits are the largest lengths the axes may grow to, -1 without limit.
	limits []int
	null   bool // no elements at all
}

// count returns the number of elements; parseDataspace has checked that it fits.
func (s dataspace) count() int {
	if s.null {
		return 0
	}
	return product(s.dims)
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// parseDataspace parses a dataspace message.
func (f *File) parseDataspace(c *cursor) dataspace {
	var s dataspace
	version := c.version(1, 2)
	rank, flags := c.u8(), c.u8()
	if version == 1 {
		c.skip(5)
	} else {
		s.null = c.u8() == 2
	}
	if rank > maxRank {
		c.fail("dataspace: expected at most %d axes, got %d", maxRank, rank)
	}
	if c.err != nil {
		return s
	}
	total := 1.0
	for range rank {
		n := f.length(c)
		if total *= max(float64(n), 1); total > math.MaxInt64/maxElement/2 {
			c.fail("dataspace: expected fewer than 2^42 elements, got more")
			return s
		}
		s.dims = append(s.dims, int(n))
	}
	s.limits = s.dims
	if flags&1 != 0 {
		s.limits = f.parseLimits(c, s.dims)
	}
	return s
}

func (f *File) parseLimits(c *cursor, dims []int) []int {
	limits := make([]int, len(dims))
	for i, n := range dims {
		switch limit := f.length(c); {
		case limit == undefined>>(64-8*f.super.lengthLen):
			limits[i] = -1
		case limit < uint64(n) || limit > math.MaxInt64/maxElement:
			c.fail("dataspace: expected room for %d elements on an axis, got %d", n, limit)
		default:
			limits[i] = int(limit)
		}
	}
	return limits
}

// dataspaceOf returns the dataspace of an object.
func (f *File) dataspaceOf(o *object) (dataspace, error) {
	m, ok, err := f.message(o, msgDataspace)
	if err == nil && !ok {
		err = fmt.Errorf("the object at %#x has no dataspace", o.address)
	}
	if err != nil {
		return dataspace{}, err
	}
	c := o.cursor(m, "dataspace")
	s := f.parseDataspace(c)
	return s, c.err
}

package hdf5

import "fmt"

// fillOf returns the bytes of an element that was never written: the fill value, or
// zeros.
func (f *File) fillOf(o *object, size int) ([]byte, error) {
	fill := make([]byte, size)
	value, err := f.parseFill(o)
	if err != nil {
		return nil, err
	}
	if len(value) != 0 && len(value) != size {
		return nil, fmt.Errorf("expected a fill value of %d bytes, got %d", size, len(value))
	}
	copy(fill, value)
	return fill, nil
}

// parseFill returns the stored fill value, nil if there is none.
func (f *File) parseFill(o *object) ([]byte, error) {
	m, ok, err := f.message(o, msgFill)
	if err != nil {
		return nil, err
	}
	if ok {
		return parseNewFill(o.cursor(m, "fill value"))
	}
	if m, ok, err = f.message(o, msgOldFill); err != nil || !ok {
		return nil, err
	}
	c := o.cursor(m, "fill value")
	value := c.bytes(int(c.u32()))
	return value, c.err
}

func parseNewFill(c *cursor) ([]byte, error) {
	version := c.version(1, 2, 3)
	var defined bool
	if version == 3 {
		defined = c.u8()&0x20 != 0
	} else {
		c.skip(2) // times of allocation and writing
		// Version 1 always has a size, negative if there is no value.
		defined = c.u8() != 0 || version == 1
	}
	if !defined || c.err != nil {
		return nil, c.err
	}
	n := int(int32(c.u32()))
	if n < 0 {
		return nil, c.err
	}
	value := c.bytes(n)
	return value, c.err
}

package hdf5

// fillOf returns the bytes of the element that stands for those never written:
// the fill value, or zeros.
func (f *File) fillOf(o *object, size int) ([]byte, error) {
	fill := make([]byte, size)
	value, err := parseFill(o)
	if err != nil {
		return nil, err
	}
	if len(value) == size {
		copy(fill, value)
	}
	return fill, nil
}

func parseFill(o *object) ([]byte, error) {
	if m, ok := o.first(msgFill); ok {
		c := o.cursor(m, "fill value")
		var value []byte
		if c.version(1, 2, 3) == 3 {
			if flags := c.u8(); flags&0x20 != 0 {
				value = c.bytes(int(c.u32()))
			}
			return value, c.err
		}
		c.skip(2) // times of allocation and writing
		if defined := c.u8(); defined != 0 || (c.left() >= 4 && m.data[0] == 1) {
			value = c.bytes(int(c.u32()))
		}
		return value, c.err
	}
	if m, ok := o.first(msgOldFill); ok {
		c := o.cursor(m, "fill value")
		return c.bytes(int(c.u32())), c.err
	}
	return nil, nil
}

package hdf5

import "fmt"

// value decodes an attribute.
func (f *File) value(a attribute) (any, error) {
	if a.err != nil {
		return nil, a.err
	}
	if len(a.space.dims) > 1 {
		return nil, fmt.Errorf("expected a scalar or a list, got an array of shape %v", a.space.dims)
	}
	n := a.space.count()
	scalar := len(a.space.dims) == 0 && !a.space.null
	switch {
	case a.typ.class == classString || a.typ.text:
		list, err := f.texts(a, n)
		return unwrap(list, scalar), err
	case a.typ.number() != nil && n == 0:
		return []float64{}, nil // an empty list of any type
	case a.typ.number() != nil:
		return nil, fmt.Errorf("expected text or a number, got the type %s", a.typ)
	case a.typ.bool:
		list := make([]bool, n)
		for i := range list {
			list[i] = a.data[i] != 0
		}
		return unwrap(list, scalar), nil
	case a.typ.class == classFloat:
		list := make([]float64, n)
		a.typ.float64s(list, a.data)
		return unwrap(list, scalar), nil
	}
	list, err := integers(a, n)
	return unwrap(list, scalar), err
}

// unwrap returns the only element of a list if scalar is true, else the list.
func unwrap[T any](list []T, scalar bool) any {
	if scalar && len(list) == 1 {
		return list[0]
	}
	return list
}

func integers(a attribute, n int) ([]int64, error) {
	list := make([]int64, n)
	for i := range list {
		v := a.typ.integer(a.data[i*a.typ.size:])
		if !a.typ.signed && a.typ.size == 8 && v < 0 {
			return nil, fmt.Errorf("expected numbers below 2^63, got %d", uint64(v))
		}
		list[i] = v
	}
	return list, nil
}

// texts decodes strings of fixed length, or of variable length in global heaps.
func (f *File) texts(a attribute, n int) ([]string, error) {
	list := make([]string, n)
	heap, read := globalHeap{quota: quota{f: f}}, quota{f: f}
	for i := range list {
		b := a.data[i*a.typ.size : (i+1)*a.typ.size]
		if !a.typ.text {
			list[i] = a.typ.padding.trim(b)
			continue
		}
		c := &cursor{b: b, what: "text"}
		length, address, index := c.u32(), f.address(c), c.u32()
		if c.err != nil {
			return nil, c.err
		}
		if length == 0 {
			continue
		}
		object, err := heap.object(address, int(index))
		if err != nil {
			return nil, err
		}
		if uint64(length) > uint64(len(object)) {
			return nil, fmt.Errorf("expected text of %d bytes in the global heap, got %d", length, len(object))
		}
		if err := read.take(uint64(length)); err != nil {
			return nil, err
		}
		list[i] = (&cursor{b: object}).text(int(length))
	}
	return list, nil
}

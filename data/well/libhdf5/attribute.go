//go:build hdf5

package libhdf5

/*
#include <hdf5.h>
*/
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// Attributes returns the sorted names of an object's attributes.
func (f *file) Attributes(path string) ([]string, error) {
	defer quiet()()
	c, free := text(path)
	defer free()
	if !f.exists(path) {
		return nil, f.fail(path, "%w", driver.ErrNotFound)
	}
	obj := C.H5Oopen(f.id(), c, C.H5P_DEFAULT)
	if obj < 0 {
		return nil, f.fail(path, "the object cannot be opened")
	}
	defer C.H5Oclose(obj)
	n := int(C.H5Aget_num_attrs(obj))
	names := make([]string, n)
	for i := range names {
		a := C.H5Aopen_idx(obj, C.uint(i))
		if a < 0 {
			return nil, f.fail(path, "attribute %d cannot be opened", i)
		}
		length := C.H5Aget_name(a, 0, nil)
		b := make([]byte, length+1)
		C.H5Aget_name(a, C.size_t(len(b)), (*C.char)(unsafe.Pointer(&b[0])))
		C.H5Aclose(a)
		names[i] = string(b[:length])
	}
	slices.Sort(names)
	return names, nil
}

// Attribute reads one attribute.
func (f *file) Attribute(path, name string) (any, error) {
	defer quiet()()
	c, free := text(path)
	defer free()
	n, freeName := text(name)
	defer freeName()
	if !f.exists(path) {
		return nil, f.fail(path, "%w", driver.ErrNotFound)
	}
	a := C.H5Aopen_by_name(f.id(), c, n, C.H5P_DEFAULT, C.H5P_DEFAULT)
	if a < 0 {
		return nil, f.fail(path, "attribute %q: %w", name, driver.ErrNotFound)
	}
	defer C.H5Aclose(a)
	v, err := value(a)
	if err != nil {
		return nil, f.fail(path, "attribute %q: %w", name, err)
	}
	return v, nil
}

// value decodes an attribute.
func value(a C.hid_t) (any, error) {
	space := C.H5Aget_space(a)
	defer C.H5Sclose(space)
	typ := C.H5Aget_type(a)
	defer C.H5Tclose(typ)
	rank, n := int(C.H5Sget_simple_extent_ndims(space)), int(C.H5Sget_simple_extent_npoints(space))
	scalar := rank == 0 && n == 1
	e := elementOf(typ)
	switch {
	case rank > 1:
		return nil, fmt.Errorf("expected a scalar or a list, got %d axes", rank)
	case n == 0 && e.kind != kindText:
		return []float64{}, nil
	case e.kind == kindOther:
		return nil, fmt.Errorf("expected text or a number")
	case e.kind == kindText:
		list, ok := texts(int64(a), n)
		if !ok {
			return nil, fmt.Errorf("the text cannot be read")
		}
		return unwrap(list, scalar), nil
	}
	return numbers(int64(a), e, n, scalar)
}

func unwrap[T any](list []T, scalar bool) any {
	if scalar && len(list) == 1 {
		return list[0]
	}
	return list
}

// numbers reads an attribute of floats, integers, enumerations or bools.
func numbers(a int64, e element, n int, scalar bool) (any, error) {
	raw := make([]byte, 8*n)
	if !readNumbers(a, e.kind, raw) {
		return nil, fmt.Errorf("the value cannot be read")
	}
	switch e.kind {
	case kindFloat:
		return unwrap(slices.Clone(unsafe.Slice((*float64)(unsafe.Pointer(&raw[0])), n)), scalar), nil
	case kindBool:
		list := make([]bool, n)
		for i := range list {
			list[i] = raw[i] != 0
		}
		return unwrap(list, scalar), nil
	case kindEnum:
		list := make([]int64, n)
		for i := range list {
			list[i] = int64(enumeration(raw[i*e.size:], e.size))
		}
		return unwrap(list, scalar), nil
	}
	return unwrap(slices.Clone(unsafe.Slice((*int64)(unsafe.Pointer(&raw[0])), n)), scalar), nil
}

// Attribute sets an attribute; see driver.Writer.
func (w *writer) Attribute(path, name string, v any) error {
	kind, scalar, n, data, free, err := encode(v)
	defer free()
	if err != nil {
		return w.fail(path, "attribute %q: %w", name, err)
	}
	if !writeAttribute(w.f.ID(), path, name, kind, scalar, n, data) {
		return w.fail(path, "attribute %q: it cannot be written", name)
	}
	return nil
}

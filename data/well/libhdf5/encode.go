//go:build hdf5

package libhdf5

/*
#include <hdf5.h>
#include <stdlib.h>
*/
import "C"

import (
	"encoding/binary"
	"fmt"
	"unsafe"
)

// enumeration decodes the integer of an element of an enumeration.
func enumeration(b []byte, size int) int {
	switch size {
	case 1:
		return int(int8(b[0]))
	case 2:
		return int(int16(binary.NativeEndian.Uint16(b)))
	case 4:
		return int(int32(binary.NativeEndian.Uint32(b)))
	}
	return int(int64(binary.NativeEndian.Uint64(b)))
}

// encode copies a value to C memory, which free releases.
func encode(v any) (kind int, scalar bool, n int, data unsafe.Pointer, free func(), err error) {
	free = func() {}
	switch v := v.(type) {
	case string:
		data, free = textArray([]string{v})
		return kindText, true, 1, data, free, nil
	case []string:
		if len(v) == 0 {
			return kindFloat, false, 0, nil, free, nil
		}
		data, free = textArray(v)
		return kindText, false, len(v), data, free, nil
	case bool:
		return plain(kindBool, true, []bool{v})
	case []bool:
		return plain(kindBool, false, v)
	case int64:
		return plain(kindInt, true, []int64{v})
	case []int64:
		return plain(kindInt, false, v)
	case float64:
		return plain(kindFloat, true, []float64{v})
	case []float64:
		return plain(kindFloat, false, v)
	}
	return 0, false, 0, nil, free, fmt.Errorf("expected a string, bool, int64, float64 or a list of these, got a %T", v)
}

// plain copies numbers. An empty list becomes one of float64, as in h5py.
func plain[T any](kind int, scalar bool, list []T) (int, bool, int, unsafe.Pointer, func(), error) {
	if len(list) == 0 {
		return kindFloat, false, 0, nil, func() {}, nil
	}
	bytes := C.size_t(len(list)) * C.size_t(unsafe.Sizeof(list[0]))
	p := C.malloc(bytes)
	copy(unsafe.Slice((*T)(p), len(list)), list)
	return kind, scalar, len(list), p, func() { C.free(p) }, nil
}

// textArray returns an array of C strings.
func textArray(list []string) (unsafe.Pointer, func()) {
	p := C.malloc(C.size_t(len(list)) * C.size_t(unsafe.Sizeof(uintptr(0))))
	array := unsafe.Slice((**C.char)(p), len(list))
	for i, s := range list {
		array[i] = C.CString(s)
	}
	return p, func() {
		for _, c := range array {
			C.free(unsafe.Pointer(c))
		}
		C.free(p)
	}
}

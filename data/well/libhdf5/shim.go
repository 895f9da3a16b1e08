//go:build hdf5

package libhdf5

/*
#cgo LDFLAGS: -lhdf5
#cgo linux,amd64 CFLAGS: -I/usr/include/hdf5/serial
#cgo linux,amd64 LDFLAGS: -L/usr/lib/x86_64-linux-gnu/hdf5/serial
#cgo linux,arm64 CFLAGS: -I/usr/include/hdf5/serial
#cgo linux,arm64 LDFLAGS: -L/usr/lib/aarch64-linux-gnu/hdf5/serial
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

// The kinds of elements. KIND_OTHER is not supported.
enum { KIND_FLOAT, KIND_INT, KIND_UINT, KIND_ENUM, KIND_BOOL, KIND_TEXT, KIND_OTHER };

// gw_quiet stops the library from printing errors, for the calling thread.
static void gw_quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

// gw_kind returns the kind of a type, its size and whether it is big-endian.
static int gw_kind(hid_t type, int *size, int *big) {
	*size = (int)H5Tget_size(type);
	*big = *size > 1 && H5Tget_order(type) == H5T_ORDER_BE;
	switch (H5Tget_class(type)) {
	case H5T_FLOAT: return KIND_FLOAT;
	case H5T_INTEGER: return H5Tget_sign(type) == H5T_SGN_NONE ? KIND_UINT : KIND_INT;
	case H5T_STRING: return KIND_TEXT;
	case H5T_ENUM: {
		signed char v = 0;
		if (*size == 1 && H5Tget_nmembers(type) == 2 && H5Tenum_valueof(type, "FALSE", &v) >= 0 && v == 0 &&
			H5Tenum_valueof(type, "TRUE", &v) >= 0 && v == 1) return KIND_BOOL;
		return KIND_ENUM;
	}
	default: return KIND_OTHER;
	}
}

// gw_bool returns the enumeration type that stores a bool.
static hid_t gw_bool(void) {
	hid_t t = H5Tenum_create(H5T_STD_I8LE);
	signed char v = 0;
	H5Tenum_insert(t, "FALSE", &v);
	v = 1;
	H5Tenum_insert(t, "TRUE", &v);
	return t;
}

static hid_t gw_text(void) {
	hid_t t = H5Tcopy(H5T_C_S1);
	H5Tset_size(t, H5T_VARIABLE);
	H5Tset_cset(t, H5T_CSET_UTF8);
	return t;
}

static hid_t gw_type(int kind, int size) {
	switch (kind) {
	case KIND_BOOL: return gw_bool();
	case KIND_TEXT: return gw_text();
	case KIND_INT: return H5Tcopy(H5T_STD_I64LE);
	default: return H5Tcopy(size == 4 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE);
	}
}

// gw_select returns the memory space and the file space of a block of a dataset.
static herr_t gw_select(hid_t ds, int rank, const hsize_t *offset, const hsize_t *count, hid_t *mem, hid_t *file) {
	*file = H5Dget_space(ds);
	*mem = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, count, NULL);
	return rank == 0 ? 0 : H5Sselect_hyperslab(*file, H5S_SELECT_SET, offset, NULL, count, NULL);
}

// gw_transfer reads or writes a block. Enumerations are read as their integers.
static herr_t gw_transfer(hid_t ds, int write, int doubles, int rank, const hsize_t *offset, const hsize_t *count, void *buf) {
	gw_quiet();
	hid_t mem, file, type = H5Dget_type(ds), native;
	herr_t rc = gw_select(ds, rank, offset, count, &mem, &file);
	if (H5Tget_class(type) == H5T_ENUM) {
		native = H5Tget_native_type(type, H5T_DIR_ASCEND);
	} else {
		native = H5Tcopy(doubles ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT);
	}
	if (rc >= 0) rc = write ? H5Dwrite(ds, native, mem, file, H5P_DEFAULT, buf) : H5Dread(ds, native, mem, file, H5P_DEFAULT, buf);
	H5Tclose(native); H5Tclose(type); H5Sclose(mem); H5Sclose(file);
	return rc;
}

// gw_create creates a dataset.
static herr_t gw_create(hid_t file, const char *path, int kind, int size, int rank, const hsize_t *dims, const hsize_t *chunk, int deflate) {
	gw_quiet();
	hid_t type = gw_type(kind, size), plist = H5Pcreate(H5P_DATASET_CREATE);
	hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
	if (chunk != NULL) {
		H5Pset_chunk(plist, rank, chunk);
		if (deflate > 0) { H5Pset_shuffle(plist); H5Pset_deflate(plist, deflate); }
	}
	hid_t ds = H5Dcreate2(file, path, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
	H5Tclose(type); H5Sclose(space); H5Pclose(plist);
	return ds < 0 ? -1 : H5Dclose(ds);
}

// gw_chunk sets chunk and returns 1 if the dataset has chunks.
static int gw_chunk(hid_t ds, int rank, hsize_t *chunk) {
	hid_t plist = H5Dget_create_plist(ds);
	int yes = H5Pget_layout(plist) == H5D_CHUNKED;
	if (yes) H5Pget_chunk(plist, rank, chunk);
	H5Pclose(plist);
	return yes;
}

// gw_attr_write writes an attribute of n elements, or of one if scalar is set.
static herr_t gw_attr_write(hid_t file, const char *path, const char *name, int kind, int scalar, hsize_t n, const void *buf) {
	gw_quiet();
	hid_t obj = H5Oopen(file, path, H5P_DEFAULT), type = gw_type(kind, 8);
	hid_t space = scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
	hid_t a = H5Acreate2(obj, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	herr_t rc = a < 0 ? -1 : n == 0 ? 0 : H5Awrite(a, type, buf);
	if (a >= 0) H5Aclose(a);
	H5Tclose(type); H5Sclose(space); H5Oclose(obj);
	return rc;
}

// gw_attr_text returns element i of a text attribute, which the caller frees. It terminates
// fixed-length texts by a zero.
static char *gw_attr_text(hid_t a, hsize_t i, hsize_t n) {
	gw_quiet();
	hid_t type = H5Aget_type(a), space = H5Aget_space(a);
	char *out = NULL;
	if (H5Tis_variable_str(type) > 0) {
		char **all = calloc(n, sizeof(char *));
		if (H5Aread(a, type, all) >= 0) {
			out = strdup(all[i] ? all[i] : "");
			H5Dvlen_reclaim(type, space, H5P_DEFAULT, all);
		}
		free(all);
	} else {
		size_t size = H5Tget_size(type);
		char *all = malloc(n * size);
		if (H5Aread(a, type, all) >= 0) out = strndup(all + i * size, size);
		free(all);
	}
	H5Tclose(type); H5Sclose(space);
	return out;
}

// gw_attr_numbers reads all elements as double, long long or unsigned long long; elements
// of enumerations are read as integers.
static herr_t gw_attr_numbers(hid_t a, int kind, void *buf) {
	gw_quiet();
	hid_t type = H5Aget_type(a);
	herr_t rc;
	if (kind == KIND_BOOL || kind == KIND_ENUM) {
		hid_t native = H5Tget_native_type(type, H5T_DIR_ASCEND);
		rc = H5Aread(a, native, buf);
		H5Tclose(native);
	} else {
		rc = H5Aread(a, kind == KIND_FLOAT ? H5T_NATIVE_DOUBLE : kind == KIND_INT ? H5T_NATIVE_LLONG : H5T_NATIVE_ULLONG, buf);
	}
	H5Tclose(type);
	return rc;
}
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// quiet turns off the library's error output on the current thread and locks the goroutine
// to the thread until done is called.
func quiet() (done func()) {
	runtime.LockOSThread()
	C.gw_quiet()
	return runtime.UnlockOSThread
}

// text returns a C string; free releases it.
func text(s string) (*C.char, func()) {
	c := C.CString(s)
	return c, func() { C.free(unsafe.Pointer(c)) }
}

// sizes converts lengths to C; the pointer is nil for an empty list.
func sizes(list []int) *C.hsize_t {
	if len(list) == 0 {
		return nil
	}
	out := make([]C.hsize_t, len(list))
	for i, n := range list {
		out[i] = C.hsize_t(n)
	}
	return &out[0]
}

// element describes the type of an element.
type element struct {
	kind, size int
	big        bool
}

func elementOf(typ C.hid_t) element {
	var size, big C.int
	kind := C.gw_kind(typ, &size, &big)
	return element{int(kind), int(size), big != 0}
}

// The kinds of elements, for files without cgo.
const (
	kindFloat = int(C.KIND_FLOAT)
	kindInt   = int(C.KIND_INT)
	kindUint  = int(C.KIND_UINT)
	kindEnum  = int(C.KIND_ENUM)
	kindBool  = int(C.KIND_BOOL)
	kindText  = int(C.KIND_TEXT)
	kindOther = int(C.KIND_OTHER)
)

// texts reads the elements of a text attribute.
func texts(attribute int64, n int) ([]string, bool) {
	out := make([]string, n)
	for i := range out {
		c := C.gw_attr_text(C.hid_t(attribute), C.hsize_t(i), C.hsize_t(n))
		if c == nil {
			return nil, false
		}
		out[i] = C.GoString(c)
		C.free(unsafe.Pointer(c))
	}
	return out, true
}

// readNumbers reads the elements of a numeric attribute into raw, which needs at most 8
// bytes per element.
func readNumbers(attribute int64, kind int, raw []byte) bool {
	return C.gw_attr_numbers(C.hid_t(attribute), C.int(kind), unsafe.Pointer(&raw[0])) >= 0
}

// writeAttribute writes an attribute from C memory.
func writeAttribute(file int64, path, name string, kind int, scalar bool, n int, data unsafe.Pointer) bool {
	p, freePath := text(path)
	defer freePath()
	c, freeName := text(name)
	defer freeName()
	flag := C.int(0)
	if scalar {
		flag = 1
	}
	return C.gw_attr_write(C.hid_t(file), p, c, C.int(kind), flag, C.hsize_t(n), data) >= 0
}

// create creates a dataset.
func create(file int64, path string, kind, size int, shape, chunk []int, deflate int) bool {
	p, free := text(path)
	defer free()
	return C.gw_create(C.hid_t(file), p, C.int(kind), C.int(size), C.int(len(shape)), sizes(shape), sizes(chunk), C.int(deflate)) >= 0
}

// chunkOf returns the shape of a dataset's chunks, or nil if it has none.
func chunkOf(dataset int64, rank int) []int {
	if rank == 0 {
		return nil
	}
	raw := make([]C.hsize_t, rank)
	if C.gw_chunk(C.hid_t(dataset), C.int(rank), &raw[0]) == 0 {
		return nil
	}
	out := make([]int, rank)
	for i, n := range raw {
		out[i] = int(n)
	}
	return out
}

// transfer reads or writes a block as float32, or as float64 if doubles is set.
// Enumerations are transferred as integers.
func transfer(dataset int64, write, doubles bool, offset, count []int, data unsafe.Pointer) bool {
	flag := map[bool]C.int{true: 1}
	return C.gw_transfer(C.hid_t(dataset), flag[write], flag[doubles], C.int(len(count)), sizes(offset), sizes(count), data) >= 0
}

// datasetType returns the type of a dataset's elements.
func datasetType(dataset int64) element {
	typ := C.H5Dget_type(C.hid_t(dataset))
	defer C.H5Tclose(typ)
	return elementOf(typ)
}

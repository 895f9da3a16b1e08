package mapping

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/hdf5"
	"github.com/gowalrus/gowalrus/internal/ndarray"
	"github.com/gowalrus/gowalrus/internal/netcdf3"
	"github.com/gowalrus/gowalrus/internal/npy"
	"github.com/gowalrus/gowalrus/internal/zarr"
)

// info describes an array of a file.
type info struct {
	name  string
	shape []int
	typ   string
	// dims names the axes, nil if the file does not.
	dims []string
	// attributes holds texts and numbers.
	attributes map[string]any
}

// file is an open file of arrays.
type file interface {
	// format names the format.
	format() string
	// list describes the arrays of numbers. left names those that are none.
	list() (arrays []info, left []string, err error)
	dataset(name string) (driver.Dataset, error)
	// arrayAttributes returns the attributes of an array that the conventions of NetCDF
	// define.
	arrayAttributes(name string) map[string]any
	// attribute returns an attribute of the file.
	attribute(name string) (any, bool)
	// numbers lists the attributes of the file that are one number.
	numbers() []string
	// single reports that the file holds one array without a name.
	single() bool
	// memory returns the bytes that the open file keeps in memory.
	memory() int64
	Close() error
}

// errFormat is the error of a file of an unknown format.
var errFormat = errors.New("expected HDF5, NetCDF, NPY, NPZ or Zarr, got another format: for binary files without a header, state raw: {type: float32, shape: […]}")

// openFile opens a file of any format, or of the type that raw states.
func openFile(name string, raw *Raw) (file, error) {
	if raw != nil {
		return openRaw(name, raw)
	}
	stat, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if stat.IsDir() {
		return wrapFile(zarr.Open(name))(func(s *zarr.Store) file { return zarrFile{s} })
	}
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 8)
	_, err = io.ReadFull(r, head)
	if closed := r.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("%s: expected a file of arrays: %w", name, err)
	}
	switch {
	case string(head[:3]) == "CDF":
		return wrapFile(netcdf3.Open(name))(func(f *netcdf3.File) file { return netcdfFile{f} })
	case string(head[:6]) == "\x93NUMPY" || string(head[:2]) == "PK":
		return wrapFile(npy.Open(name))(func(f *npy.File) file { return npyFile{f, string(head[:2]) == "PK"} })
	}
	f, err := hdf5.Open(name)
	if err == nil {
		return &hdf5File{f}, nil
	}
	if string(head[1:4]) == "HDF" {
		return nil, err
	}
	return nil, fmt.Errorf("%s: %w", name, errFormat)
}

// wrapFile makes a file of an open one.
func wrapFile[T any](f T, err error) func(func(T) file) (file, error) {
	return func(wrap func(T) file) (file, error) {
		if err != nil {
			return nil, err
		}
		return wrap(f), nil
	}
}

// npyFile is an NPY or NPZ file.
type npyFile struct {
	*npy.File
	archive bool
}

func (f npyFile) format() string {
	if f.archive {
		return "NPZ"
	}
	return "NPY"
}
func (f npyFile) single() bool                                { return !f.archive }
func (f npyFile) dataset(name string) (driver.Dataset, error) { return f.Dataset(name) }
func (f npyFile) arrayAttributes(string) map[string]any       { return nil }
func (f npyFile) attribute(string) (any, bool)                { return nil, false }
func (f npyFile) list() (out []info, left []string, err error) {
	for _, name := range f.Arrays() {
		d, err := f.Dataset(name)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, info{name: name, shape: d.Shape(), typ: d.Type()})
	}
	return out, f.Skipped(), nil
}

// netcdfFile is a file of the classic NetCDF formats.
type netcdfFile struct{ *netcdf3.File }

func (f netcdfFile) format() string                              { return "NetCDF" }
func (f netcdfFile) single() bool                                { return false }
func (f netcdfFile) dataset(name string) (driver.Dataset, error) { return f.Dataset(name) }
func (f netcdfFile) arrayAttributes(name string) map[string]any {
	for _, v := range f.Variables() {
		if v.Name == name {
			return v.Attributes
		}
	}
	return nil
}
func (f netcdfFile) attribute(name string) (any, bool) { v, ok := f.Attributes()[name]; return v, ok }
func (f netcdfFile) list() (out []info, left []string, err error) {
	for _, v := range f.Variables() {
		if v.Text {
			left = append(left, v.Name+" (characters)")
			continue
		}
		out = append(out, info{v.Name, v.Shape(), v.Type(), v.Dimensions, v.Attributes})
	}
	return out, left, nil
}

// zarrFile is a Zarr store.
type zarrFile struct{ *zarr.Store }

func (f zarrFile) format() string { return "Zarr" }
func (f zarrFile) single() bool {
	return len(f.Arrays()) == 1 && f.Arrays()[0].Name() == zarr.Single
}
func (f zarrFile) dataset(name string) (driver.Dataset, error) { return f.Dataset(name) }
func (f zarrFile) arrayAttributes(name string) map[string]any {
	for _, a := range f.Arrays() {
		if a.Name() == strings.Trim(name, "/") {
			return a.Attributes()
		}
	}
	return nil
}
func (f zarrFile) attribute(name string) (any, bool) { v, ok := f.Attributes()[name]; return v, ok }
func (f zarrFile) list() (out []info, left []string, err error) {
	for _, a := range f.Arrays() {
		out = append(out, info{a.Name(), a.Shape(), a.Type(), a.Dimensions(), a.Attributes()})
	}
	return out, f.Skipped(), nil
}

// hdf5File is an HDF5 file, NetCDF-4 included.
type hdf5File struct{ *hdf5.File }

func (f *hdf5File) format() string { return "HDF5" }
func (f *hdf5File) single() bool   { return false }
func (f *hdf5File) dataset(name string) (driver.Dataset, error) {
	return f.Dataset("/" + strings.Trim(name, "/"))
}

// cfNames lists the attributes of the conventions that change or describe values.
var cfNames = []string{"scale_factor", "add_offset", "_FillValue", "missing_value", "units", "long_name", "standard_name"}

func (f *hdf5File) arrayAttributes(name string) map[string]any {
	out := map[string]any{}
	for _, key := range cfNames {
		if v, err := f.Attribute("/"+strings.Trim(name, "/"), key); err == nil {
			out[key] = v
		}
	}
	return out
}
func (f *hdf5File) attribute(name string) (any, bool) {
	object := "/"
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		object, name = "/"+strings.Trim(name[:i], "/"), name[i+1:]
	}
	v, err := f.Attribute(object, name)
	return v, err == nil
}

// maxObjects bounds the groups and datasets that list visits, maxGroups their depth.
const (
	maxObjects = 1 << 18
	maxGroups  = 16
)

func (f *hdf5File) list() (out []info, left []string, err error) {
	visited := 0
	var walk func(group string, depth int) error
	walk = func(group string, depth int) error {
		names, err := f.Children(group)
		if err != nil {
			return err
		}
		for _, name := range names {
			if visited++; visited > maxObjects || depth > maxGroups {
				return fmt.Errorf("%s: expected at most %d objects in %d levels of groups", f.Name(), maxObjects, maxGroups)
			}
			p := path.Join(group, name)
			if ok, err := f.IsGroup(p); err == nil && ok {
				if err := walk(p, depth+1); err != nil {
					return err
				}
				continue
			}
			d, err := f.Dataset(p)
			if err == nil {
				_, err = ndarray.ParseType(d.Type())
			}
			if err != nil {
				left = append(left, fmt.Sprintf("%s (%v)", p[1:], err))
				continue
			}
			out = append(out, info{name: p[1:], shape: d.Shape(), typ: d.Type(), attributes: f.arrayAttributes(p)})
		}
		return nil
	}
	if err := walk("/", 0); err != nil {
		return nil, nil, err
	}
	f.nameAxes(out)
	return out, left, nil
}

// nameAxes names the axes of the arrays of a NetCDF-4 file by the lengths of its dimension
// scales, in their order. The references to the scales are not read.
func (f *hdf5File) nameAxes(arrays []info) {
	type scale struct {
		name  string
		id, n int
	}
	var scales []scale
	for _, a := range arrays {
		if class, err := f.Attribute("/"+a.name, "CLASS"); err != nil || class != "DIMENSION_SCALE" || len(a.shape) != 1 {
			continue
		}
		id := -1
		if v, err := f.Attribute("/"+a.name, "_Netcdf4Dimid"); err == nil {
			if x, ok := scalar(v); ok {
				id = int(x)
			}
		}
		scales = append(scales, scale{a.name, id, a.shape[0]})
	}
	slices.SortStableFunc(scales, func(a, b scale) int { return a.id - b.id })
	for i, a := range arrays {
		var dims []string
		at := 0
		for _, n := range a.shape {
			k := slices.IndexFunc(scales[at:], func(s scale) bool { return s.n == n })
			if k < 0 {
				break
			}
			dims = append(dims, path.Base(scales[at+k].name))
			at += k + 1
		}
		if len(dims) == len(a.shape) && len(dims) > 0 {
			arrays[i].dims = dims
		}
	}
}

// openArray opens an array of a file. An array of a file without names may have any name
// in the pattern; else it is called "array".
func openArray(f file, name string, named bool) (driver.Dataset, error) {
	if f.single() && (named || name == npy.Single) {
		return decoded(f, npy.Single)
	}
	d, err := decoded(f, name)
	if err == nil && !(f.single() && name != npy.Single) {
		return d, nil
	}
	if errors.Is(err, driver.ErrNotFound) || err == nil {
		arrays, _, listErr := f.list()
		if listErr != nil {
			return nil, listErr
		}
		return nil, fmt.Errorf("expected an array of this name, the %s file has %s: correct the name", f.format(), few(namesOf(arrays)))
	}
	return nil, err
}

// few lists up to 30 names.
func few(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	rest := ""
	if len(names) > 30 {
		rest = fmt.Sprintf(" and %d more", len(names)-30)
		names = names[:30]
	}
	return strings.Join(names, ", ") + rest
}

// slash returns the path of a file relative to a folder, with slashes, for messages.
func slash(dir, name string) string {
	if rel, err := filepath.Rel(dir, name); err == nil && !strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(rel)
	}
	return name
}

// keysOf returns the sorted keys of a map.
func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// numbersOf returns the sorted names of the attributes that are one number.
func numbersOf(attributes map[string]any) (out []string) {
	for _, name := range keysOf(attributes) {
		if _, ok := scalar(attributes[name]); ok {
			out = append(out, name)
		}
	}
	return out
}

func (f npyFile) numbers() []string    { return nil }
func (f netcdfFile) numbers() []string { return numbersOf(f.Attributes()) }
func (f zarrFile) numbers() []string   { return numbersOf(f.Attributes()) }
func (f *hdf5File) numbers() []string {
	names, err := f.Attributes("/")
	if err != nil {
		return nil
	}
	all := map[string]any{}
	for _, name := range names {
		if v, ok := f.attribute(name); ok {
			all[name] = v
		}
	}
	return numbersOf(all)
}

func (f npyFile) memory() int64    { return f.Memory() }
func (f netcdfFile) memory() int64 { return 0 }
func (f zarrFile) memory() int64   { return f.Memory() }
func (f *hdf5File) memory() int64  { return 0 }

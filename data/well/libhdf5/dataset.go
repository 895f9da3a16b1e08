//go:build hdf5

package libhdf5

import (
	"fmt"
	"slices"
	"unsafe"

	"gonum.org/v1/hdf5"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// dataset is an array of a file, for reading or writing.
type dataset struct {
	f     *file
	path  string
	d     *hdf5.Dataset
	shape []int
	chunk []int
	e     element
}

// Dataset opens a dataset. Closing the file closes it.
func (f *file) Dataset(path string) (driver.Dataset, error) {
	defer quiet()()
	if !f.exists(path) {
		return nil, f.fail(path, "%w", driver.ErrNotFound)
	}
	d, err := f.f.OpenDataset(path)
	if err != nil {
		return nil, f.fail(path, "%w: the object is not a dataset (%v)", driver.ErrNotFound, err)
	}
	return describe(f, path, d)
}

// describe reads the shape, chunks and type of a dataset.
func describe(f *file, path string, d *hdf5.Dataset) (*dataset, error) {
	f.keep(d)
	space := d.Space()
	if space == nil {
		return nil, f.fail(path, "the shape cannot be read")
	}
	defer space.Close()
	out := &dataset{f: f, path: path, d: d, e: datasetType(d.ID())}
	if rank := space.SimpleExtentNDims(); rank > 0 {
		dims, _, err := space.SimpleExtentDims()
		if err != nil {
			return nil, f.fail(path, "the shape cannot be read: %w", err)
		}
		for _, n := range dims {
			out.shape = append(out.shape, int(n))
		}
	}
	out.chunk = chunkOf(d.ID(), len(out.shape))
	return out, nil
}

func (d *dataset) Shape() []int { return d.shape }
func (d *dataset) Chunk() []int { return d.chunk }

// Type returns a short name of the type.
func (d *dataset) Type() string {
	name := map[int]string{kindFloat: "float", kindInt: "int", kindUint: "uint", kindEnum: "enumeration", kindBool: "bool", kindText: "string", kindOther: "other"}[d.e.kind]
	if d.e.kind == kindFloat || d.e.kind == kindInt || d.e.kind == kindUint {
		name += fmt.Sprint(8 * d.e.size)
	}
	if d.e.big {
		name += " big-endian"
	}
	return name
}

// Float32 reads a block. The method of datasetWriter writes one.
func (d *dataset) Float32(values []float32, offset, count []int) error {
	return move(d, false, values, offset, count)
}

// Float64 reads a block.
func (d *dataset) Float64(values []float64, offset, count []int) error {
	return move(d, false, values, offset, count)
}

// move reads or writes a block.
func move[T float32 | float64](d *dataset, write bool, values []T, offset, count []int) error {
	if d.e.kind == kindText || d.e.kind == kindOther {
		return d.f.fail(d.path, "expected integers or floats, got the type %s", d.Type())
	}
	if len(offset) != len(d.shape) || len(count) != len(d.shape) {
		return d.f.fail(d.path, "expected an offset and a count for each axis of shape %v, got %v and %v", d.shape, offset, count)
	}
	n := 1
	for i, c := range count {
		if offset[i] < 0 || c < 0 || c > d.shape[i] || offset[i] > d.shape[i]-c {
			return d.f.fail(d.path, "expected a block within shape %v, got %v elements at %v", d.shape, count, offset)
		}
		n *= c
	}
	if len(values) != n {
		return d.f.fail(d.path, "expected %d values, got %d", n, len(values))
	}
	if n == 0 {
		return nil
	}
	doubles := unsafe.Sizeof(values[0]) == 8
	if d.e.kind != kindEnum && d.e.kind != kindBool {
		if !transfer(d.d.ID(), write, doubles, offset, count, unsafe.Pointer(&values[0])) {
			return d.f.fail(d.path, "the library could not read or write %v elements at %v: a filter or a damaged chunk", count, offset)
		}
		return nil
	}
	return moveIntegers(d, write, values, offset, count)
}

// moveIntegers is move for enumerations and bools, whose numbers the library does not
// convert.
func moveIntegers[T float32 | float64](d *dataset, write bool, values []T, offset, count []int) error {
	raw := make([]byte, len(values)*d.e.size)
	if write {
		for i, v := range values {
			if v != 0 {
				raw[i] = 1
			}
		}
	}
	if !transfer(d.d.ID(), write, false, offset, count, unsafe.Pointer(&raw[0])) {
		return d.f.fail(d.path, "the library could not read or write %v elements at %v", count, offset)
	}
	if !write {
		for i := range values {
			values[i] = T(enumeration(raw[i*d.e.size:], d.e.size))
		}
	}
	return nil
}

// datasetWriter writes blocks of a new dataset.
type datasetWriter struct{ *dataset }

// Dataset creates a dataset; see driver.Writer.
func (w *writer) Dataset(path string, spec driver.Spec) (driver.DatasetWriter, error) {
	defer quiet()()
	kind, ok := map[string]int{"float32": kindFloat, "float64": kindFloat, "int64": kindInt, "bool": kindBool}[spec.Type]
	if !ok {
		return nil, w.fail(path, "expected the type float32, float64, int64 or bool, got %q", spec.Type)
	}
	size := 8
	if spec.Type == "float32" {
		size = 4
	}
	if !create(w.f.ID(), path, kind, size, spec.Shape, spec.Chunk, spec.Deflate) {
		return nil, w.fail(path, "the dataset of shape %v cannot be made", spec.Shape)
	}
	d, err := w.f.OpenDataset(path)
	if err != nil {
		return nil, w.fail(path, "%w", err)
	}
	out, err := describe(&w.file, path, d)
	if err != nil {
		return nil, err
	}
	return datasetWriter{out}, nil
}

// Float32 writes a block.
func (d datasetWriter) Float32(values []float32, offset, count []int) error {
	return move(d.dataset, true, slices.Clone(values), offset, count)
}

// Float64 writes a block.
func (d datasetWriter) Float64(values []float64, offset, count []int) error {
	return move(d.dataset, true, slices.Clone(values), offset, count)
}

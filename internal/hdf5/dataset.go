package hdf5

import (
	"fmt"
	"sync"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// Dataset is an array in a file. It implements driver.Dataset.
type Dataset struct {
	f       *File
	path    string
	typ     datatype
	space   dataspace
	layout  layout
	filters []filter
	fill    []byte

	once     sync.Once
	index    chunkIndex
	indexErr error
}

// Dataset opens a dataset. Later calls return the same dataset, whose chunks are
// already located.
func (f *File) Dataset(path string) (driver.Dataset, error) {
	f.mu.Lock()
	d := f.datasets[path]
	f.mu.Unlock()
	if d != nil {
		return d, nil
	}
	d, err := f.openDataset(path)
	if err != nil {
		return nil, f.wrap(path, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if first := f.datasets[path]; first != nil {
		return first, nil
	}
	f.datasets[path] = d
	return d, nil
}

func (f *File) openDataset(path string) (*Dataset, error) {
	at, err := f.find(path)
	if err != nil {
		return nil, err
	}
	o, err := f.object(at)
	if err != nil {
		return nil, err
	}
	if _, ok := o.first(msgLayout); !ok {
		return nil, fmt.Errorf("%w: the object is not a dataset", driver.ErrNotFound)
	}
	d := &Dataset{f: f, path: path}
	if d.typ, err = f.datatypeOf(o); err != nil {
		return nil, err
	}
	if d.space, err = f.dataspaceOf(o); err != nil {
		return nil, err
	}
	if d.layout, err = f.layoutOf(o, d.typ.size); err != nil {
		return nil, err
	}
	if d.fill, err = f.fillOf(o, d.typ.size); err != nil {
		return nil, err
	}
	m, ok, err := f.message(o, msgFilters)
	if err != nil {
		return nil, err
	}
	if ok {
		c := o.cursor(m, "filters")
		if d.filters = parseFilters(c); c.err != nil {
			return nil, c.err
		}
	}
	return d, d.check()
}

// check compares the layout with the shape.
func (d *Dataset) check() error {
	bytes := uint64(d.space.count()) * uint64(d.typ.size)
	switch l := d.layout; l.kind {
	case compactLayout:
		if uint64(len(l.data)) < bytes {
			return fmt.Errorf("expected %d bytes for shape %v, got %d", bytes, d.space.dims, len(l.data))
		}
	case contiguousLayout:
		if l.address == undefined || bytes == 0 {
			return nil
		}
		if l.size < bytes {
			return fmt.Errorf("expected %d bytes for shape %v, got %d", bytes, d.space.dims, l.size)
		}
		return d.f.within(l.address, bytes)
	case chunkedLayout:
		if len(l.chunk) != len(d.space.dims) {
			return fmt.Errorf("expected chunks of %d axes, got shape %v", len(d.space.dims), l.chunk)
		}
	}
	return nil
}

// Shape returns the lengths of the axes.
func (d *Dataset) Shape() []int { return d.space.dims }

// Type returns the name of the stored type.
func (d *Dataset) Type() string { return d.typ.String() }

// Chunk returns the shape of a chunk, nil if the dataset is contiguous.
func (d *Dataset) Chunk() []int { return d.layout.chunk }

func (d *Dataset) chunkBytes() int { return product(d.layout.chunk) * d.typ.size }

// Float32 reads a block of elements; see driver.Dataset.
func (d *Dataset) Float32(dst []float32, offset, count []int) error {
	return d.f.wrap(d.path, read(d, dst, offset, count, datatype.float32s))
}

// Float64 reads a block of elements; see driver.Dataset.
func (d *Dataset) Float64(dst []float64, offset, count []int) error {
	return d.f.wrap(d.path, read(d, dst, offset, count, datatype.float64s))
}

// chunks returns the index and reads it at the first call.
func (d *Dataset) chunks() (chunkIndex, error) {
	d.once.Do(func() { d.index, d.indexErr = d.readIndex() })
	return d.index, d.indexErr
}

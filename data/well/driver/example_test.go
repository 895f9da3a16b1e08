package driver_test

import (
	"context"
	"fmt"
	"log"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

// memory is a driver that keeps files in memory. It also creates an empty file on disk for
// each, because package well lists folders itself.
type memory map[string]*object

// object is a group or a dataset with its attributes.
type object struct {
	members    map[string]*object
	attributes map[string]any
	spec       driver.Spec
	values     []float64 // nil for a group
}

func newObject() *object {
	return &object{members: map[string]*object{}, attributes: map[string]any{}}
}

func (m memory) Create(name string) (driver.Writer, error) {
	m[name] = newObject()
	return writer{m[name]}, os.WriteFile(name, nil, 0o666)
}

func (m memory) Open(name string) (driver.File, error) {
	root, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, driver.ErrNotFound)
	}
	return reader{root}, nil
}

// find returns the object at a path; "/" is the root.
func (o *object) find(name string) (*object, error) {
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '/' }) {
		if o = o.members[part]; o == nil {
			return nil, fmt.Errorf("%s: %w", name, driver.ErrNotFound)
		}
	}
	return o, nil
}

// reader is a file open for reading.
type reader struct{ root *object }

func (r reader) Children(group string) ([]string, error) {
	o, err := r.root.find(group)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(o.members)), nil
}

func (r reader) IsGroup(path string) (bool, error) {
	o, err := r.root.find(path)
	return err == nil && o.values == nil, nil
}

func (r reader) Attributes(path string) ([]string, error) {
	o, err := r.root.find(path)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(o.attributes)), nil
}

func (r reader) Attribute(path, name string) (any, error) {
	o, err := r.root.find(path)
	if err != nil {
		return nil, err
	}
	v, ok := o.attributes[name]
	if !ok {
		return nil, fmt.Errorf("attribute %q of %s: %w", name, path, driver.ErrNotFound)
	}
	return v, nil
}

func (r reader) Dataset(path string) (driver.Dataset, error) {
	o, err := r.root.find(path)
	if err != nil {
		return nil, err
	}
	return array{o}, nil
}

func (r reader) Close() error { return nil }

// writer is a file being written.
type writer struct{ root *object }

func (w writer) add(name string, o *object) error {
	parent, err := w.root.find(path.Dir(name))
	if err != nil {
		return err
	}
	parent.members[path.Base(name)] = o
	return nil
}

func (w writer) Group(path string) error { return w.add(path, newObject()) }

func (w writer) Attribute(path, name string, value any) error {
	o, err := w.root.find(path)
	if err != nil {
		return err
	}
	o.attributes[name] = value
	return nil
}

func (w writer) Dataset(path string, spec driver.Spec) (driver.DatasetWriter, error) {
	o, n := newObject(), 1
	for _, d := range spec.Shape {
		n *= d
	}
	o.spec, o.values = spec, make([]float64, n)
	return filler{array{o}}, w.add(path, o)
}

func (w writer) Close() error { return nil }
func (w writer) Abort() error { return nil }

// array is a dataset open for reading.
type array struct{ o *object }

func (a array) Shape() []int { return a.o.spec.Shape }
func (a array) Type() string { return a.o.spec.Type }
func (a array) Chunk() []int { return a.o.spec.Chunk }

func (a array) Float32(dst []float32, offset, count []int) error {
	a.block(offset, count, func(i, at int) { dst[i] = float32(a.o.values[at]) })
	return nil
}

func (a array) Float64(dst []float64, offset, count []int) error {
	a.block(offset, count, func(i, at int) { dst[i] = a.o.values[at] })
	return nil
}

// block calls do for each element of a block with its index in the block and in the array.
func (a array) block(offset, count []int, do func(i, at int)) {
	n := 1
	for _, c := range count {
		n *= c
	}
	for i := range n {
		at, step, rest := 0, 1, i
		for axis := len(count) - 1; axis >= 0; axis-- {
			at += (offset[axis] + rest%count[axis]) * step
			rest, step = rest/count[axis], step*a.o.spec.Shape[axis]
		}
		do(i, at)
	}
}

// filler is a dataset being written.
type filler struct{ a array }

func (f filler) Float32(values []float32, offset, count []int) error {
	f.a.block(offset, count, func(i, at int) { f.a.o.values[at] = float64(values[i]) })
	return nil
}

func (f filler) Float64(values []float64, offset, count []int) error {
	f.a.block(offset, count, func(i, at int) { f.a.o.values[at] = values[i] })
	return nil
}

// A custom driver works with package well after it is registered.
func ExampleDriver() {
	well.RegisterDriver("memory", memory{})
	dir, err := os.MkdirTemp("", "driver")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "flow.hdf5")
	w, err := well.Create(path, well.Header{
		Dataset: "flow", Coordinates: [][]float32{{0, 1}, {0, 1, 2}}, Times: []float32{0, 1}, Trajectories: 1,
		Fields:     []data.Field{{Name: "pressure"}},
		Boundaries: data.Boundaries{data.Both(data.Periodic), {Low: data.Wall, High: data.Open}},
	}, well.WriteOptions{Driver: "memory"})
	if err != nil {
		log.Fatal(err)
	}
	for step := range 2 {
		if err := w.Frame(0, step, []float32{1, 2, 3, 4, 5, float32(step)}); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	ds, err := well.Open(path, well.Options{Driver: "memory"})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	frames, err := ds.Read(context.Background(), data.Span{Stride: 1, Frames: 2}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(well.Drivers(), ds.Metadata().Grid, frames.Boundaries, frames.Frames)
	_, err = well.Open(path, well.Options{}) // the pure Go driver reads the empty file on disk
	fmt.Println(strings.ReplaceAll(err.Error(), dir, "…"))
	// Output:
	// [go memory] [2 3] [periodic wall/open] [[1 2 3 4 5 0] [1 2 3 4 5 1]]
	// well: hdf5: …/flow.hdf5: not an HDF5 file: the signature is missing: the layout is not The Well's: gowalrus import --guess PATH begins a mapping that imports other files (in Go: package data/convert/mapping)
}

package well

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// WriteOptions selects how a file is written.
type WriteOptions struct {
	// Driver is the name of the HDF5 driver. Empty means DefaultDriver.
	Driver string
}

// Writer writes one file of the layout. Frames may be written in any order and
// concurrently; each is on disk when its call returns. The file appears under its name only
// if Close succeeds.
type Writer struct {
	path     string
	header   Header
	w        driver.Writer
	grid     []int
	points   int
	variable []*fieldWriter
	constant []*fieldWriter

	mu sync.Mutex
	// written has one entry per trajectory and frame, constants one per trajectory.
	written   [][]bool
	constants []bool
	scalars   map[string]*scalarWriter
}

// fieldWriter writes the frames of one field.
type fieldWriter struct {
	name       string
	ds         driver.DatasetWriter
	shape      []int // of one frame: grid, components
	components int
}

// scalarWriter collects the values of a scalar.
type scalarWriter struct {
	spec   ScalarSpec
	steps  int
	values []float32
	set    []bool // per trajectory
}

// Create creates a file. It is an error if the file exists or the header is invalid.
func Create(path string, h Header, o WriteOptions) (*Writer, error) {
	if err := h.Validate(); err != nil {
		return nil, fmt.Errorf("well: %s: %w", path, err)
	}
	drv, err := driverFor(o.Driver)
	if err != nil {
		return nil, err
	}
	f, err := drv.Create(path)
	if err != nil {
		return nil, fmt.Errorf("well: %w", err)
	}
	h = h.withDefaults()
	w := &Writer{path: path, header: h, w: f, grid: h.grid(), points: 1, constants: make([]bool, h.Trajectories), scalars: map[string]*scalarWriter{}}
	for _, n := range w.grid {
		w.points *= n
	}
	for range h.Trajectories {
		w.written = append(w.written, make([]bool, len(h.Times)))
	}
	if err := w.writeLayout(); err != nil {
		return nil, fmt.Errorf("well: %w", errors.Join(err, f.Abort()))
	}
	return w, nil
}

// Frame writes a frame: the variable channels in the order of the header, [C·points], as in
// data.Window.Frames.
func (w *Writer) Frame(trajectory, step int, values []float32) error {
	if trajectory < 0 || trajectory >= w.header.Trajectories || step < 0 || step >= len(w.header.Times) {
		return fmt.Errorf("well: %s: expected a trajectory below %d and a frame below %d, got %d and %d",
			w.path, w.header.Trajectories, len(w.header.Times), trajectory, step)
	}
	place := fmt.Sprintf("well: %s: trajectory %d frame %d", w.path, trajectory, step)
	if err := w.put(w.variable, values, trajectory, step); err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written[trajectory][step] = true
	return nil
}

// Constants writes the constant fields of a trajectory, [C·points].
func (w *Writer) Constants(trajectory int, values []float32) error {
	if trajectory < 0 || trajectory >= w.header.Trajectories {
		return fmt.Errorf("well: %s: expected a trajectory below %d, got %d", w.path, w.header.Trajectories, trajectory)
	}
	if err := w.put(w.constant, values, trajectory); err != nil {
		return fmt.Errorf("well: %s: trajectory %d constant fields: %w", w.path, trajectory, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.constants[trajectory] = true
	return nil
}

// put writes the channels of fields at the given trajectory and step.
func (w *Writer) put(fields []*fieldWriter, values []float32, at ...int) error {
	want := 0
	for _, f := range fields {
		want += f.components * w.points
	}
	if len(values) != want {
		return fmt.Errorf("expected %d values, got %d", want, len(values))
	}
	for _, f := range fields {
		n := f.components * w.points
		if err := f.put(values[:n], at); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// put writes one frame of a field with components last.
func (f *fieldWriter) put(values []float32, at []int) error {
	points := len(values) / f.components
	for i, v := range values {
		if !finite(v) {
			return fmt.Errorf("field %s component %d point %d is %v: expected finite values", f.name, i/points, i%points, v)
		}
	}
	block := values
	if f.components > 1 {
		block = make([]float32, len(values))
		for c := range f.components {
			for p, v := range values[c*points : (c+1)*points] {
				block[p*f.components+c] = v
			}
		}
	}
	offset := append(slices.Clone(at), make([]int, len(f.shape))...)
	count := slices.Concat(slices.Repeat([]int{1}, len(at)), f.shape)
	return f.ds.Float32(block, offset, count)
}

// Scalar writes the values of a declared scalar for a trajectory: one value if it is
// constant, otherwise one per frame.
func (w *Writer) Scalar(name string, trajectory int, values []float32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.scalars[name]
	if !ok || trajectory < 0 || trajectory >= w.header.Trajectories || len(values) != s.steps || !allFinite(values) {
		return fmt.Errorf("well: %s: scalar %q: expected one of %v, a trajectory below %d and finite values, one or one per frame (%d), got trajectory %d and %v",
			w.path, name, w.header.Scalars, w.header.Trajectories, len(w.header.Times), trajectory, values)
	}
	copy(s.values[trajectory*s.steps:], values)
	s.set[trajectory] = true
	return nil
}

func allFinite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return !finite(v) })
}

// Close completes the file. If a frame, the constants or a scalar of a trajectory was not
// written, Close returns an error and removes the file.
func (w *Writer) Close() error {
	err := w.complete()
	if err == nil {
		err = w.writeScalars()
	}
	if err != nil {
		return fmt.Errorf("well: %s: %w", w.path, errors.Join(err, w.w.Abort()))
	}
	if err := w.w.Close(); err != nil {
		return fmt.Errorf("well: %w", err)
	}
	return nil
}

// complete returns an error that names the first missing part.
func (w *Writer) complete() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.header.Trajectories {
		if step := slices.Index(w.written[i], false); step >= 0 {
			return fmt.Errorf("trajectory %d: frame %d was not written", i, step)
		}
		if len(w.constant) > 0 && !w.constants[i] {
			return fmt.Errorf("trajectory %d: the constant fields were not written", i)
		}
		for _, s := range w.header.Scalars {
			if !w.scalars[s.Name].set[i] {
				return fmt.Errorf("trajectory %d: scalar %q was not written", i, s.Name)
			}
		}
	}
	return nil
}

// Abort removes the incomplete file. After Close it does nothing.
func (w *Writer) Abort() error { return w.w.Abort() }

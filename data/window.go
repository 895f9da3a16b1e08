package data

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// MaskName is the name of the constant scalar field that marks solid points. Forecasts and
// targets are 0 where the mask is not 0.
const MaskName = "mask"

// Window holds consecutive frames of one system: the input of an emulator and of training.
// Values are float32 in physical units, in row-major order over the grid.
type Window struct {
	// Name says where the window was read; errors contain it.
	Name string
	// Fields lists the physical fields of a frame. A vector has one component per axis of
	// the grid, a tensor one per pair of axes.
	Fields []Field
	// Grid is the number of points along each of 1 to 3 axes.
	Grid []int
	// Boundaries holds one Boundary per axis. There is no default.
	Boundaries Boundaries
	// Embedded says that a grid of three axes holds a 1D or 2D system, to which the axes of
	// length 1 do not belong. Vector and tensor components along those axes are padding:
	// they are forecast as 0 and do not count in scores.
	Embedded bool
	// Frames holds consecutive frames at equal intervals. Each frame concatenates the
	// channels of the variable fields in the order of Fields: [C·H·W·D].
	Frames [][]float32
	// Constants concatenates the channels of the constant fields in the same way. It is
	// empty if there are none.
	Constants []float32

	// Axes names the axes of the grid, and with them the components of vectors. nil means
	// the first of x, y, z.
	Axes []string
	// Curvilinear says that the coordinates are not Cartesian. Components then have no
	// fixed direction, so the window is neither extended to 3D nor rotated
	// (docs/reference.md §11).
	Curvilinear bool
	// Times holds the time of each frame, Coordinates the coordinate of each point along
	// each axis. Both may be nil.
	Times       []float32
	Coordinates [][]float32
	// Scalars holds numbers that belong to the window, such as parameters of the equations
	// and diagnostics.
	Scalars []Scalar
	// Origin says which file the window was read from, if any.
	Origin Origin
}

// maxPoints bounds the points of a grid, so that the number of values fits an int.
const maxPoints = 1 << 50

// Scalar is a number, or one number per frame, that belongs to a window.
type Scalar struct {
	Name string
	// Constant scalars have one value; the others have one per frame.
	Constant bool
	Values   []float32
}

// Points returns the number of grid points.
func (w *Window) Points() int {
	n := 1
	for _, d := range w.Grid {
		n *= d
	}
	return n
}

// Channels returns the names of the variable or of the constant channels in storage order.
func (w *Window) Channels(constant bool) []string {
	var out []string
	for _, f := range w.Fields {
		if f.Constant == constant {
			out = append(out, f.ComponentsOf(w.AxisNames())...)
		}
	}
	return out
}

// AxisNames returns the name of each axis of the grid.
func (w *Window) AxisNames() []string {
	if w.Axes != nil {
		return w.Axes
	}
	return cartesianAxes[:min(len(w.Grid), 3)]
}

// Validate checks that grid, boundaries, fields and arrays fit together and that every
// value is finite. Its errors are [*WindowError]s.
func (w *Window) Validate() error {
	if err := w.ValidateLayout(); err != nil {
		return w.fault("layout", err)
	}
	if len(w.Frames) == 0 {
		return w.fault("frames", errors.New("expected at least one frame of history, got none"))
	}
	if err := w.checkArrays((*Window).checkArray); err != nil {
		return err
	}
	return w.checkExtras()
}

// fault returns the error of a part of the window that is no frame.
func (w *Window) fault(array string, err error) error {
	e := &WindowError{Array: array, Frame: -1, Err: err}
	if w != nil {
		e.Window = w.Name
	}
	return e
}

// ValidateLayout checks grid, axes, boundaries and fields, but not the arrays. The error
// does not name the window.
func (w *Window) ValidateLayout() error {
	if w == nil {
		return errors.New("expected a window, got nil")
	}
	if n := len(w.Grid); n < 1 || n > 3 {
		return fmt.Errorf("grid %v: expected 1 to 3 axes, got %d", w.Grid, n)
	}
	points := 1
	for i, n := range w.Grid {
		if n < 1 {
			return fmt.Errorf("grid %v: expected a positive length on axis %d, got %d", w.Grid, i, n)
		}
		if n > maxPoints/points {
			return fmt.Errorf("grid %v: expected at most 2^50 points, got more", w.Grid)
		}
		points *= n
	}
	if w.Embedded && len(w.Grid) != 3 {
		return fmt.Errorf("embedded: expected a grid of 3 axes, got %v", w.Grid)
	}
	if w.Embedded && w.Curvilinear {
		return fmt.Errorf("embedded: expected Cartesian coordinates, got curvilinear ones")
	}
	if err := w.checkAxes(); err != nil {
		return err
	}
	if err := w.Boundaries.Validate(len(w.Grid)); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, f := range w.Fields {
		if err := f.Validate(); err != nil {
			return err
		}
		if seen[f.Name] {
			return fmt.Errorf("field %q is listed twice", f.Name)
		}
		seen[f.Name] = true
	}
	if err := w.distinct(); err != nil {
		return err
	}
	if len(w.Channels(false)) == 0 {
		return fmt.Errorf("expected at least one field that varies with time, got fields %v", w.Fields)
	}
	return nil
}

// ValidateLengths checks the layout, and the lengths of the arrays but not their values. Its
// errors are [*WindowError]s.
func (w *Window) ValidateLengths() error {
	if err := w.ValidateLayout(); err != nil {
		return w.fault("layout", err)
	}
	if err := w.checkArrays((*Window).checkLength); err != nil {
		return err
	}
	return w.checkExtras()
}

// checkArrays applies a check to every frame and to the constant fields.
func (w *Window) checkArrays(check func(w *Window, values []float32, channels []string) *WindowError) error {
	channels := w.Channels(false)
	for t, frame := range w.Frames {
		if err := check(w, frame, channels); err != nil {
			err.Window, err.Array, err.Frame = w.Name, "frames", t
			return err
		}
	}
	if err := check(w, w.Constants, w.Channels(true)); err != nil {
		err.Window, err.Array, err.Frame = w.Name, "constants", -1
		return err
	}
	return nil
}

// checkExtras checks the lengths of times, coordinates and scalars.
func (w *Window) checkExtras() error {
	if w.Times != nil && len(w.Times) != len(w.Frames) {
		return w.fault("times", fmt.Errorf("times: expected one per frame (%d), got %d", len(w.Frames), len(w.Times)))
	}
	if w.Coordinates != nil && len(w.Coordinates) != len(w.Grid) {
		return w.fault("coordinates", fmt.Errorf("coordinates: expected one list per axis (%d), got %d", len(w.Grid), len(w.Coordinates)))
	}
	for i, c := range w.Coordinates {
		if len(c) != w.Grid[i] {
			return w.fault("coordinates", fmt.Errorf("coordinates of axis %d: expected %d values, got %d", i, w.Grid[i], len(c)))
		}
	}
	for _, s := range w.Scalars {
		want := len(w.Frames)
		if s.Constant {
			want = 1
		}
		if len(s.Values) != want {
			return w.fault("scalars", fmt.Errorf("scalar %q: expected %d values, got %d", s.Name, want, len(s.Values)))
		}
	}
	return nil
}

// checkAxes checks the names of the axes. Cartesian axes must be x, y, z in this order,
// because the network knows components by these names.
func (w *Window) checkAxes() error {
	if w.Axes == nil {
		return nil
	}
	if len(w.Axes) != len(w.Grid) {
		return fmt.Errorf("axes %v: expected one name for each axis of grid %v, got %d", w.Axes, w.Grid, len(w.Axes))
	}
	if want := cartesianAxes[:len(w.Grid)]; !w.Curvilinear && !slices.Equal(w.Axes, want) {
		return fmt.Errorf("axes %v: expected %v for Cartesian coordinates", w.Axes, want)
	}
	return nil
}

// distinct returns an error if two fields have a channel of the same name, for example a
// vector "velocity" and a scalar "velocity_x". Cartesian vectors count with the components
// of three axes.
func (w *Window) distinct() error {
	axes := cartesianAxes
	if w.Curvilinear {
		axes = w.AxisNames()
	}
	owner := map[string]string{}
	for _, f := range w.Fields {
		for _, name := range f.ComponentsOf(axes) {
			if other, dup := owner[name]; dup {
				return fmt.Errorf("fields %q and %q both have the channel %s", other, f.Name, name)
			}
			owner[name] = f.Name
		}
	}
	return nil
}

// checkLength checks the length of one array.
func (w *Window) checkLength(values []float32, channels []string) *WindowError {
	if want := len(channels) * w.Points(); len(values) != want {
		return &WindowError{Err: fmt.Errorf("expected %d values (%d channels %v × grid %v), got %d",
			want, len(channels), channels, w.Grid, len(values))}
	}
	return nil
}

// checkArray checks the length and the values of one array.
func (w *Window) checkArray(values []float32, channels []string) *WindowError {
	if err := w.checkLength(values, channels); err != nil {
		return err
	}
	i, points := nonfinite.First(values), w.Points()
	if i < 0 {
		return nil
	}
	e := &WindowError{Field: channels[i/points], Point: w.place(i % points)}
	e.Err = fmt.Errorf("field %s is %v at %v: expected finite values", e.Field, values[i], e.Point)
	return e
}

// place returns the grid coordinates of a flat point index.
func (w *Window) place(i int) []int {
	at := make([]int, len(w.Grid))
	for a := len(w.Grid) - 1; a >= 0; a-- {
		at[a] = i % w.Grid[a]
		i /= w.Grid[a]
	}
	return at
}

// Slice returns the window of frames [from, to), which shares the arrays of w.
func (w *Window) Slice(from, to int) (*Window, error) {
	if from < 0 || to > len(w.Frames) || from >= to {
		return nil, fmt.Errorf("window %s has %d frames: cannot take [%d, %d)", w.Name, len(w.Frames), from, to)
	}
	if err := w.checkExtras(); err != nil {
		return nil, err
	}
	out := *w
	out.Frames = w.Frames[from:to]
	if w.Times != nil {
		out.Times = w.Times[from:to]
	}
	out.Scalars = slices.Clone(w.Scalars)
	for i, s := range w.Scalars {
		if !s.Constant {
			out.Scalars[i].Values = s.Values[from:to]
		}
	}
	out.Origin.Start += from * w.Origin.Stride
	return &out, nil
}

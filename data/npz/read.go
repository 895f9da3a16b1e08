package npz

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/npy"
)

// Names of the members of a file.
const (
	framesName    = "frames"
	constantsName = "constants"
	timesName     = "times"
	layoutName    = "window.json"
	// coordinatesName begins the names of the arrays of coordinates: coordinates_x.
	coordinatesName = "coordinates_"
)

// maxLayout bounds the size of window.json in bytes.
const maxLayout = 1 << 20

// Options describe the arrays of a file. What is set replaces the description in the file.
type Options struct {
	// Fields are the fields of the channels, in their order.
	Fields []data.Field
	// Boundaries has one entry per axis of the grid.
	Boundaries data.Boundaries
}

// layout is the content of window.json.
type layout struct {
	Name        string   `json:"name"`
	Fields      []field  `json:"fields"`
	Boundaries  string   `json:"boundaries"`
	Axes        []string `json:"axes,omitempty"`
	Curvilinear bool     `json:"curvilinear,omitempty"`
	Embedded    bool     `json:"embedded,omitempty"`
	// Members is the length of the axis of members of an ensemble, 0 without one.
	Members    int               `json:"members,omitempty"`
	Provenance map[string]string `json:"provenance,omitempty"`
}

type field struct {
	Name     string `json:"name"`
	Order    int    `json:"order,omitempty"`
	Constant bool   `json:"constant,omitempty"`
}

// Read reads a window. It must be valid as [data.Window.Validate] says: all values are
// finite. Errors name the file.
func Read(path string, o Options) (*data.Window, error) {
	w, err := read(path, o)
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	if err := w.Validate(); err != nil {
		return nil, fmt.Errorf("npz: %s: %w", path, err)
	}
	return w, nil
}

func read(path string, o Options) (*data.Window, error) {
	f, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w, err := described(path, f, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	name, label := framesName, "array "+framesName
	if names := f.Arrays(); len(names) == 1 && names[0] == npy.Single {
		name, label = npy.Single, "its array"
	}
	values, shape, err := array(f, name)
	if err != nil {
		return nil, err
	}
	if len(shape) < 3 || len(shape) > 5 || shape[0] < 1 {
		return nil, fmt.Errorf("%s: %s: expected shape [T, C, H], [T, C, H, W] or [T, C, H, W, D] with frames and channels, got %v", path, label, shape)
	}
	w.Grid = shape[2:]
	if err := w.ValidateLayout(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if channels := w.Channels(false); shape[1] != len(channels) {
		return nil, fmt.Errorf("%s: %s: expected %d channels %v for the fields, got %d in shape %v", path, label, len(channels), channels, shape[1], shape)
	}
	for frame := range slices.Chunk(values, len(values)/shape[0]) {
		w.Frames = append(w.Frames, frame)
	}
	if channels := w.Channels(true); len(channels) > 0 {
		if w.Constants, shape, err = array(f, constantsName); err != nil {
			return nil, err
		}
		if want := append([]int{len(channels)}, w.Grid...); !slices.Equal(shape, want) {
			return nil, fmt.Errorf("%s: array %s: expected shape %v for %v, got %v", path, constantsName, want, channels, shape)
		}
	}
	if slices.Contains(f.Arrays(), timesName) {
		if w.Times, _, err = array(f, timesName); err != nil {
			return nil, err
		}
	}
	return w, readCoordinates(f, w)
}

// readCoordinates reads the coordinates if the file has those of every axis.
func readCoordinates(f *npy.File, w *data.Window) error {
	var all [][]float32
	for _, axis := range w.AxisNames() {
		if !slices.Contains(f.Arrays(), coordinatesName+axis) {
			return nil
		}
		x, _, err := array(f, coordinatesName+axis)
		if err != nil {
			return err
		}
		all = append(all, x)
	}
	w.Coordinates = all
	return nil
}

// described returns a window with the fields and boundaries of the options or of the file,
// and no arrays.
func described(path string, f *npy.File, o Options) (*data.Window, error) {
	w := &data.Window{Name: path, Fields: o.Fields, Boundaries: o.Boundaries}
	if slices.Contains(f.Skipped(), layoutName) {
		l, err := readLayout(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", layoutName, err)
		}
		if err := l.describe(w); err != nil {
			return nil, fmt.Errorf("%s: %w", layoutName, err)
		}
	}
	if len(w.Fields) == 0 {
		return nil, errors.New("expected the fields of its channels, which the file does not describe: set Options.Fields, or --fields of gowalrus, such as pressure,velocity:vector")
	}
	if len(w.Boundaries) == 0 {
		return nil, errors.New("expected the boundaries of its axes, which the file does not describe: set Options.Boundaries, or --boundary of gowalrus, such as periodic,wall")
	}
	return w, nil
}

// readLayout reads window.json.
func readLayout(path string) (*layout, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	member, err := z.Open(layoutName)
	if err != nil {
		return nil, err
	}
	defer member.Close()
	text, err := io.ReadAll(io.LimitReader(member, maxLayout+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxLayout {
		return nil, fmt.Errorf("expected at most %d bytes, got more", maxLayout)
	}
	l := new(layout)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return l, dec.Decode(l)
}

// describe fills in what the window lacks.
func (l *layout) describe(w *data.Window) error {
	if l.Members > 0 {
		return fmt.Errorf("expected frames [T, C, …] of one trajectory, got an ensemble of %d members, whose array frames is [T, member, C, …]: write one member as a file of its own", l.Members)
	}
	w.Axes, w.Curvilinear, w.Embedded = l.Axes, l.Curvilinear, l.Embedded
	if l.Name != "" {
		w.Name = l.Name
	}
	if len(w.Fields) == 0 {
		for _, f := range l.Fields {
			w.Fields = append(w.Fields, data.Field(f))
		}
	}
	if len(w.Boundaries) > 0 {
		return nil
	}
	var err error
	w.Boundaries, err = data.ParseBoundaries(l.Boundaries)
	return err
}

// array reads an array as float32.
func array(f *npy.File, name string) ([]float32, []int, error) {
	d, err := f.Dataset(name)
	if err != nil {
		return nil, nil, err
	}
	shape, n := d.Shape(), 1
	for _, length := range shape {
		n *= length // the file has as many bytes, so that the product fits
	}
	values := make([]float32, n)
	return values, shape, d.Float32(values, make([]int, len(shape)), shape)
}

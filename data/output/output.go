package output

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// Header describes the frames that a file will have.
type Header struct {
	// Start is the window from which the forecast starts. Its name, fields, grid, axes,
	// boundaries, coordinates and constant fields are written; its frames are not.
	Start *data.Window
	// GridType is the coordinate system, as in [data.Metadata]. It may be empty if the
	// coordinates are Cartesian.
	GridType string
	// Times holds the time of each step. It has at least one entry and increases.
	Times []float32
	// Members is the number of ensemble members. 0 means one forecast, without an axis of
	// members.
	Members int
	// Provenance says how the frames were made, for example the weights and the seed: texts
	// by name. Names consist of letters, digits and underscores.
	Provenance map[string]string
}

// layout is a valid header with what follows from it.
type layout struct {
	Header
	axes        []string
	coordinates [][]float32
	// numbered says that the window has no coordinates, so that these are point numbers.
	numbered           bool
	variable, constant []string // channels
	points             int
}

// format writes the steps of a file.
type format interface {
	// step writes a step, with one frame per member.
	step(k int, frames [][]float32) error
	// commit completes the file, abort removes it.
	commit() error
	abort()
}

// formats maps the endings of file names to the functions that create files.
var formats = map[string]func(path string, l *layout) (format, error){
	".hdf5": createWell, ".h5": createWell, ".nc": createNetCDF, ".npz": createNPZ, ".vti": createVTI, ".zarr": createZarr,
}

// Formats returns the sorted endings of file names that [Create] knows, such as ".nc".
func Formats() []string {
	var out []string
	for ending := range formats {
		out = append(out, ending)
	}
	slices.Sort(out)
	return out
}

// Writer writes the steps of a forecast to a file. It keeps no frames in memory. It is for
// one goroutine.
type Writer struct {
	path   string
	layout *layout
	format format
	done   int
	closed bool
}

// Create begins a file whose format follows from the ending of its name; see [Formats].
// The file must not exist, and appears under its name only if Close succeeds. Its folder is
// made.
func Create(path string, h Header) (*Writer, error) {
	create, ok := formats[strings.ToLower(filepath.Ext(path))]
	if !ok {
		return nil, fmt.Errorf("output: %s: expected a name that ends in one of %s", path, strings.Join(Formats(), ", "))
	}
	l, err := h.layout()
	if err != nil {
		return nil, fmt.Errorf("output: %s: %w", path, err)
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("output: %s: it exists: remove it, or choose another name", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	f, err := create(path, l)
	if err != nil {
		return nil, fmt.Errorf("output: %s: %w", path, err)
	}
	return &Writer{path: path, layout: l, format: f}, nil
}

// Step writes the next step: the frame of each member, or one frame without members. A frame
// holds the variable channels in the order of the window, [C·points]. Values must be finite.
func (w *Writer) Step(frames ...[]float32) error {
	if w.closed {
		return fmt.Errorf("output: %s: step after Close or Abort", w.path)
	}
	want := max(w.layout.Members, 1)
	if w.done == len(w.layout.Times) || len(frames) != want {
		return fmt.Errorf("output: %s: step %d: expected %d steps of %d frames, got %d frames", w.path, w.done, len(w.layout.Times), want, len(frames))
	}
	for m, frame := range frames {
		if n := len(w.layout.variable) * w.layout.points; len(frame) != n {
			return fmt.Errorf("output: %s: step %d, frame %d: expected %d values (%d channels of %d points), got %d", w.path, w.done, m, n, len(w.layout.variable), w.layout.points, len(frame))
		}
		if i := nonfinite.First(frame); i >= 0 {
			return fmt.Errorf("output: %s: step %d, frame %d: %s is %v at point %d: expected finite values", w.path, w.done, m, w.layout.variable[i/w.layout.points], frame[i], i%w.layout.points)
		}
	}
	if err := w.format.step(w.done, frames); err != nil {
		return fmt.Errorf("output: %s: step %d: %w", w.path, w.done, err)
	}
	w.done++
	return nil
}

// Close completes the file. If steps are missing it returns an error and leaves no file.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	if w.done < len(w.layout.Times) {
		w.format.abort()
		return fmt.Errorf("output: %s: expected %d steps, got %d", w.path, len(w.layout.Times), w.done)
	}
	if err := w.format.commit(); err != nil {
		w.format.abort()
		return fmt.Errorf("output: %s: %w", w.path, err)
	}
	return nil
}

// Abort removes the incomplete file. After Close it does nothing.
func (w *Writer) Abort() {
	if !w.closed {
		w.closed = true
		w.format.abort()
	}
}

// Validate returns an error that names the missing or invalid part of the header.
func (h Header) Validate() error {
	_, err := h.layout()
	return err
}

// maxMembers bounds the number of members.
const maxMembers = 1 << 16

// layout checks the header.
func (h Header) layout() (*layout, error) {
	w := h.Start
	if w == nil {
		return nil, errors.New("expected the window from which the forecast starts, got nil")
	}
	if err := w.ValidateLengths(); err != nil {
		return nil, err
	}
	if w.Curvilinear && (h.GridType == "" || h.GridType == data.CartesianGrid) {
		return nil, fmt.Errorf("window %s: its coordinates are curvilinear: expected their grid type, such as spherical, got %q", w.Name, h.GridType)
	}
	if len(w.Frames) == 0 {
		return nil, fmt.Errorf("window %s: expected the frames from which the forecast starts, got none", w.Name)
	}
	if len(h.Times) == 0 || h.Members < 0 || h.Members > maxMembers {
		return nil, fmt.Errorf("expected the time of at least one step and 0 to %d members, got %d times and %d members", maxMembers, len(h.Times), h.Members)
	}
	bad := nonfinite.First(h.Times)
	for i, t := range h.Times {
		if i == bad || i > 0 && t <= h.Times[i-1] {
			return nil, fmt.Errorf("times: expected increasing numbers, got %v at step %d", t, i)
		}
	}
	l := &layout{Header: h, axes: w.AxisNames(), coordinates: w.Coordinates, variable: w.Channels(false), constant: w.Channels(true), points: w.Points()}
	if l.coordinates == nil {
		l.number()
	}
	return l, l.checkNames()
}

// number sets the coordinates of a window without any to the numbers of the points.
func (l *layout) number() {
	l.numbered = true
	for _, n := range l.Start.Grid {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i)
		}
		l.coordinates = append(l.coordinates, x)
	}
}

// Names of the axes that are not those of the grid.
const (
	timeName   = "time"
	memberName = "member"
)

// checkNames returns an error unless every array has a different name that all formats
// accept.
func (l *layout) checkNames() error {
	seen := map[string]bool{timeName: true, memberName: true}
	for _, name := range slices.Concat(l.axes, l.variable, l.constant) {
		if seen[name] || !plain(name) {
			return fmt.Errorf("%q: expected the name of a channel or an axis of letters, digits, underscores, points or hyphens, that nothing else has, nor the axes %s and %s", name, timeName, memberName)
		}
		seen[name] = true
	}
	for name := range l.Provenance {
		if !plain(name) || slices.Contains(reserved, name) {
			return fmt.Errorf("provenance %q: expected a name of letters, digits and underscores that is not one of %s", name, strings.Join(reserved, ", "))
		}
	}
	return nil
}

// plain reports whether a name begins with a letter or an underscore and has no characters
// but letters, digits and "_.-".
func plain(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789.-", r)) {
			return false
		}
	}
	return name != ""
}

// reserved are the attributes that the formats have themselves.
var reserved = []string{"Conventions", "title", "history", "grid_type", "boundaries", "coordinates", "dataset_name", "n_spatial_dims", "n_trajectories", "simulation_parameters", "TimeValue"}

// attributes returns the texts that describe a file, in a fixed order: name, value, ….
func (l *layout) attributes() (out [][2]string) {
	if l.Start.Name != "" {
		out = append(out, [2]string{"title", l.Start.Name})
	}
	kind := l.GridType
	if kind == "" {
		kind = data.CartesianGrid
	}
	var sides []string
	for i, b := range l.Start.Boundaries {
		sides = append(sides, l.axes[i]+" "+b.String())
	}
	out = append(out, [2]string{"grid_type", kind}, [2]string{"boundaries", strings.Join(sides, ", ")})
	if l.numbered {
		out = append(out, [2]string{"coordinates", "the source has none: these are the numbers of the points"})
	}
	var names []string
	for name := range l.Provenance {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, [2]string{name, l.Provenance[name]})
	}
	return out
}

// dimensions returns the names and lengths of the axes of a variable or of a constant
// channel.
func (l *layout) dimensions(constant bool) (names []string, lengths []int) {
	if !constant {
		names, lengths = append(names, timeName), append(lengths, len(l.Times))
		if l.Members > 0 {
			names, lengths = append(names, memberName), append(lengths, l.Members)
		}
	}
	return append(names, l.axes...), append(lengths, l.Start.Grid...)
}

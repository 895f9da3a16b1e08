package well

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// Header describes a file to be written, except the values of its fields.
type Header struct {
	// Dataset is the name of the data set (attribute dataset_name).
	Dataset string
	// GridType is the coordinate system. Empty means "cartesian".
	GridType string
	// Axes names the axes. nil means the first of x, y, z.
	Axes []string
	// Coordinates holds the coordinate of each point along each axis, which also gives the
	// number of points.
	Coordinates [][]float32
	// Times holds the time of each frame.
	Times []float32
	// Trajectories is the number of trajectories in the file.
	Trajectories int
	// Fields lists the fields, variable and constant, in the order in which their channels
	// are written. The file sorts them by tensor order, so a reader may return another
	// order. A constant field has one array per trajectory.
	Fields []data.Field
	// Boundaries holds one Boundary per axis.
	Boundaries data.Boundaries
	// Parameters holds the parameters of the equations that all trajectories share
	// (attribute simulation_parameters, and constant scalars).
	Parameters []Parameter
	// Scalars declares further scalars, whose values [Writer.Scalar] writes.
	Scalars []ScalarSpec
	// Attributes are further texts of the file, by name, such as its provenance. Readers of the
	// layout ignore them.
	Attributes map[string]string
	// Deflate is the compression level, 1 to 9. 0 means 6, -1 means no compression. A chunk
	// is one frame of one field.
	Deflate int
}

// Parameter is a named number.
type Parameter struct {
	Name  string
	Value float64
}

// ScalarSpec declares a scalar that differs between trajectories and, unless it is
// constant, between frames.
type ScalarSpec struct {
	Name     string
	Constant bool
}

// withDefaults returns the header with grid type, axes and compression filled in.
func (h Header) withDefaults() Header {
	if h.GridType == "" {
		h.GridType = data.CartesianGrid
	}
	if h.Axes == nil && len(h.Coordinates) <= 3 {
		h.Axes = []string{"x", "y", "z"}[:len(h.Coordinates)]
	}
	switch h.Deflate {
	case 0:
		h.Deflate = 6
	case -1:
		h.Deflate = 0
	}
	return h
}

// grid returns the number of points along each axis.
func (h Header) grid() []int {
	out := make([]int, len(h.Coordinates))
	for i, x := range h.Coordinates {
		out[i] = len(x)
	}
	return out
}

// Validate returns an error that names the missing or invalid part of the header.
func (h Header) Validate() error {
	h = h.withDefaults()
	if err := h.validate(); err != nil {
		return fmt.Errorf("header of %q: %w", h.Dataset, err)
	}
	return nil
}

func (h Header) validate() error {
	if h.Dataset == "" {
		return fmt.Errorf("expected the name of the data set, got none")
	}
	if h.Trajectories < 1 || h.Trajectories > maxTrajectories {
		return fmt.Errorf("expected 1 to %d trajectories, got %d", maxTrajectories, h.Trajectories)
	}
	if h.Deflate < 0 || h.Deflate > 9 {
		return fmt.Errorf("expected a compression level of -1 to 9, got %d", h.Deflate)
	}
	if err := h.validateGrid(); err != nil {
		return err
	}
	if len(h.Times) == 0 {
		return fmt.Errorf("expected the time of at least one frame, got none")
	}
	for i, t := range h.Times {
		if !finite(t) || (i > 0 && t <= h.Times[i-1]) {
			return fmt.Errorf("times: expected increasing numbers, got %v after %v at frame %d", t, h.Times[max(i-1, 0)], i)
		}
	}
	// The checks of a window apply here, too.
	w := data.Window{Fields: h.Fields, Grid: h.grid(), Boundaries: h.Boundaries, Axes: h.Axes, Curvilinear: h.GridType != data.CartesianGrid}
	if err := w.ValidateLayout(); err != nil {
		return err
	}
	for i, b := range h.Boundaries {
		if len(h.Coordinates[i]) == 1 && b.Low != b.High {
			return fmt.Errorf("axis %s has one point: expected the same boundary at both ends, got %s", h.Axes[i], b)
		}
	}
	for name := range h.Attributes {
		if name == "" || slices.Contains(rootAttributes, name) || slices.ContainsFunc(h.Parameters, func(p Parameter) bool { return p.Name == name }) {
			return fmt.Errorf("attribute %q: expected a name that is not empty, not %s and no parameter", name, strings.Join(rootAttributes, ", "))
		}
	}
	return h.validateScalars()
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

func (h Header) validateGrid() error {
	if n := len(h.Coordinates); n < 1 || n > 3 || len(h.Axes) != n {
		return fmt.Errorf("expected the coordinates of 1 to 3 axes and a name for each, got %d and the names %v", n, h.Axes)
	}
	for i, x := range h.Coordinates {
		if len(x) == 0 {
			return fmt.Errorf("axis %s: expected coordinates, got none", h.Axes[i])
		}
		if k := slices.IndexFunc(x, func(v float32) bool { return !finite(v) }); k >= 0 {
			return fmt.Errorf("axis %s: expected finite coordinates, got %v at point %d", h.Axes[i], x[k], k)
		}
	}
	return nil
}

func (h Header) validateScalars() error {
	seen := map[string]bool{"": true}
	for _, p := range h.Parameters {
		if seen[p.Name] || math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			return fmt.Errorf("parameter %q: expected a new name and a finite number, got %v", p.Name, p.Value)
		}
		if slices.Contains(rootAttributes, p.Name) {
			return fmt.Errorf("parameter %q: the layout has an attribute of this name", p.Name)
		}
		seen[p.Name] = true
	}
	for _, s := range h.Scalars {
		if seen[s.Name] {
			return fmt.Errorf("scalar %q: expected a new name", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// rootAttributes lists the attributes of the root group that the layout defines.
var rootAttributes = []string{"dataset_name", "grid_type", "n_spatial_dims", "n_trajectories", "simulation_parameters"}

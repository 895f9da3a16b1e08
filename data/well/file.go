package well

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

// header holds the metadata of a file of the layout.
type header struct {
	path         string // or address
	bytes        int64  // of the file
	dataset      string
	gridType     string
	axes         []string
	grid         []int
	coordinates  [][]float32
	trajectories int
	steps        int
	// times has one row if all trajectories share it, otherwise one per trajectory.
	times      [][]float32
	boundaries data.Boundaries
	parameters []Parameter
	fields     []*storedField // variable by order, then constant by order
	scalars    []storedScalar
	f          driver.File
	quota      *quota
}

// openFile opens a file, reads its header and checks it.
func openFile(d driver.Driver, p place, name string, q *quota) (*header, error) {
	f, err := p.openHDF5(d, name)
	if err != nil {
		return nil, p.foreign(name, fmt.Errorf("well: %w", err))
	}
	path := p.show(name)
	h := &header{path: path, f: f, quota: q}
	if err := h.read(f); err != nil {
		err = nameFile(path, err)
		if h.dataset == "" && errors.Is(err, driver.ErrNotFound) {
			err = &ForeignError{path, err}
		}
		return nil, errors.Join(err, f.Close())
	}
	return h, nil
}

// nameFile adds the name of the file to an error. The errors of drivers have it.
func nameFile(path string, err error) error {
	if _, ok := errors.AsType[*driver.Error](err); ok {
		return fmt.Errorf("well: %w", err)
	}
	return fmt.Errorf("well: %s: %w", path, err)
}

// read reads everything except the values of the fields.
func (h *header) read(f driver.File) error {
	for _, step := range []func(driver.File) error{
		h.readRoot, h.readDimensions, h.readTime, h.readParameters, h.readFields, h.readScalars,
	} {
		if err := step(f); err != nil {
			return err
		}
	}
	var err error
	if h.boundaries, err = readBoundaries(h.quota, f, h.axes, h.grid); err != nil {
		return err
	}
	// The checks of a window apply here, too; for example, channel names must differ.
	w := data.Window{Fields: h.fieldList(), Grid: h.grid, Boundaries: h.boundaries, Axes: h.axes, Curvilinear: h.gridType != data.CartesianGrid}
	return w.ValidateLayout()
}

func (h *header) readRoot(f driver.File) error {
	var err error
	if h.dataset, err = attribute[string](f, "/", "dataset_name"); err != nil {
		return err
	}
	if h.gridType, err = attribute[string](f, "/", "grid_type"); err != nil {
		return err
	}
	n, err := attribute[int64](f, "/", "n_trajectories")
	if err != nil {
		return err
	}
	if n < 1 || n > maxTrajectories {
		return fmt.Errorf("n_trajectories: expected 1 to %d, got %d", maxTrajectories, n)
	}
	h.trajectories = int(n)
	if err := h.quota.keep("trajectories", multiply(n, trajectoryBytes)); err != nil {
		return err
	}
	if err := need(f, "/dimensions", "/boundary_conditions", "/scalars", "/t0_fields", "/t1_fields", "/t2_fields"); err != nil {
		return err
	}
	groups, err := f.Children("/")
	if err != nil {
		return err
	}
	for _, g := range groups {
		if tensorGroup.MatchString(g) && g != "t0_fields" && g != "t1_fields" && g != "t2_fields" {
			return fmt.Errorf("/%s: fields of this tensor order are not supported: expected orders 0, 1 and 2", g)
		}
	}
	return nil
}

var tensorGroup = regexp.MustCompile(`^t\d+_fields$`)

// readDimensions reads the names of the axes and their coordinates.
func (h *header) readDimensions(f driver.File) error {
	var err error
	if h.axes, err = attribute[[]string](f, "/dimensions", "spatial_dims"); err != nil {
		return err
	}
	n, err := attribute[int64](f, "/", "n_spatial_dims")
	if err != nil {
		return err
	}
	if int(n) != len(h.axes) || n < 1 || n > 3 {
		return fmt.Errorf("n_spatial_dims: expected 1 to 3 and the number of the axes %v, got %d", h.axes, n)
	}
	if want := []string{"x", "y", "z"}[:n]; h.gridType == data.CartesianGrid && !slices.Equal(h.axes, want) {
		return fmt.Errorf("/dimensions: spatial_dims: expected %v on a cartesian grid, got %v", want, h.axes)
	}
	for _, a := range h.axes {
		path := "/dimensions/" + a
		ds, err := f.Dataset(path)
		if err != nil {
			return err
		}
		if len(ds.Shape()) != 1 || ds.Shape()[0] < 1 {
			return fmt.Errorf("%s: expected a list of coordinates, got shape %v", path, ds.Shape())
		}
		x, err := wholeFinite(h.quota, ds, path)
		if err != nil {
			return err
		}
		h.coordinates, h.grid = append(h.coordinates, x), append(h.grid, len(x))
	}
	return nil
}

// readTime reads the times of the frames, shared by all trajectories or one row for each.
func (h *header) readTime(f driver.File) error {
	const path = "/dimensions/time"
	ds, err := f.Dataset(path)
	if err != nil {
		return err
	}
	shape := ds.Shape()
	rows := 1
	switch {
	case len(shape) == 2 && shape[0] == h.trajectories:
		rows = shape[0]
	case len(shape) != 1:
		return fmt.Errorf("%s: expected shape [time] or [%d time], got %v", path, h.trajectories, shape)
	}
	if h.steps = shape[len(shape)-1]; h.steps < 1 {
		return fmt.Errorf("%s: expected at least one frame, got none", path)
	}
	all, err := wholeFinite(h.quota, ds, path)
	if err != nil {
		return err
	}
	for i := range rows {
		h.times = append(h.times, all[i*h.steps:(i+1)*h.steps])
	}
	return nil
}

// readParameters reads the numbers named in the root attribute simulation_parameters. It
// skips parameters that are not numbers.
func (h *header) readParameters(f driver.File) error {
	names, err := attribute[[]string](f, "/", "simulation_parameters")
	if errors.Is(err, driver.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		v, err := f.Attribute("/", name)
		if err != nil {
			return err
		}
		switch v := v.(type) {
		case float64:
			h.parameters = append(h.parameters, Parameter{name, v})
		case int64:
			h.parameters = append(h.parameters, Parameter{name, float64(v)})
		}
	}
	return nil
}

// readFields opens the fields that field_names lists, in that order. Other datasets of the
// groups do not belong to the data set.
func (h *header) readFields(f driver.File) error {
	var constant []*storedField
	for order := range 3 {
		names, err := attribute[[]string](f, fmt.Sprintf("/t%d_fields", order), "field_names")
		if err != nil {
			return err
		}
		for _, name := range names {
			s, err := h.openField(f, name, order)
			if err != nil {
				return err
			}
			if s.field.Constant {
				constant = append(constant, s)
			} else {
				h.fields = append(h.fields, s)
			}
		}
	}
	h.fields = append(h.fields, constant...)
	return h.checkSize()
}

// maxTrajectories bounds the trajectories that a file may declare, which may share all
// values. trajectoryBytes is the memory that Dataset keeps for each.
const (
	maxTrajectories = 1 << 20
	trajectoryBytes = 48
)

// maxFrame bounds the values of a frame that a file may declare: 8 GiB. Read compares
// frames with the budget of the data set.
const maxFrame = 1 << 31

// checkSize returns an error for frames that are larger.
func (h *header) checkSize() error {
	channels := 0
	for _, s := range h.fields {
		channels += s.components
	}
	values := channels
	for _, n := range h.grid {
		if values > maxFrame/n {
			return fmt.Errorf("expected frames of at most %d values, got a grid of %v with %d channels", maxFrame, h.grid, channels)
		}
		values *= n
	}
	return nil
}

// fieldList returns the fields in the order of a window's channels.
func (h *header) fieldList() []data.Field {
	out := make([]data.Field, len(h.fields))
	for i, s := range h.fields {
		out[i] = s.field
	}
	return out
}

// sameSystem returns an error unless h belongs to the same data set as first.
func (h *header) sameSystem(first *header) error {
	for _, c := range []struct {
		what      string
		want, got any
	}{
		{"dataset_name", first.dataset, h.dataset},
		{"grid_type", first.gridType, h.gridType},
		{"axes", first.axes, h.axes},
		{"resolution", first.grid, h.grid},
		{"fields", first.fieldList(), h.fieldList()},
		{"scalars", first.scalarNames(), h.scalarNames()},
	} {
		if fmt.Sprint(c.want) != fmt.Sprint(c.got) {
			return fmt.Errorf("well: %s: %s: expected %v, as in %s, got %v", h.path, c.what, c.want, first.path, c.got)
		}
	}
	return nil
}

// scalarNames lists the scalars and marks those that vary with time.
func (h *header) scalarNames() []string {
	var out []string
	for _, s := range h.scalars {
		if s.constant {
			out = append(out, s.name)
		} else {
			out = append(out, s.name+"(time)")
		}
	}
	return out
}

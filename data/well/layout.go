package well

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

// writeLayout writes groups, attributes, coordinates, times, boundaries and parameters, and
// creates the datasets of the fields.
func (w *Writer) writeLayout() error {
	for _, step := range []func() error{w.writeRoot, w.writeDimensions, w.writeBoundaries, w.makeScalars, w.makeFields} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// attributes sets several attributes of an object: name, value, name, value, ….
func (w *Writer) attributes(path string, pairs ...any) error {
	for i := 0; i < len(pairs); i += 2 {
		if err := w.w.Attribute(path, pairs[i].(string), pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// dataset creates a small dataset and writes its values.
func (w *Writer) dataset(path, typ string, shape []int, values []float32) error {
	d, err := w.w.Dataset(path, driver.Spec{Type: typ, Shape: shape})
	if err != nil {
		return err
	}
	return d.Float32(values, make([]int, len(shape)), shape)
}

func (w *Writer) writeRoot() error {
	h := w.header
	names := make([]string, len(h.Parameters))
	for i, p := range h.Parameters {
		names[i] = p.Name
		if err := w.attributes("/", p.Name, p.Value); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.Attributes)) {
		if err := w.attributes("/", name, h.Attributes[name]); err != nil {
			return err
		}
	}
	return w.attributes("/", "dataset_name", h.Dataset, "grid_type", h.GridType, "n_spatial_dims", int64(len(h.Axes)),
		"n_trajectories", int64(h.Trajectories), "simulation_parameters", names)
}

func (w *Writer) writeDimensions() error {
	h := w.header
	if err := w.w.Group("/dimensions"); err != nil {
		return err
	}
	if err := w.attributes("/dimensions", "spatial_dims", h.Axes); err != nil {
		return err
	}
	if err := w.dataset("/dimensions/time", "float32", []int{len(h.Times)}, h.Times); err != nil {
		return err
	}
	if err := w.attributes("/dimensions/time", "sample_varying", false, "time_varying", true); err != nil {
		return err
	}
	for i, axis := range h.Axes {
		path := "/dimensions/" + axis
		if err := w.dataset(path, "float32", []int{w.grid[i]}, h.Coordinates[i]); err != nil {
			return err
		}
		if err := w.attributes(path, "sample_varying", false, "time_varying", false); err != nil {
			return err
		}
	}
	return nil
}

// writeBoundaries writes one group per axis and condition, for example x_wall, with a mask
// that is set at the ends that have the condition.
func (w *Writer) writeBoundaries() error {
	const root = "/boundary_conditions"
	if err := w.w.Group(root); err != nil {
		return err
	}
	for i, b := range w.header.Boundaries {
		for _, bc := range slices.Compact([]data.BC{b.Low, b.High}) {
			mask := make([]float32, w.grid[i])
			if b.Low == bc {
				mask[0] = 1
			}
			if b.High == bc {
				mask[len(mask)-1] = 1
			}
			path := fmt.Sprintf("%s/%s_%s", root, w.header.Axes[i], bc)
			if err := w.w.Group(path); err != nil {
				return err
			}
			err := w.attributes(path, "associated_dims", []string{w.header.Axes[i]}, "associated_fields", []string{},
				"bc_type", strings.ToUpper(bc.String()), "sample_varying", false, "time_varying", false)
			if err != nil {
				return err
			}
			if err := w.dataset(path+"/mask", "bool", []int{len(mask)}, mask); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeScalars writes the parameters and allocates the values of the other scalars.
func (w *Writer) makeScalars() error {
	if err := w.w.Group("/scalars"); err != nil {
		return err
	}
	var names []string
	for _, p := range w.header.Parameters {
		names = append(names, p.Name)
		path := "/scalars/" + p.Name
		if err := w.dataset(path, "float32", nil, []float32{float32(p.Value)}); err != nil {
			return err
		}
		if err := w.attributes(path, "sample_varying", false, "time_varying", false); err != nil {
			return err
		}
	}
	for _, spec := range w.header.Scalars {
		names = append(names, spec.Name)
		s := &scalarWriter{spec: spec, steps: 1, set: make([]bool, w.header.Trajectories)}
		if !spec.Constant {
			s.steps = len(w.header.Times)
		}
		s.values = make([]float32, s.steps*w.header.Trajectories)
		w.scalars[spec.Name] = s
	}
	return w.attributes("/scalars", "field_names", names)
}

// writeScalars writes the collected values of the scalars.
func (w *Writer) writeScalars() error {
	for _, spec := range w.header.Scalars {
		s := w.scalars[spec.Name]
		shape := []int{w.header.Trajectories}
		if !spec.Constant {
			shape = append(shape, s.steps)
		}
		path := "/scalars/" + spec.Name
		if err := w.dataset(path, "float32", shape, s.values); err != nil {
			return err
		}
		if err := w.attributes(path, "sample_varying", true, "time_varying", !spec.Constant); err != nil {
			return err
		}
	}
	return nil
}

// makeFields creates the datasets of the fields, one group per tensor order.
func (w *Writer) makeFields() error {
	names := [3][]string{}
	for order := range names {
		if err := w.w.Group(fmt.Sprintf("/t%d_fields", order)); err != nil {
			return err
		}
	}
	for _, f := range w.header.Fields {
		names[f.Order] = append(names[f.Order], f.Name)
		if err := w.makeField(f); err != nil {
			return err
		}
	}
	for order, list := range names {
		if err := w.attributes(fmt.Sprintf("/t%d_fields", order), "field_names", list); err != nil {
			return err
		}
	}
	return nil
}

// makeField creates the dataset of a field: [trajectory, time, grid…, components…], with
// one chunk per frame.
func (w *Writer) makeField(f data.Field) error {
	fw := &fieldWriter{name: f.Name, components: f.ComponentCount(len(w.grid))}
	fw.shape = append(slices.Clone(w.grid), slices.Repeat([]int{len(w.grid)}, f.Order)...)
	head := []int{w.header.Trajectories}
	if !f.Constant {
		head = append(head, len(w.header.Times))
	}
	path := fmt.Sprintf("/t%d_fields/%s", f.Order, f.Name)
	var err error
	fw.ds, err = w.w.Dataset(path, driver.Spec{
		Type: "float32", Shape: slices.Concat(head, fw.shape),
		Chunk: slices.Concat(slices.Repeat([]int{1}, len(head)), fw.shape), Deflate: w.header.Deflate,
	})
	if err != nil {
		return err
	}
	if f.Constant {
		w.constant = append(w.constant, fw)
	} else {
		w.variable = append(w.variable, fw)
	}
	err = w.attributes(path, "dim_varying", slices.Repeat([]bool{true}, len(w.grid)), "sample_varying", true, "time_varying", !f.Constant)
	if err == nil && f.Order == 2 {
		err = w.attributes(path, "symmetric", false, "antisymmetric", false)
	}
	return err
}

package data

import "fmt"

// Field is one physical quantity on the grid: a scalar (Order 0), a vector
// (Order 1) or a tensor (Order 2). Its components are stored row major over
// the spatial axes: v_x, v_y; D_xx, D_xy, D_yx, D_yy.
type Field struct {
	// Name is the name without component suffix: "velocity".
	Name string
	// Order is the tensor order: 0, 1 or 2.
	Order int
	// Constant marks a field that does not change with time (a mask, a
	// material coefficient).
	Constant bool
}

// axisNames are the component suffixes of Cartesian fields.
const axisNames = "xyz"

// Components returns the channel names of the field on a grid with dims
// spatial axes: {"velocity_x", "velocity_y"} for a vector in two dimensions.
func (f Field) Components(dims int) []string {
	switch f.Order {
	case 0:
		return []string{f.Name}
	case 1:
		out := make([]string, 0, dims)
		for _, a := range axisNames[:dims] {
			out = append(out, fmt.Sprintf("%s_%c", f.Name, a))
		}
		return out
	default:
		out := make([]string, 0, dims*dims)
		for _, a := range axisNames[:dims] {
			for _, b := range axisNames[:dims] {
				out = append(out, fmt.Sprintf("%s_%c%c", f.Name, a, b))
			}
		}
		return out
	}
}

// Validate checks name and order.
func (f Field) Validate() error {
	if f.Name == "" {
		return fmt.Errorf("data: field without a name")
	}
	if f.Order < 0 || f.Order > 2 {
		return fmt.Errorf("data: field %q: expected tensor order 0, 1 or 2, got %d", f.Name, f.Order)
	}
	return nil
}

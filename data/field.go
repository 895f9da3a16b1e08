package data

import "fmt"

// Field is a physical quantity on the grid: a scalar (Order 0), a vector (Order 1) or a
// tensor (Order 2). Its components are stored in row-major order over the spatial axes:
// v_x, v_y; D_xx, D_xy, D_yx, D_yy.
type Field struct {
	// Name is the name without the suffix of a component: "velocity".
	Name string
	// Order is the tensor order: 0, 1 or 2.
	Order int
	// Constant marks a field that does not change with time, such as a mask or a material
	// coefficient.
	Constant bool
}

// cartesianAxes holds the suffixes of the components of Cartesian fields.
var cartesianAxes = []string{"x", "y", "z"}

// Components returns the channel names of the field on a Cartesian grid with dims axes:
// {"velocity_x", "velocity_y"} for a vector in 2D. It returns nil unless dims is 0 to 3.
func (f Field) Components(dims int) []string {
	if dims < 0 || dims > len(cartesianAxes) {
		return nil
	}
	return f.ComponentsOf(cartesianAxes[:dims])
}

// ComponentsOf returns the channel names of the field on a grid whose axes have the given
// names: {"velocity_theta", "velocity_phi"} for a vector on a sphere, {"D_xx", "D_xy",
// "D_yx", "D_yy"} for a tensor in 2D. A field of an order that [Field.Validate] refuses has
// none.
func (f Field) ComponentsOf(axes []string) []string {
	switch f.Order {
	case 0:
		return []string{f.Name}
	case 1:
		out := make([]string, 0, len(axes))
		for _, a := range axes {
			out = append(out, f.Name+"_"+a)
		}
		return out
	case 2:
		out := make([]string, 0, len(axes)*len(axes))
		for _, a := range axes {
			for _, b := range axes {
				out = append(out, f.Name+"_"+a+b)
			}
		}
		return out
	}
	return nil
}

// ComponentCount returns the number of channels of the field on a grid with dims axes: 1,
// dims or dims². A field of an order that [Field.Validate] refuses has none.
func (f Field) ComponentCount(dims int) int {
	switch f.Order {
	case 0:
		return 1
	case 1:
		return max(dims, 0)
	case 2:
		return max(dims, 0) * max(dims, 0)
	}
	return 0
}

// Validate checks the name and the order.
func (f Field) Validate() error {
	if f.Name == "" {
		return fmt.Errorf("field without a name")
	}
	if f.Order < 0 || f.Order > 2 {
		return fmt.Errorf("field %q: expected tensor order 0, 1 or 2, got %d", f.Name, f.Order)
	}
	return nil
}

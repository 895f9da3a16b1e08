package csm

import "fmt"

// GridError reports a grid that cannot be planned, or for which a network has no weights.
// [NewPlan], walrus.Model.Plan and walrus.Resize.Grid return one; errors.As finds it.
type GridError struct {
	// Grid holds the number of points along each axis.
	Grid []int
	// Axis is the index of the axis that is refused, or -1 if the whole grid is.
	Axis int
	// Err is the fault. It names grid or axis.
	Err error
}

// Error returns the text of the fault.
func (e *GridError) Error() string { return fmt.Sprint(e.Err) }

// Unwrap returns the fault.
func (e *GridError) Unwrap() error { return e.Err }

// refuse returns the error of a grid, or of one of its axes.
func refuse(grid []int, axis int, format string, args ...any) error {
	return &GridError{Grid: grid, Axis: axis, Err: fmt.Errorf("csm: "+format, args...)}
}

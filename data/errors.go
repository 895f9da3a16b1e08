package data

import (
	"fmt"
	"strings"
)

// WindowError reports a fault of a window. [Window.Validate] and functions that validate
// their windows wrap one; errors.As finds it.
type WindowError struct {
	// Window is the name of the window, "" if it has none.
	Window string
	// Array is the part of the window that is wrong: "layout" (grid, axes, boundaries,
	// fields), "frames", "constants", "times", "coordinates" or "scalars".
	Array string
	// Frame is the index in Window.Frames, or -1 if the error is not about one frame.
	Frame int
	// Field is the channel and Point the grid coordinates of the first value that is not
	// finite. They are empty if the error is about something else.
	Field string
	Point []int
	// Err is the fault.
	Err error
}

// Error names the window and the fault.
func (e *WindowError) Error() string {
	name := "window"
	if e.Window != "" {
		name += " " + e.Window
	}
	switch {
	case e.Frame >= 0:
		return fmt.Sprintf("%s: frame %d: %v", name, e.Frame, e.Err)
	case e.Array == "constants":
		return fmt.Sprintf("%s: constant fields: %v", name, e.Err)
	}
	return fmt.Sprintf("%s: %v", name, e.Err)
}

// Unwrap returns the fault.
func (e *WindowError) Unwrap() error { return e.Err }

// UnknownFieldsError reports channels that a [Registry] does not have.
type UnknownFieldsError struct {
	// Unknown lists the channels that are missing, Known the fields of the registry,
	// without the boundary channels.
	Unknown, Known []string
}

// Error lists the unknown and the known names.
func (e *UnknownFieldsError) Error() string {
	return fmt.Sprintf("data: the field registry has no %s; it knows %s", strings.Join(e.Unknown, ", "), strings.Join(e.Known, ", "))
}

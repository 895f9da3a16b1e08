package data

import (
	"fmt"
	"slices"
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

// Error lists the unknown names with the nearest known names, then all known names.
func (e *UnknownFieldsError) Error() string {
	parts := make([]string, len(e.Unknown))
	for i, name := range e.Unknown {
		parts[i] = name + e.hint(name)
	}
	return fmt.Sprintf("data: the field registry has no %s; it knows %s", strings.Join(parts, ", "), strings.Join(e.Known, ", "))
}

// hint returns what an unknown name may mean: a field of another order than the known one,
// or a misspelt name.
func (e *UnknownFieldsError) hint(name string) string {
	for order, suffix := range []string{"_x", "_xx"} {
		if !slices.Contains(e.Known, name+suffix) {
			continue
		}
		kind := []string{"vector", "tensor"}[order]
		return fmt.Sprintf(" (the components of a %s of this name are known, such as %s: declare the field with order %d, in a text as %s:%s)", kind, name+suffix, order+1, name, kind)
	}
	if field := stem(name); field != name && slices.Contains(e.Known, field) {
		return fmt.Sprintf(" (%s is known as a scalar: declare the field with order 0)", field)
	}
	if near := e.nearest(name); len(near) > 0 {
		return fmt.Sprintf(" (did you mean %s?)", strings.Join(near, " or "))
	}
	return ""
}

// nearest returns up to three known names with the smallest edit distance to a name, if it
// is at most a third of the name's length and at least 1.
func (e *UnknownFieldsError) nearest(name string) (out []string) {
	best := max(len(name)/3, 1)
	for _, known := range e.Known {
		if stem(known) == stem(name) {
			continue // another component of the same field
		}
		d := editDistance(strings.ToLower(name), strings.ToLower(known))
		if d < best {
			best, out = d, nil
		}
		if d == best && len(out) < 3 {
			out = append(out, known)
		}
	}
	return out
}

// stem returns the name of a component without its axes: "velocity" of "velocity_x".
func stem(name string) string {
	i := strings.LastIndex(name, "_")
	if i < 0 || strings.Trim(name[i:], "_xyz") != "" {
		return name
	}
	return name[:i]
}

// editDistance returns the smallest number of inserted, deleted and replaced bytes that
// turns one text into the other (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package mapping

import (
	"fmt"
	"strings"
)

// Error is a fault of a mapping or of a file that does not fit it.
type Error struct {
	// Mapping is the path of the mapping, or the name of its data set in quotes if a program
	// filled it in; empty for a text. Line is the line that the fault is about, 0 if the
	// mapping has no text.
	Mapping string
	Line    int
	// File, Array and Axis say where the fault is; those that do not apply are empty.
	File, Array, Axis string
	// Err is the fault: the expected and the found value, and the remedy.
	Err error
}

// Error names mapping, line, file, array, axis and fault.
func (e *Error) Error() string {
	var parts []string
	add := func(format, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf(format, value))
		}
	}
	if e.Line > 0 {
		add("%s", strings.TrimSpace(fmt.Sprintf("%s line %d", e.Mapping, e.Line)))
	} else {
		add("%s", e.Mapping)
	}
	add("%s", e.File)
	add("array %s", e.Array)
	add("axis %s", e.Axis)
	return "mapping: " + strings.Join(append(parts, fmt.Sprint(e.Err)), ": ")
}

// Unwrap returns the fault.
func (e *Error) Unwrap() error { return e.Err }

// name returns the path of the mapping, or its data set.
func (m *Mapping) name() string {
	if m.path != "" || m.lines != nil {
		return m.path
	}
	return fmt.Sprintf("%q", m.Name)
}

// line returns the line of a key, or of the nearest key above it: "fields.velocity.x".
func (m *Mapping) line(key string) int {
	for {
		if n, ok := m.lines[key]; ok {
			return n
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return 0
		}
		key = key[:i]
	}
}

// fault returns the error of a key.
func (m *Mapping) fault(key string, format string, args ...any) *Error {
	return &Error{Mapping: m.name(), Line: m.line(key), Err: fmt.Errorf(format, args...)}
}

// of adds the array of a source.
func (e *Error) of(file string, s Source) *Error {
	e.File, e.Array = file, s.Array
	return e
}

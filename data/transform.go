package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// TransformKind is a function applied to every value of a field (paper §C.1). The zero
// value is no function.
type TransformKind int

const (
	// Log10 replaces positive values by their decimal logarithms, which have shorter tails.
	Log10 TransformKind = iota + 1
	// ZerosLike replaces a field by zeros.
	ZerosLike
)

// transformNames holds the release's names of the functions. The part after the dot is
// prepended to the name of the field (docs/reference.md §1).
var transformNames = map[TransformKind]string{Log10: "torch.log10", ZerosLike: "torch.zeros_like"}

// String returns the name in the release's configuration: "torch.log10".
func (k TransformKind) String() string { return transformNames[k] }

// ParseTransform returns the kind with the given name; see [TransformKind.String].
func ParseTransform(name string) (TransformKind, error) {
	for k, n := range transformNames {
		if n == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("data: transform: expected torch.log10 or torch.zeros_like, got %q", name)
}

// Transform applies a function to a field.
type Transform struct {
	Field string
	Kind  TransformKind
}

// Rename returns the name of the field after the transform: "log10_density".
func (t Transform) Rename() string {
	_, function, _ := strings.Cut(t.Kind.String(), ".")
	return function + "_" + t.Field
}

// TransformFields returns fields with their names after the transforms. It is an error if a
// transform names no field, if two transforms name the same field, or if a new name is
// already used.
func TransformFields(fields []Field, ts []Transform) ([]Field, error) {
	out := slices.Clone(fields)
	done := map[string]bool{}
	for _, t := range ts {
		if t.Kind.String() == "" {
			return nil, fmt.Errorf("transform of field %q: unknown kind %d", t.Field, int(t.Kind))
		}
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == t.Field })
		if i < 0 || done[t.Field] {
			return nil, fmt.Errorf("transform %s of field %q: expected one of the fields %v, each once", t.Kind, t.Field, fieldNames(fields))
		}
		done[t.Field] = true
		out[i].Name = t.Rename()
	}
	names := fieldNames(out)
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		return nil, fmt.Errorf("transforms: two fields have one name in %v", names)
	}
	return out, nil
}

func fieldNames(fields []Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}

// Apply transforms values in place. Log10 of a value that is not positive is an error that
// gives the index of the value; values after it are not transformed. (The release continues
// with −Inf or NaN.)
func (t Transform) Apply(values []float32) error {
	switch t.Kind {
	case ZerosLike:
		clear(values)
	case Log10:
		for i, v := range values {
			if !(v > 0) {
				return fmt.Errorf("transform %s of field %q: value %d is %v: expected positive values", t.Kind, t.Field, i, v)
			}
			values[i] = float32(math.Log10(float64(v)))
		}
	default:
		return fmt.Errorf("transform of field %q: unknown kind %d", t.Field, int(t.Kind))
	}
	return nil
}

// ApplyTransforms transforms the arrays and the field names of a window in place. Errors
// name the window and the frame.
func ApplyTransforms(w *Window, ts []Transform) error {
	if len(ts) == 0 {
		return nil
	}
	if err := w.ValidateLengths(); err != nil {
		return err
	}
	fields, err := TransformFields(w.Fields, ts)
	if err != nil {
		return fmt.Errorf("window %s: %w", w.Name, err)
	}
	for _, t := range ts {
		if err := t.window(w); err != nil {
			return err
		}
	}
	w.Fields = fields
	return nil
}

// window applies the transform to the arrays of its field.
func (t Transform) window(w *Window) error {
	var variable, constant int // channels before the field
	for _, f := range w.Fields {
		n := f.ComponentCount(len(w.Grid)) * w.Points()
		at := &variable
		if f.Constant {
			at = &constant
		}
		if f.Name != t.Field {
			*at += n
			continue
		}
		if f.Constant {
			if err := t.Apply(w.Constants[constant : constant+n]); err != nil {
				return fmt.Errorf("window %s: %w", w.Name, err)
			}
			return nil
		}
		for i, frame := range w.Frames {
			if err := t.Apply(frame[variable : variable+n]); err != nil {
				return fmt.Errorf("window %s: frame %d: %w", w.Name, i, err)
			}
		}
	}
	return nil
}

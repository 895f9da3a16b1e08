package well

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// attribute reads an attribute of an object as a T. It expects the types that h5py writes;
// see driver.File.
func attribute[T any](f driver.File, path, name string) (T, error) {
	var zero T
	v, err := f.Attribute(path, name)
	if err != nil {
		return zero, err
	}
	out, ok := coerce(v, zero).(T)
	if !ok {
		return zero, fmt.Errorf("%s: attribute %q: expected a %T, got %v (%T)", path, name, zero, v, v)
	}
	return out, nil
}

// coerce converts the types of other writers: numbers to bools, floats without a fraction
// to integers, and an empty list to a list of any type.
func coerce(v, want any) any {
	switch want.(type) {
	case int64:
		if x, ok := v.(float64); ok && x == float64(int64(x)) {
			return int64(x)
		}
	case bool:
		if x, ok := v.(int64); ok && (x == 0 || x == 1) {
			return x == 1
		}
	case []string:
		if length(v) == 0 {
			return []string(nil)
		}
		if x, ok := v.(string); ok {
			return []string{x}
		}
	case []bool:
		if x, ok := v.([]int64); ok {
			out := make([]bool, len(x))
			for i, n := range x {
				if n != 0 && n != 1 {
					return v
				}
				out[i] = n == 1
			}
			return out
		}
	}
	return v
}

// length returns the length of a list, or -1 for a scalar.
func length(v any) int {
	switch x := v.(type) {
	case []string:
		return len(x)
	case []bool:
		return len(x)
	case []int64:
		return len(x)
	case []float64:
		return len(x)
	}
	return -1
}

// need returns an error if a group of the layout is missing.
func need(f driver.File, groups ...string) error {
	for _, g := range groups {
		ok, err := f.IsGroup(g)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("the group %s is missing", g)
		}
	}
	return nil
}

// whole reads a dataset that stays in memory: coordinates, times, scalars, masks.
func whole(q *quota, d driver.Dataset, path string) ([]float32, error) {
	n := int64(4)
	for _, s := range d.Shape() {
		n = multiply(n, int64(s))
	}
	if err := q.keep(path, n); err != nil {
		return nil, err
	}
	out := make([]float32, n/4)
	return out, d.Float32(out, make([]int, len(d.Shape())), d.Shape())
}

// wholeFinite reads a small dataset and returns an error if a value is not finite.
func wholeFinite(q *quota, d driver.Dataset, path string) ([]float32, error) {
	out, err := whole(q, d, path)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(out, func(v float32) bool { return !finite(v) }); i >= 0 {
		return nil, fmt.Errorf("%s: expected finite numbers, got %v at %d", path, out[i], i)
	}
	return out, nil
}

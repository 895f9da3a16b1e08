package torchpt

import (
	"fmt"
	"maps"
	"slices"
)

// The object tree consists of nil (None), bool, int64, *big.Int (integers beyond 64
// bits), float64, string, []byte, DType, Tuple, *List, *Set, *Dict, *Namespace and *Tensor.

// Tuple is a Python tuple or a torch.Size.
type Tuple []any

// List is a Python list. It is a pointer in the tree because the pickle fills it after
// other values refer to it.
type List struct{ Items []any }

// Set is a Python set or frozenset, in the pickle's order.
type Set struct{ Items []any }

// DType is a torch.dtype, with the name that package safetensors uses: "F32".
type DType string

// Dict is a Python dict or OrderedDict; the order of insertion is kept.
// Its keys are strings, int64 or bools.
type Dict struct {
	keys   []any
	values map[any]any
}

// Namespace is an argparse.Namespace, the settings of a training program. Its keys are the
// names of its attributes.
type Namespace struct{ Dict }

// NewNamespace returns a Namespace of the given attributes, sorted by name.
func NewNamespace(attributes map[string]any) *Namespace {
	n := &Namespace{}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		_ = n.set(name, attributes[name]) // a string is always a valid key
	}
	return n
}

// Len returns the number of keys.
func (d *Dict) Len() int { return len(d.keys) }

// Keys returns the keys in order of insertion.
func (d *Dict) Keys() []any { return append([]any(nil), d.keys...) }

// Get returns the value of key, which may be a string, int, int64 or bool.
func (d *Dict) Get(key any) (any, bool) {
	if i, ok := key.(int); ok {
		key = int64(i)
	}
	switch key.(type) {
	case string, int64, bool:
		v, ok := d.values[key]
		return v, ok
	}
	return nil, false
}

// set adds or replaces a value; a replaced key keeps its position, as in Python.
func (d *Dict) set(key, value any) error {
	switch key.(type) {
	case string, int64, bool:
	default:
		return fmt.Errorf("expected a dict key that is a string, integer or bool, got %s", kind(key))
	}
	if _, ok := d.values[key]; !ok {
		d.keys = append(d.keys, key)
		if d.values == nil {
			d.values = map[any]any{}
		}
	}
	d.values[key] = value
	return nil
}

// kind returns the Python name of a value's type for errors.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return "str"
	case int64:
		return "int"
	case float64:
		return "float"
	case []byte:
		return "bytes"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Set:
		return "set"
	case *Dict:
		return "dict"
	case *Namespace:
		return "argparse.Namespace"
	case *Tensor:
		return "tensor"
	case *storage:
		return "storage"
	case *class:
		return "class " + v.name
	default:
		return fmt.Sprintf("%T", v)
	}
}

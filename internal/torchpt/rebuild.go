package torchpt

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// persistentID converts ("storage", class, key, location, elements) to the archive's
// entry. It ignores the location, the device of the storage.
func (m *machine) persistentID() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	id, ok := v.(Tuple)
	if !ok || len(id) != 5 || id[0] != "storage" {
		return fmt.Errorf("expected the persistent id of a storage, got %s", kind(v))
	}
	c, isClass := id[1].(*class)
	key, isString := id[2].(string)
	n, isInt := id[4].(int64)
	if !isClass || c.dtype == "" || !isString || !isInt {
		return fmt.Errorf("expected a storage's class, key and length, got %s, %s and %s", kind(id[1]), kind(id[2]), kind(id[4]))
	}
	s, err := m.open(key, c.dtype, n)
	if err != nil {
		return fmt.Errorf("storage %q: %w", key, err)
	}
	return m.push(s)
}

// rebuildTensor has arguments (storage, offset, shape, strides, requires_grad, hooks)
// and optionally metadata; it uses the first four only.
func rebuildTensor(m *machine, args Tuple) (any, error) {
	if len(args) != 6 && len(args) != 7 {
		return nil, fmt.Errorf("expected 6 or 7 arguments, got %d", len(args))
	}
	s, isStorage := args[0].(*storage)
	offset, isInt := args[1].(int64)
	if !isStorage || !isInt {
		return nil, fmt.Errorf("expected a storage and an offset, got %s and %s", kind(args[0]), kind(args[1]))
	}
	shape, err := lengths(args[2])
	if err != nil {
		return nil, fmt.Errorf("shape: %w", err)
	}
	strides, err := lengths(args[3])
	if err != nil {
		return nil, fmt.Errorf("strides: %w", err)
	}
	if m.tensors++; m.tensors > maxTensors {
		return nil, fmt.Errorf("expected at most %d tensors, got more", maxTensors)
	}
	t := &Tensor{DType: s.dtype, Shape: shape, strides: strides, offset: offset, storage: s}
	if t.elements, err = t.check(); err != nil {
		return nil, fmt.Errorf("tensor of shape %v, strides %v, offset %d in storage %q of %d elements: %w",
			shape, strides, offset, s.key, s.elements, err)
	}
	if int64(t.elements) > s.elements {
		if m.expanded += t.elements; m.expanded > maxExpanded {
			return nil, fmt.Errorf("expected at most %d elements of tensors that repeat their storages, got more", maxExpanded)
		}
	}
	return t, nil
}

// rebuildParameter has arguments (tensor, requires_grad, hooks).
func rebuildParameter(_ *machine, args Tuple) (any, error) {
	if len(args) != 3 {
		return nil, fmt.Errorf("expected 3 arguments, got %d", len(args))
	}
	t, ok := args[0].(*Tensor)
	if !ok {
		return nil, fmt.Errorf("expected a tensor, got %s", kind(args[0]))
	}
	return t, nil
}

// lengths reads a tuple of non-negative integers.
func lengths(v any) ([]int, error) {
	t, ok := v.(Tuple)
	if !ok {
		return nil, fmt.Errorf("expected a tuple, got %s", kind(v))
	}
	if len(t) > maxRank {
		return nil, fmt.Errorf("expected at most %d axes, got %d", maxRank, len(t))
	}
	out := make([]int, len(t))
	for i, v := range t {
		n, ok := v.(int64)
		if !ok || n < 0 || n > math.MaxInt {
			return nil, fmt.Errorf("expected integers of at least 0, got %s %v at axis %d", kind(v), v, i)
		}
		out[i] = int(n)
	}
	return out, nil
}

// check verifies that every element lies inside the storage and returns their
// number.
func (t *Tensor) check() (int, error) {
	if len(t.Shape) != len(t.strides) {
		return 0, fmt.Errorf("expected as many strides as axes, got %d and %d", len(t.strides), len(t.Shape))
	}
	n, err := safetensors.Elements(t.Shape)
	if err != nil {
		return 0, err
	}
	if t.offset < 0 {
		return 0, fmt.Errorf("expected an offset of at least 0, got %d", t.offset)
	}
	if n == 0 {
		return 0, nil
	}
	last := uint64(t.offset)
	for i, d := range t.Shape {
		hi, span := bits.Mul64(uint64(d-1), uint64(t.strides[i]))
		sum, carry := bits.Add64(last, span, 0)
		if hi != 0 || carry != 0 {
			return 0, fmt.Errorf("expected positions that fit 64 bits, got an overflow")
		}
		last = sum
	}
	if last >= uint64(t.storage.elements) {
		return 0, fmt.Errorf("expected positions below the storage's length, got %d", last)
	}
	if int64(n) > max(t.storage.elements, maxExpanded) {
		return 0, fmt.Errorf("expected at most %d elements from a storage that is repeated, got %d", maxExpanded, n)
	}
	return n, nil
}

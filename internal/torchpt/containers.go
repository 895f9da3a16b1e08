package torchpt

import (
	"fmt"
	"slices"
)

// tuple packs the top n values.
func (m *machine) tuple(n int) error {
	vs, err := m.popN(n)
	if err != nil {
		return err
	}
	return m.push(Tuple(slices.Clone(vs)))
}

func (m *machine) tupleFromMark() error {
	vs, err := m.popMark()
	if err != nil {
		return err
	}
	return m.push(append(Tuple{}, vs...))
}

// target returns the container on the top of the stack that an opcode fills.
func target[T any](m *machine, want string) (T, error) {
	var none T
	v, err := m.top()
	if err != nil {
		return none, err
	}
	c, ok := v.(T)
	if !ok {
		return none, fmt.Errorf("expected a %s on the stack, got %s", want, kind(v))
	}
	return c, nil
}

func (m *machine) appendOne() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	l, err := target[*List](m, "list")
	if err != nil {
		return err
	}
	l.Items = append(l.Items, v)
	return nil
}

func (m *machine) appendMany() error {
	vs, err := m.popMark()
	if err != nil {
		return err
	}
	l, err := target[*List](m, "list")
	if err != nil {
		return err
	}
	l.Items = append(l.Items, vs...)
	return nil
}

func (m *machine) addItems() error {
	vs, err := m.popMark()
	if err != nil {
		return err
	}
	s, err := target[*Set](m, "set")
	if err != nil {
		return err
	}
	s.Items = append(s.Items, vs...)
	return nil
}

func (m *machine) frozenSet() error {
	vs, err := m.popMark()
	if err != nil {
		return err
	}
	return m.push(&Set{slices.Clone(vs)})
}

func (m *machine) setItem() error {
	vs, err := m.popN(2)
	if err != nil {
		return err
	}
	return m.setPairs(vs)
}

func (m *machine) setItems() error {
	vs, err := m.popMark()
	if err != nil {
		return err
	}
	return m.setPairs(vs)
}

// setPairs adds key, value, key, value, … to the dict on the top of the stack.
func (m *machine) setPairs(vs []any) error {
	d, err := target[*Dict](m, "dict")
	if err != nil {
		return err
	}
	if len(vs)%2 != 0 {
		return fmt.Errorf("expected pairs of key and value, got %d values", len(vs))
	}
	for i := 0; i < len(vs); i += 2 {
		if err := d.set(vs[i], vs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

package torchpt

import (
	"errors"
	"fmt"
	"slices"
)

// class is a name that the pickle may use. A Go function takes its place; no code of
// the name itself is ever run.
type class struct {
	name string
	// dtype is set for storage classes, which occur in persistent ids only.
	dtype string
	// call builds a value from the arguments; nil if it cannot be called.
	call func(m *machine, args Tuple) (any, error)
	// object returns an instance without attributes; nil if there are no instances.
	object func() any
}

// globals lists every name a pickle may use, by module and name.
var globals = map[[2]string]any{}

func init() {
	add := func(module, name string, call func(*machine, Tuple) (any, error)) {
		globals[[2]string{module, name}] = &class{name: module + "." + name, call: call}
	}
	add("collections", "OrderedDict", newOrderedDict)
	add("torch._utils", "_rebuild_tensor_v2", rebuildTensor)
	add("torch._utils", "_rebuild_parameter", rebuildParameter)
	add("torch", "Size", newSize)
	add("_codecs", "encode", newBytes) // protocol 2 writes bytes with it
	for _, builtins := range []string{"builtins", "__builtin__"} {
		add(builtins, "set", newSet) // protocols 2 and 3 write sets with it
		add(builtins, "frozenset", newSet)
	}
	globals[[2]string{"argparse", "Namespace"}] = &class{name: "argparse.Namespace", object: func() any { return &Namespace{} }}
	for name, dtype := range map[string]string{
		"Float": "F32", "Double": "F64", "Half": "F16", "BFloat16": "BF16", "Long": "I64",
		"Int": "I32", "Short": "I16", "Char": "I8", "Byte": "U8", "Bool": "BOOL",
	} {
		full := name + "Storage"
		globals[[2]string{"torch", full}] = &class{name: "torch." + full, dtype: dtype}
	}
	for name, dtype := range map[string]DType{
		"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64",
		"int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
	} {
		globals[[2]string{"torch", name}] = dtype
	}
}

// RefusedError reports that the pickle uses a name that is not on the list of harmless
// names. None of its code was run.
type RefusedError struct{ Module, Name string }

// Error names the class.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("refused: pickle names %s.%s; only tensors and plain containers are allowed", e.Module, e.Name)
}

func (m *machine) global() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.pushGlobal(module, name)
}

func (m *machine) stackGlobal() error {
	vs, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := vs[0].(string)
	name, ok2 := vs[1].(string)
	if !ok1 || !ok2 || len(module) > maxName || len(name) > maxName {
		return fmt.Errorf("expected the names of a module and a class, got %s and %s", kind(vs[0]), kind(vs[1]))
	}
	return m.pushGlobal(module, name)
}

func (m *machine) pushGlobal(module, name string) error {
	v, ok := globals[[2]string{module, name}]
	if !ok {
		return &RefusedError{module, name}
	}
	return m.push(v)
}

// reduce calls a class with a tuple of arguments.
func (m *machine) reduce() error {
	vs, err := m.popN(2)
	if err != nil {
		return err
	}
	c, ok := vs[0].(*class)
	if !ok || c.call == nil {
		return fmt.Errorf("refused: pickle calls %s; only tensors and plain containers are allowed", kind(vs[0]))
	}
	args, ok := vs[1].(Tuple)
	if !ok {
		return fmt.Errorf("%s: expected a tuple of arguments, got %s", c.name, kind(vs[1]))
	}
	v, err := c.call(m, args)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return m.push(v)
}

// newObject makes an instance of a class from an empty tuple of arguments.
func (m *machine) newObject() error {
	vs, err := m.popN(2)
	if err != nil {
		return err
	}
	c, ok := vs[0].(*class)
	if !ok || c.object == nil {
		return fmt.Errorf("refused: pickle makes an object of %s; only tensors and plain containers are allowed", kind(vs[0]))
	}
	if args, ok := vs[1].(Tuple); !ok || len(args) != 0 {
		return fmt.Errorf("%s: expected no arguments, got %s", c.name, kind(vs[1]))
	}
	return m.push(c.object())
}

// build sets attributes. Those of a namespace are its content. Those of a dict (a state
// dict carries its modules' versions) are checked and dropped.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	object, err := m.top()
	if err != nil {
		return err
	}
	attributes, ok := state.(*Dict)
	switch n := object.(type) {
	case *Dict, *Namespace:
		if !ok {
			return fmt.Errorf("expected attributes in a dict, got %s", kind(state))
		}
		if n, ok := n.(*Namespace); ok {
			return n.update(attributes)
		}
		return nil
	}
	return fmt.Errorf("expected a dict or a namespace to give attributes to on the stack, got %s", kind(object))
}

// update sets attributes.
func (n *Namespace) update(attributes *Dict) error {
	for _, key := range attributes.keys {
		if _, ok := key.(string); !ok {
			return fmt.Errorf("expected names of attributes, got %s", kind(key))
		}
		if err := n.set(key, attributes.values[key]); err != nil {
			return err
		}
	}
	return nil
}

func newOrderedDict(_ *machine, args Tuple) (any, error) {
	if len(args) != 0 {
		return nil, fmt.Errorf("expected no arguments, got %d", len(args))
	}
	return &Dict{}, nil
}

func newSize(_ *machine, args Tuple) (any, error) {
	if len(args) == 1 {
		if t, ok := args[0].(Tuple); ok {
			return t, nil
		}
	}
	return nil, errors.New("expected one tuple")
}

func newSet(_ *machine, args Tuple) (any, error) {
	if len(args) == 1 {
		if l, ok := args[0].(*List); ok {
			// shared, not copied: a list only grows beyond this length
			return &Set{slices.Clip(l.Items)}, nil
		}
	}
	return nil, errors.New("expected one list")
}

// newBytes returns encode(text, "latin1"), one byte per character.
func newBytes(m *machine, args Tuple) (any, error) {
	if len(args) != 2 || args[1] != "latin1" {
		return nil, errors.New(`expected a string and "latin1"`)
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("expected a string, got %s", kind(args[0]))
	}
	if m.bytes += len(text); m.bytes > maxPickle {
		return nil, fmt.Errorf("expected at most %d bytes in all, got more", maxPickle)
	}
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xFF {
			return nil, fmt.Errorf("expected characters of latin1, got %q", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

package torchpt

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// pickled returns data.pkl, a pickle of protocol 2 with dictionaries under the keys of
// path around the state dict. The outermost one also holds the additional entries. Tensor
// i is in storage i.
func pickled(infos []Info, more []Entry, path []string) ([]byte, error) {
	var p pickler
	p.WriteString("\x80\x02") // PROTO 2
	for i, key := range path {
		p.WriteString("}") // EMPTY_DICT
		if i == 0 {
			for _, e := range more {
				p.text(e.Key)
				if err := p.value(e.Value, maxDepth); err != nil {
					return nil, fmt.Errorf("entry %q: %w", e.Key, err)
				}
				p.WriteString("s") // SETITEM
			}
		}
		p.text(key)
	}
	p.WriteString("}(") // EMPTY_DICT MARK
	for i, info := range infos {
		p.text(info.Name)
		p.tensor(info.Shape, i)
	}
	p.WriteString("u") // SETITEMS
	for range path {
		p.WriteString("s") // SETITEM
	}
	p.WriteString(".") // STOP
	return []byte(p.String()), nil
}

// pickler appends the opcodes of values.
type pickler struct{ strings.Builder }

// tensor writes torch._utils._rebuild_tensor_v2(storage, offset, shape, strides,
// requires_grad, hooks) for a contiguous float32 tensor.
func (p *pickler) tensor(shape []int, storage int) {
	elements := 1
	strides := make([]int, len(shape))
	for a := len(shape) - 1; a >= 0; a-- {
		strides[a] = elements
		elements *= shape[a]
	}
	p.class("torch._utils", "_rebuild_tensor_v2")
	p.WriteString("((") // MARK MARK
	p.text("storage")
	p.class("torch", "FloatStorage")
	p.text(fmt.Sprint(storage))
	p.text("cpu")
	p.integer(elements)
	p.WriteString("tQ") // TUPLE BINPERSID
	p.integer(0)
	p.tuple(shape)
	p.tuple(strides)
	p.WriteString("\x89") // NEWFALSE
	p.class("collections", "OrderedDict")
	p.WriteString(")R" + "tR") // EMPTY_TUPLE REDUCE TUPLE REDUCE
}

// maxDepth bounds the nesting of written values, which may contain themselves.
const maxDepth = 32

// value writes a plain value whose containers are nested at most depth deep.
func (p *pickler) value(v any, depth int) error {
	if depth == 0 {
		return fmt.Errorf("expected values nested at most %d deep, got more", maxDepth)
	}
	switch v := v.(type) {
	case nil:
		p.WriteString("N")
	case bool:
		p.WriteString(map[bool]string{true: "\x88", false: "\x89"}[v])
	case int64:
		p.WriteString("\x8a\x08") // LONG1
		p.Write(binary.LittleEndian.AppendUint64(nil, uint64(v)))
	case float64:
		p.WriteString("G") // BINFLOAT
		p.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
	case string:
		p.text(v)
	case Tuple:
		return p.items("(", v, "t", depth) // MARK TUPLE
	case *List:
		return p.items("](", v.Items, "e", depth) // EMPTY_LIST MARK APPENDS
	case *Dict:
		return p.pairs(v, depth)
	case *Namespace:
		p.class("argparse", "Namespace")
		p.WriteString(")\x81") // EMPTY_TUPLE NEWOBJ
		if err := p.pairs(&v.Dict, depth); err != nil {
			return err
		}
		p.WriteString("b") // BUILD
	default:
		return fmt.Errorf("expected None, bools, numbers, strings and containers of them, got %s", kind(v))
	}
	return nil
}

// items writes values between opcodes.
func (p *pickler) items(before string, items []any, after string, depth int) error {
	p.WriteString(before)
	for _, v := range items {
		if err := p.value(v, depth-1); err != nil {
			return err
		}
	}
	p.WriteString(after)
	return nil
}

// pairs writes a dict.
func (p *pickler) pairs(d *Dict, depth int) error {
	var items []any
	for _, key := range d.keys {
		items = append(items, key, d.values[key])
	}
	return p.items("}(", items, "u", depth) // EMPTY_DICT MARK SETITEMS
}

// text writes a string (BINUNICODE).
func (p *pickler) text(s string) {
	p.WriteString("X")
	p.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
	p.WriteString(s)
}

// integer writes a non-negative number (BININT, or LONG1 from 2³¹).
func (p *pickler) integer(n int) {
	if n < 1<<31 {
		p.WriteString("J")
		p.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		return
	}
	p.WriteString("\x8a\x08")
	p.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

// tuple writes a tuple of numbers.
func (p *pickler) tuple(ns []int) {
	p.WriteString("(") // MARK
	for _, n := range ns {
		p.integer(n)
	}
	p.WriteString("t") // TUPLE
}

// class writes the name of a class or a function (GLOBAL).
func (p *pickler) class(module, name string) { p.WriteString("c" + module + "\n" + name + "\n") }

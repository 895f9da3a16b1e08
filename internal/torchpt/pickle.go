package torchpt

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// pickled returns data.pkl, a pickle of protocol 2 with dictionaries under the keys of
// path around the state dict. Tensor i is in storage i.
func pickled(infos []Info, path []string) []byte {
	var p pickler
	p.WriteString("\x80\x02") // PROTO 2
	for _, key := range path {
		p.WriteString("}") // EMPTY_DICT
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
	return []byte(p.String())
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

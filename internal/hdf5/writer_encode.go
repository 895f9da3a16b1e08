package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"
)

const msgGroupInfo = 0x0a

var le = binary.LittleEndian

// headerWriter collects the messages of an object header of version 2.
type headerWriter struct {
	b   []byte
	err error
}

func (h *headerWriter) message(kind byte, data []byte) {
	if len(data) > math.MaxUint16 && h.err == nil {
		h.err = fmt.Errorf("a header message of type %d has %d bytes: expected at most 65535", kind, len(data))
	}
	h.b = append(h.b, kind)
	h.b = le.AppendUint16(h.b, uint16(len(data)))
	h.b = append(append(h.b, 0), data...)
}

// bytes returns the header: signature, version 2, sizes of 4 bytes.
func (h *headerWriter) bytes() []byte {
	b := append([]byte("OHDR"), 2, 2)
	b = le.AppendUint32(b, uint32(len(h.b)))
	b = append(b, h.b...)
	return le.AppendUint32(b, checksum(b))
}

// linkInfo returns a message which says that the links are in the header.
func linkInfo() []byte {
	b := []byte{0, 0}
	b = le.AppendUint64(b, undefined)
	return le.AppendUint64(b, undefined)
}

// hardLinkTo returns a link whose name is in UTF-8.
func hardLinkTo(name string, address uint64) []byte {
	b := []byte{1, 0x10 | 2, 1} // version, lengths of 4 bytes and a character set, UTF-8
	b = le.AppendUint32(b, uint32(len(name)))
	b = append(b, name...)
	return le.AppendUint64(b, address)
}

// dataspaceMessage returns version 2 of the message.
func dataspaceMessage(shape []int, scalar bool) []byte {
	b := []byte{2, byte(len(shape)), 0, 1}
	if scalar {
		b[3] = 0
	}
	for _, n := range shape {
		b = le.AppendUint64(b, uint64(n))
	}
	return b
}

// typeMessage returns the datatype of a name of driver.Spec, or of "string".
func typeMessage(name string) (message []byte, size int) {
	head := func(class, flags uint32, size int) []byte {
		b := le.AppendUint32(nil, class|1<<4|flags<<8)
		return le.AppendUint32(b, uint32(size))
	}
	switch name {
	case "float32":
		// Little endian, mantissa normalised, sign at bit 31.
		return append(head(uint32(classFloat), 0x1f20, 4), 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0), 4
	case "float64":
		return append(head(uint32(classFloat), 0x3f20, 8), 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0), 8
	case "int64":
		return append(head(uint32(classInt), 8, 8), 0, 0, 64, 0), 8
	case "bool":
		b := head(uint32(classEnum), 2, 1)
		b = append(append(b, head(uint32(classInt), 8, 1)...), 0, 0, 8, 0)
		return append(b, "FALSE\x00\x00\x00TRUE\x00\x00\x00\x00\x00\x01"...), 1
	case "string":
		// A sequence of characters in UTF-8 with a final zero.
		return append(head(uint32(classVariable), 0x101, 16), head(uint32(classString), 0x10, 1)...), 16
	}
	return nil, 0
}

// newAttribute is an attribute to be written. Texts go to the global heap.
type newAttribute struct {
	name  string
	typ   string
	shape []int // nil for a scalar
	data  []byte
	texts []string
}

// newAttributeOf encodes a value.
func newAttributeOf(name string, value any) (newAttribute, error) {
	a := newAttribute{name: name}
	list := func(typ string, n int) { a.typ, a.shape = typ, []int{n} }
	switch v := value.(type) {
	case string:
		a.typ, a.texts = "string", []string{v}
	case []string:
		list("string", len(v))
		a.texts = v
	case bool:
		a.typ, a.data = "bool", appendBools(nil, v)
	case []bool:
		list("bool", len(v))
		a.data = appendBools(nil, v...)
	case int64:
		a.typ, a.data = "int64", le.AppendUint64(nil, uint64(v))
	case []int64:
		list("int64", len(v))
		for _, x := range v {
			a.data = le.AppendUint64(a.data, uint64(x))
		}
	case float64:
		a.typ, a.data = "float64", le.AppendUint64(nil, math.Float64bits(v))
	case []float64:
		list("float64", len(v))
		for _, x := range v {
			a.data = le.AppendUint64(a.data, math.Float64bits(x))
		}
	default:
		return a, fmt.Errorf("expected a string, bool, int64, float64 or a list of these, got a %T", value)
	}
	if len(a.shape) == 1 && a.shape[0] == 0 {
		a.typ = "float64" // as in h5py
	}
	return a, nil
}

func appendBools(b []byte, values ...bool) []byte {
	for _, v := range values {
		if v {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return b
}

// encode returns the attribute message, version 3. Its texts must have been added to
// the heap in the same order, and the heap must be written already.
func (a newAttribute) encode(h *newHeap) []byte {
	typ, _ := typeMessage(a.typ)
	space := dataspaceMessage(a.shape, a.shape == nil)
	b := []byte{3, 0}
	for _, n := range []int{len(a.name) + 1, len(typ), len(space)} {
		b = le.AppendUint16(b, uint16(n))
	}
	b = append(append(b, 1), a.name...) // name in UTF-8
	b = append(append(append(b, 0), typ...), space...)
	for _, s := range a.texts {
		b = append(b, h.reference(s)...)
	}
	return append(b, a.data...)
}

// newHeap collects the texts of attributes in collections of the global heap.
type newHeap struct {
	texts map[string]heapPlace
	order []string
}

type heapPlace struct {
	address uint64
	index   uint32
}

// add stores a text; equal texts are stored once.
func (h *newHeap) add(s string) {
	if h.texts == nil {
		h.texts = map[string]heapPlace{}
	}
	if _, ok := h.texts[s]; !ok {
		h.texts[s] = heapPlace{}
		h.order = append(h.order, s)
	}
}

// reference returns an element of a variable-length type: length, collection, index.
func (h *newHeap) reference(s string) []byte {
	p := h.texts[s]
	b := le.AppendUint32(nil, uint32(len(s)))
	b = le.AppendUint64(b, p.address)
	return le.AppendUint32(b, p.index)
}

const (
	heapHead       = 16 // of a collection and of an object in it
	minCollection  = 4096
	maxHeapObjects = 1000
)

// write writes the collections.
func (h *newHeap) write(w *Writer) error {
	for from := 0; from < len(h.order); from += maxHeapObjects {
		part := h.order[from:min(from+maxHeapObjects, len(h.order))]
		b := make([]byte, heapHead)
		copy(b, "GCOL\x01")
		for i, s := range part {
			h.texts[s] = heapPlace{w.end, uint32(i + 1)}
			b = le.AppendUint16(b, uint16(i+1))
			b = append(b, 1, 0, 0, 0, 0, 0) // one reference
			b = le.AppendUint64(b, uint64(len(s)))
			b = append(b, s...)
			b = append(b, make([]byte, int(align8(uint64(len(b))))-len(b))...)
		}
		// The remaining bytes are object 0, free space.
		size := max(minCollection, len(b)+heapHead)
		free := size - len(b)
		b = append(b, make([]byte, free)...)
		le.PutUint64(b[size-free+8:], uint64(free))
		le.PutUint64(b[8:], uint64(size))
		if _, err := w.write(b); err != nil {
			return err
		}
	}
	return nil
}

package torchpt

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// opcodes maps each byte of a pickle to its operation. Bytes without an entry are
// refused: among them those that instantiate classes (INST, OBJ, NEWOBJ_EX), use the
// copyreg registry (EXT) or out-of-band buffers, and the text forms of protocols 0 and
// 1.
var opcodes [256]func(m *machine) error

func init() { // not a literal, because some functions refer to the table's users
	fixed := func(v func() any) func(*machine) error {
		return func(m *machine) error { return m.push(v()) }
	}
	opcodes = [256]func(*machine) error{
		0x80: (*machine).proto,
		0x95: (*machine).frame,
		'.':  func(m *machine) error { m.done = true; return nil },
		'(':  (*machine).mark,
		'0':  func(m *machine) error { _, err := m.pop(); return err },
		'1':  func(m *machine) error { _, err := m.popMark(); return err },
		'2':  (*machine).dup,

		'N':  fixed(func() any { return nil }),
		0x88: fixed(func() any { return true }),
		0x89: fixed(func() any { return false }),
		'}':  fixed(func() any { return &Dict{} }),
		']':  fixed(func() any { return &List{} }),
		')':  fixed(func() any { return Tuple{} }),
		0x8f: fixed(func() any { return &Set{} }),

		'K':  integer(1, func(b []byte) int64 { return int64(b[0]) }),
		'M':  integer(2, func(b []byte) int64 { return int64(binary.LittleEndian.Uint16(b)) }),
		'J':  integer(4, func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }),
		0x8a: counted(1, maxLong, decodeLong),
		0x8b: counted(4, maxLong, decodeLong),
		'G':  (*machine).float,

		0x8c: counted(1, maxPickle, decodeString),
		'X':  counted(4, maxPickle, decodeString),
		0x8d: counted(8, maxPickle, decodeString),
		'C':  counted(1, maxPickle, decodeBytes),
		'B':  counted(4, maxPickle, decodeBytes),
		0x8e: counted(8, maxPickle, decodeBytes),

		0x85: func(m *machine) error { return m.tuple(1) },
		0x86: func(m *machine) error { return m.tuple(2) },
		0x87: func(m *machine) error { return m.tuple(3) },
		't':  (*machine).tupleFromMark,
		'a':  (*machine).appendOne,
		'e':  (*machine).appendMany,
		's':  (*machine).setItem,
		'u':  (*machine).setItems,
		0x90: (*machine).addItems,
		0x91: (*machine).frozenSet,

		'q':  memo(1, (*machine).put),
		'r':  memo(4, (*machine).put),
		'h':  memo(1, (*machine).get),
		'j':  memo(4, (*machine).get),
		0x94: func(m *machine) error { return m.put(uint32(len(m.memo))) },

		'c':  (*machine).global,
		0x93: (*machine).stackGlobal,
		'R':  (*machine).reduce,
		0x81: (*machine).newObject,
		'b':  (*machine).build,
		'Q':  (*machine).persistentID,
	}
}

// integer pushes a number of n bytes.
func integer(n int, decode func([]byte) int64) func(*machine) error {
	return func(m *machine) error {
		b, err := m.take(uint64(n))
		if err != nil {
			return err
		}
		return m.push(decode(b))
	}
}

// counted pushes a value whose length comes first, in width bytes.
func counted(width int, most uint64, decode func([]byte) (any, error)) func(*machine) error {
	return func(m *machine) error {
		n, err := m.count(width)
		if err != nil {
			return err
		}
		if n > most {
			return fmt.Errorf("expected a value of at most %d bytes, got %d", most, n)
		}
		b, err := m.take(n)
		if err != nil {
			return err
		}
		v, err := decode(b)
		if err != nil {
			return err
		}
		return m.push(v)
	}
}

// memo calls do with an index into the memo of width bytes.
func memo(width int, do func(*machine, uint32) error) func(*machine) error {
	return func(m *machine) error {
		i, err := m.count(width)
		if err != nil {
			return err
		}
		return do(m, uint32(i))
	}
}

func decodeString(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("expected a string in UTF-8, got %q", b[:min(len(b), 32)])
	}
	return string(b), nil
}

func decodeBytes(b []byte) (any, error) { return slices.Clone(b), nil }

// decodeLong reads a little-endian two's complement integer of any length.
func decodeLong(b []byte) (any, error) {
	digits := slices.Clone(b)
	slices.Reverse(digits)
	v := new(big.Int).SetBytes(digits)
	if len(b) > 0 && b[len(b)-1] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if v.IsInt64() {
		return v.Int64(), nil
	}
	return v, nil
}

func (m *machine) float() error {
	b, err := m.take(8)
	if err != nil {
		return err
	}
	return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
}

func (m *machine) proto() error {
	b, err := m.take(1)
	if err != nil {
		return err
	}
	if b[0] < 2 || b[0] > 5 {
		return fmt.Errorf("expected a pickle of protocol 2 to 5, got %d", b[0])
	}
	return nil
}

// frame skips the length of a frame, which only helps readers that buffer.
func (m *machine) frame() error {
	n, err := m.count(8)
	if err != nil {
		return err
	}
	if n > uint64(len(m.text)-m.at) {
		return fmt.Errorf("expected a frame within the pickle, got %d bytes with %d left", n, len(m.text)-m.at)
	}
	return nil
}

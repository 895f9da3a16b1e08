// Package ndarray decodes numbers and reads blocks of arrays whose elements lie at regular
// distances in a file. The readers of NPY, NetCDF-3, Zarr and raw binary files use it.
package ndarray

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kind is the kind of a number.
type Kind byte

// The kinds are the letters of NumPy.
const (
	Float    Kind = 'f'
	Int      Kind = 'i'
	Unsigned Kind = 'u'
	Bool     Kind = 'b'
)

// Type is the type of an element: an IEEE float of 2, 4 or 8 bytes, an integer of 1, 2, 4
// or 8 bytes, or a bool of 1 byte, of which any value but 0 is true.
type Type struct {
	Kind Kind
	Size int
	// Big says that the most significant byte comes first.
	Big bool
}

// sizes lists the sizes in bytes that each kind may have.
var sizes = map[Kind][]int{Float: {2, 4, 8}, Int: {1, 2, 4, 8}, Unsigned: {1, 2, 4, 8}, Bool: {1}}

var kindNames = map[Kind]string{Float: "float", Int: "int", Unsigned: "uint", Bool: "bool"}

// ParseType parses the name of a type: NumPy's "<f4", ">i2", "|u1", "|b1", or "float32",
// "int16 big-endian", "bool". Names without a byte order mean little-endian.
func ParseType(s string) (Type, error) {
	name, order, _ := strings.Cut(strings.TrimSpace(s), " ")
	t := Type{Big: order == "big-endian"}
	bits := 8
	switch {
	case order != "" && order != "big-endian" && order != "little-endian":
		return Type{}, typeError(s)
	case name == "bool":
		t.Kind, t.Size = Bool, 1
	case len(name) == 3 && strings.ContainsRune("<>|=", rune(name[0])):
		t.Kind, t.Big = Kind(name[1]), name[0] == '>'
		bits, name = 1, name[2:]
	default:
		for kind, word := range kindNames {
			if rest, ok := strings.CutPrefix(name, word); ok && kind != Bool {
				t.Kind, name = kind, rest
			}
		}
	}
	if t.Size == 0 {
		for _, size := range sizes[t.Kind] {
			if name == fmt.Sprint(size*bits) {
				t.Size = size
			}
		}
	}
	if !slices.Contains(sizes[t.Kind], t.Size) {
		return Type{}, typeError(s)
	}
	t.Big = t.Big && t.Size > 1
	return t, nil
}

func typeError(s string) error {
	return fmt.Errorf("expected floats of 16 to 64 bits, integers of 8 to 64 bits or bools, such as float32, int16 big-endian or <f4, got the type %.40q", s)
}

// String returns the name that [ParseType] parses: "float32", "int16 big-endian".
func (t Type) String() string {
	if t.Kind == Bool {
		return "bool"
	}
	name := fmt.Sprintf("%s%d", kindNames[t.Kind], 8*t.Size)
	if t.Big && t.Size > 1 {
		name += " big-endian"
	}
	return name
}

// Decoder decodes len(dst) consecutive elements of raw.
type Decoder[T float32 | float64] func(t Type, dst []T, raw []byte)

// Float32s decodes elements. Numbers that float32 cannot represent are rounded once, to the
// nearest float32.
func (t Type) Float32s(dst []float32, raw []byte) {
	switch {
	case t.Kind == Float && t.Size == 4 && !t.Big:
		raw = raw[:4*len(dst)]
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case t.Kind == Float && t.Size == 4:
		raw = raw[:4*len(dst)]
		for i := range dst {
			dst[i] = math.Float32frombits(binary.BigEndian.Uint32(raw[4*i:]))
		}
	case t.Kind == Float:
		for i := range dst {
			dst[i] = float32(t.float(raw[i*t.Size:]))
		}
	case t.Kind == Int:
		for i := range dst {
			dst[i] = float32(t.integer(raw[i*t.Size:]))
		}
	default:
		for i := range dst {
			dst[i] = float32(uint64(t.integer(raw[i*t.Size:])))
		}
	}
}

// Float64s decodes elements. Integers beyond 2^53 are rounded.
func (t Type) Float64s(dst []float64, raw []byte) {
	for i := range dst {
		dst[i] = t.float(raw[i*t.Size:])
	}
}

func (t Type) order() binary.ByteOrder {
	if t.Big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (t Type) float(b []byte) float64 {
	if t.Kind == Float {
		switch order := t.order(); t.Size {
		case 2:
			return half(order.Uint16(b))
		case 4:
			return float64(math.Float32frombits(order.Uint32(b)))
		default:
			return math.Float64frombits(order.Uint64(b))
		}
	}
	v := t.integer(b)
	if t.Kind != Int {
		return float64(uint64(v))
	}
	return float64(v)
}

// half converts an IEEE float of 16 bits.
func half(h uint16) float64 {
	sign, exponent, mantissa := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 != 0 {
		sign = -1
	}
	switch {
	case exponent == 0:
		return sign * math.Ldexp(mantissa, -24)
	case exponent < 31:
		return sign * math.Ldexp(1024+mantissa, exponent-25)
	case mantissa == 0:
		return math.Inf(int(sign))
	}
	return math.NaN()
}

// Integer decodes one integer or bool, sign-extended if the type is signed.
func (t Type) Integer(b []byte) int64 { return t.integer(b) }

func (t Type) integer(b []byte) int64 {
	var v uint64
	switch {
	case t.Kind == Bool:
		return int64(min(b[0], 1))
	case t.Size == 1:
		v = uint64(b[0])
	case t.Size == 2:
		v = uint64(t.order().Uint16(b))
	case t.Size == 4:
		v = uint64(t.order().Uint32(b))
	default:
		v = t.order().Uint64(b)
	}
	if unused := 64 - 8*t.Size; t.Kind == Int {
		return int64(v<<unused) >> unused
	}
	return int64(v)
}

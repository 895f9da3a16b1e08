package hdf5

import (
	"encoding/binary"
	"math"
)

// float32s converts len(dst) elements of raw. Integers are rounded once, to the
// nearest float32.
func (t datatype) float32s(dst []float32, raw []byte) {
	switch {
	case t.class == classFloat && t.size == 4 && !t.big:
		raw = raw[:4*len(dst)]
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case t.class == classFloat && t.size == 4:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.BigEndian.Uint32(raw[4*i:]))
		}
	case t.class == classFloat:
		for i := range dst {
			dst[i] = float32(t.float(raw[i*t.size:]))
		}
	case t.signed:
		for i := range dst {
			dst[i] = float32(t.integer(raw[i*t.size:]))
		}
	default:
		for i := range dst {
			dst[i] = float32(uint64(t.integer(raw[i*t.size:])))
		}
	}
}

// float64s converts len(dst) elements of raw.
func (t datatype) float64s(dst []float64, raw []byte) {
	for i := range dst {
		dst[i] = t.float(raw[i*t.size:])
	}
}

func (t datatype) order() binary.ByteOrder {
	if t.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// float converts one element. Integers beyond 2^53 are rounded.
func (t datatype) float(b []byte) float64 {
	if t.class == classFloat {
		switch order := t.order(); t.size {
		case 2:
			return half(order.Uint16(b))
		case 4:
			return float64(math.Float32frombits(order.Uint32(b)))
		default:
			return math.Float64frombits(order.Uint64(b))
		}
	}
	v := t.integer(b)
	if !t.signed {
		return float64(uint64(v))
	}
	return float64(v)
}

// half converts an IEEE number of 16 bits.
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

// integer decodes one element, sign-extended if the type is signed. Any bool but 0 is
// 1, as in numpy.
func (t datatype) integer(b []byte) int64 {
	var v uint64
	switch {
	case t.bool:
		return int64(min(b[0], 1))
	case t.size == 1:
		v = uint64(b[0])
	case t.size == 2 && t.big:
		v = uint64(binary.BigEndian.Uint16(b))
	case t.size == 2:
		v = uint64(binary.LittleEndian.Uint16(b))
	case t.size == 4 && t.big:
		v = uint64(binary.BigEndian.Uint32(b))
	case t.size == 4:
		v = uint64(binary.LittleEndian.Uint32(b))
	case t.big:
		v = binary.BigEndian.Uint64(b)
	default:
		v = binary.LittleEndian.Uint64(b)
	}
	if unused := 64 - 8*t.size; t.signed {
		return int64(v<<unused) >> unused
	}
	return int64(v)
}

package safetensors

import "math"

// float16To32 converts IEEE 754 half precision, exactly.
func float16To32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h>>10) & 0x1F
	frac := uint32(h & 0x3FF)
	switch {
	case exp == 0x1F: // infinity or NaN, payload kept
		return math.Float32frombits(sign | 0x7F800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	default: // zero or subnormal: frac units of 2^-24
		v := float32(frac) * 0x1p-24
		return math.Float32frombits(sign | math.Float32bits(v))
	}
}

// float32To16 rounds to half precision, ties to even. Values beyond 65504
// become infinite, NaN stays NaN.
func float32To16(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7FFFFFFF
	switch {
	case b > 0x7F800000:
		return sign | 0x7E00
	case b >= 0x47800000: // 2^16 and above, infinity included
		return sign | 0x7C00
	case b < 0x38800000: // below 2^-14: units of 2^-24
		v := math.RoundToEven(float64(math.Float32frombits(b)) * 0x1p24)
		return sign | uint16(v)
	default:
		b += 0xFFF + b>>13&1
		return sign | uint16(b>>13-112<<10)
	}
}

// bfloat16To32 converts bfloat16, exactly.
func bfloat16To32(h uint16) float32 {
	return math.Float32frombits(uint32(h) << 16)
}

// float32ToBF16 rounds to bfloat16, ties to even; NaN stays NaN.
func float32ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7FFFFFFF > 0x7F800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7FFF + b>>16&1) >> 16)
}

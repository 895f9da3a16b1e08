package safetensors

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// halfValue computes the value of a half-precision number from its definition, in
// float64.
func halfValue(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exp, frac := int(h>>10&0x1F), float64(h&0x3FF)/1024
	switch exp {
	case 0x1F:
		if frac != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	case 0:
		return sign * math.Ldexp(frac, -14)
	default:
		return sign * math.Ldexp(1+frac, exp-15)
	}
}

func TestFloat16EveryValue(t *testing.T) {
	for h := range 1 << 16 {
		want, got := halfValue(uint16(h)), float16To32(uint16(h))
		if math.IsNaN(want) {
			require.True(t, math.IsNaN(float64(got)), "%04x", h)
			require.True(t, math.IsNaN(float64(float16To32(float32To16(got)))), "%04x back", h)
			continue
		}
		require.Equal(t, math.Float32bits(float32(want)), math.Float32bits(got), "%04x", h)
		require.Equal(t, uint16(h), float32To16(got), "%04x back", h)
	}
}

func TestFloat16Rounding(t *testing.T) {
	for h := uint16(0); h < 0x7BFF; h++ {
		low, high := halfValue(h), halfValue(h+1)
		mid := float32((low + high) / 2) // exact: one more bit
		even := h + h&1
		require.Equal(t, even, float32To16(mid), "tie above %04x", h)
		require.Equal(t, h, float32To16(math.Nextafter32(mid, 0)), "below the tie above %04x", h)
		require.Equal(t, h+1, float32To16(math.Nextafter32(mid, 1e9)), "over the tie above %04x", h)
	}
	assert.Equal(t, uint16(0x7BFF), float32To16(65519.996))
	assert.Equal(t, uint16(0x7C00), float32To16(65520))
	assert.Equal(t, uint16(0xFC00), float32To16(-1e9))
}

func TestBFloat16(t *testing.T) {
	for h := range 1 << 16 {
		v := bfloat16To32(uint16(h))
		if v != v {
			back := bfloat16To32(float32ToBF16(v))
			require.True(t, back != back, "%04x", h)
			continue
		}
		require.Equal(t, uint16(h), float32ToBF16(v), "%04x", h)
	}
	low := math.Float32frombits(0x7F800001) // a NaN whose payload is cut off
	assert.True(t, math.IsNaN(float64(bfloat16To32(float32ToBF16(low)))))
	assert.Equal(t, uint16(0x3F80), float32ToBF16(math.Float32frombits(0x3F808000)), "tie to even, down")
	assert.Equal(t, uint16(0x3F82), float32ToBF16(math.Float32frombits(0x3F818000)), "tie to even, up")
}

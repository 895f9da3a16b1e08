package hdf5

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestConvert checks the ends of the ranges of the types in both byte orders.
func TestConvert(t *testing.T) {
	float := func(size int) datatype { return datatype{class: classFloat, size: size} }
	integer := func(size int, signed bool) datatype { return datatype{class: classInt, size: size, signed: signed} }
	for name, c := range map[string]struct {
		typ  datatype
		bits uint64
		want float64
	}{
		"int8":            {integer(1, true), 0x80, -128},
		"uint8":           {integer(1, false), 0xff, 255},
		"int16":           {integer(2, true), 0x8001, -32767},
		"uint16":          {integer(2, false), 0x8001, 32769},
		"int32":           {integer(4, true), 0xffffffff, -1},
		"uint32":          {integer(4, false), 0xffffffff, 1<<32 - 1},
		"int64":           {integer(8, true), 1 << 63, -1 << 63},
		"uint64":          {integer(8, false), math.MaxUint64, 1 << 64},
		"bool":            {datatype{class: classEnum, size: 1, bool: true}, 2, 1},
		"enum":            {datatype{class: classEnum, size: 2, signed: true}, 0xfffe, -2},
		"float16 least":   {float(2), 0x0001, 0x1p-24},
		"float16 largest": {float(2), 0x7bff, 65504},
		"float16 below 0": {float(2), 0xc500, -5},
		"float16 Inf":     {float(2), 0xfc00, math.Inf(-1)},
		"float32 least":   {float(4), 1, 0x1p-149},
		"float32 below 0": {float(4), 0xbfc00000, -1.5},
		"float64":         {float(8), 0x3ff8000000000000, 1.5},
	} {
		for _, big := range []bool{false, true} {
			typ := c.typ
			typ.big = big
			b := make([]byte, 8)
			if big {
				binary.BigEndian.PutUint64(b, c.bits<<(64-8*typ.size))
			} else {
				binary.LittleEndian.PutUint64(b, c.bits)
			}
			f64, f32 := make([]float64, 1), make([]float32, 1)
			typ.float64s(f64, b[:typ.size])
			typ.float32s(f32, b[:typ.size])
			assert.Equal(t, c.want, f64[0], "%s, big-endian %v", name, big)
			assert.Equal(t, float32(c.want), f32[0], "%s, big-endian %v", name, big)
		}
	}
	nan := make([]float64, 1)
	float(2).float64s(nan, []byte{0, 0x7e})
	assert.True(t, math.IsNaN(nan[0]))
}

package well

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCache: the cache keeps the most recently used arrays within its number of bytes.
func TestCache(t *testing.T) {
	c := newCache(4 * 10)
	has := func(file int) bool { _, ok := c.get(cacheKey{file, 0}); return ok }
	for file := range 3 {
		c.put(cacheKey{file, 0}, make([]float32, 3))
	}
	assert.True(t, has(0)) // now the most recently used one
	c.put(cacheKey{3, 0}, make([]float32, 4))
	assert.Equal(t, []bool{true, false, true, true}, []bool{has(0), has(1), has(2), has(3)}, "9 + 4 > 10: the oldest went")
	c.put(cacheKey{4, 0}, make([]float32, 11))
	assert.False(t, has(4), "larger than the cache")
	c.put(cacheKey{5, 0}, []float32{1})
	c.put(cacheKey{5, 0}, []float32{2})
	values, _ := c.get(cacheKey{5, 0})
	assert.Equal(t, []float32{1}, values, "the same key holds the same array")
	used := int64(0)
	for _, e := range c.items {
		used += 4 * int64(len(e.Value.(*cached).values))
	}
	assert.Equal(t, int64(40), used+c.free)
	assert.Equal(t, len(c.items), c.order.Len())
}

// TestCoerce: attributes may have types other than those of h5py if the value is the same.
func TestCoerce(t *testing.T) {
	for _, c := range []struct{ got, wanted, out any }{
		{int64(3), int64(0), int64(3)},
		{3.0, int64(0), int64(3)},
		{3.5, int64(0), 3.5},
		{"3", int64(0), "3"},
		{int64(1), false, true},
		{int64(2), false, int64(2)},
		{[]float64{}, []string(nil), []string(nil)},
		{[]int64{}, []string(nil), []string(nil)},
		{[]bool{}, []string(nil), []string(nil)},
		{[]string{}, []string(nil), []string(nil)},
		{"x", []string(nil), []string{"x"}},
		{1.5, []string(nil), 1.5},
		{[]float64{1}, []string(nil), []float64{1}},
		{[]int64{0, 1}, []bool(nil), []bool{false, true}},
		{[]int64{0, 2}, []bool(nil), []int64{0, 2}},
	} {
		assert.Equal(t, c.out, coerce(c.got, c.wanted), "%v as %T", c.got, c.wanted)
	}
}

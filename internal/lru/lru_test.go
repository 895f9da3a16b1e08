package lru

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCache: the cache keeps the most recently used values within its number of bytes.
func TestCache(t *testing.T) {
	c := New[int, []float32](4 * 10)
	put := func(key int, values []float32) { c.Put(key, values, int64(4*len(values))) }
	has := func(key int) bool { _, ok := c.Get(key); return ok }
	for key := range 3 {
		put(key, make([]float32, 3))
	}
	assert.True(t, has(0)) // now the most recently used one
	put(3, make([]float32, 4))
	assert.Equal(t, []bool{true, false, true, true}, []bool{has(0), has(1), has(2), has(3)}, "9 + 4 > 10: the oldest went")
	put(4, make([]float32, 11))
	assert.False(t, has(4), "larger than the cache")
	assert.True(t, has(0) && has(2) && has(3), "and no reason to discard others")
	put(5, []float32{1})
	put(5, []float32{2})
	values, _ := c.Get(5)
	assert.Equal(t, []float32{1}, values, "the same key holds the same array")
	used := int64(0)
	for _, e := range c.items {
		used += 4 * int64(len(e.Value.(*item[int, []float32]).value))
	}
	assert.Equal(t, used, c.Used())
	assert.Equal(t, len(c.items), c.order.Len())
	c.Drop(5)
	assert.False(t, c.Has(5))
	assert.Equal(t, used-4, c.Used())
	c.Clear()
	assert.Zero(t, c.Used())
	assert.False(t, c.Has(3))
}

package well

import (
	"container/list"
	"sync"
)

// cache keeps the most recently used arrays of constant fields, up to a number of bytes.
type cache struct {
	mu    sync.Mutex
	free  int64
	order *list.List // of *cached, most recently used first
	items map[cacheKey]*list.Element
}

// cacheKey identifies the constants of one trajectory of a file. The trajectory is -1 if
// all trajectories of the file share them.
type cacheKey struct{ file, trajectory int }

type cached struct {
	key    cacheKey
	values []float32
}

func newCache(bytes int64) *cache {
	if bytes == 0 {
		bytes = 64 << 20
	}
	return &cache{free: bytes, order: list.New(), items: map[cacheKey]*list.Element{}}
}

// get returns the array of a key. The caller must not modify it.
func (c *cache) get(key cacheKey) ([]float32, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).values, true
}

// put stores an array and discards the least recently used ones to make room. It does not
// store an array larger than the cache.
func (c *cache) put(key cacheKey, values []float32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.items[key]; ok {
		return
	}
	size := int64(4 * len(values))
	for c.free < size && c.order.Len() > 0 {
		last := c.order.Remove(c.order.Back()).(*cached)
		delete(c.items, last.key)
		c.free += int64(4 * len(last.values))
	}
	if c.free < size {
		return
	}
	c.free -= size
	c.items[key] = c.order.PushFront(&cached{key, values})
}

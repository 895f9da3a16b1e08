package hub

import (
	"container/list"
	"sync"
)

// blockKey identifies a block of any tree.
type blockKey struct {
	key    string
	number int64
}

// memory holds the blocks of all trees that were used last, as small reads of the same block
// are frequent.
var memory = &blockMemory{free: 128 << 20, order: list.New(), items: map[blockKey]*list.Element{}}

// blockMemory keeps the most recently used blocks, up to a number of bytes.
type blockMemory struct {
	mu    sync.Mutex
	free  int64
	order *list.List // of memoryBlock, most recently used first
	items map[blockKey]*list.Element
}

type memoryBlock struct {
	key  blockKey
	data []byte
}

// get returns a block. The caller must not modify it.
func (m *blockMemory) get(key blockKey) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.items[key]
	if !ok {
		return nil, false
	}
	m.order.MoveToFront(e)
	return e.Value.(memoryBlock).data, true
}

// has reports whether a block is held, without using it.
func (m *blockMemory) has(key blockKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.items[key] != nil
}

// put adds a block and discards others to make room.
func (m *blockMemory) put(key blockKey, data []byte) {
	m.drop(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free -= int64(len(data))
	m.items[key] = m.order.PushFront(memoryBlock{key, data})
	for m.free < 0 {
		m.remove(m.order.Back())
	}
}

// drop discards a block.
func (m *blockMemory) drop(key blockKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.items[key]; e != nil {
		m.remove(e)
	}
}

func (m *blockMemory) remove(e *list.Element) {
	b := m.order.Remove(e).(memoryBlock)
	delete(m.items, b.key)
	m.free += int64(len(b.data))
}

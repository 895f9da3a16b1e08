package hub

import "github.com/gowalrus/gowalrus/internal/lru"

// blockKey identifies a block of any tree.
type blockKey struct {
	key    string
	number int64
}

// memory holds the blocks of all trees that were used last, as small reads of the same block
// are frequent.
var memory = lru.New[blockKey, []byte](128 << 20)

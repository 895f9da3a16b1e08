package hdf5

import (
	"fmt"
	"sync"

	"github.com/gowalrus/gowalrus/internal/inflate"
)

// buffers are the buffers for decoding one chunk; they are pooled.
type buffers struct {
	in, out []byte
	zlib    inflate.Decoder
}

var pool = sync.Pool{New: func() any { return new(buffers) }}

// sized returns b with n bytes, a new array if it is too small.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// swap runs step from src into the other buffer, of at most size bytes, and returns the
// written bytes.
func (b *buffers) swap(src []byte, size int, step func(dst, src []byte) (int, error)) ([]byte, error) {
	b.out = sized(b.out, size)
	n, err := step(b.out, src)
	if err != nil {
		return nil, err
	}
	b.in, b.out = b.out, b.in
	return b.in[:n], nil
}

// inflate decompresses src to at most size bytes.
func (b *buffers) inflate(src []byte, size int) ([]byte, error) {
	return b.swap(src, size, func(dst, src []byte) (int, error) {
		n, err := b.zlib.Zlib(dst, src)
		if err != nil {
			return 0, fmt.Errorf("the stream is damaged: %w", err)
		}
		return n, nil
	})
}

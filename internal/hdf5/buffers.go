package hdf5

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// buffers are the buffers for decoding one chunk; they are pooled.
type buffers struct {
	in, out []byte
	source  bytes.Reader
	zlib    io.ReadCloser
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
		b.source.Reset(src)
		var err error
		if b.zlib == nil {
			b.zlib, err = zlib.NewReader(&b.source)
		} else {
			err = b.zlib.(zlib.Resetter).Reset(&b.source, nil)
		}
		if err != nil {
			return 0, fmt.Errorf("the stream is damaged: %w", err)
		}
		n, err := io.ReadFull(b.zlib, dst)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && n < len(dst):
			return n, b.drained(n, size)
		case err != nil:
			return 0, fmt.Errorf("the stream is damaged: %w", err)
		}
		return n, b.drained(n, size)
	})
}

// drained checks that the stream has ended, which also verifies its checksum.
func (b *buffers) drained(n, size int) error {
	var more [1]byte
	k, err := b.zlib.Read(more[:])
	if k > 0 {
		return fmt.Errorf("the stream is damaged: expected at most %d bytes, got more", size)
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("the stream is damaged after %d bytes: %w", n, err)
	}
	return nil
}

package hdf5

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
)

// oldFile returns the start of a file of size bytes with a superblock of version 0,
// whose root group has an object header of version 1 with the given messages at 96.
func oldFile(size int, messages ...[]byte) []byte {
	b := make([]byte, 0, size)
	b = append(b, signature...)
	b = append(b, 0, 0, 0, 0, 0, 8, 8, 0) // versions, sizes of addresses and lengths
	b = append(b, 4, 0, 16, 0, 0, 0, 0, 0)
	b = addresses(b, 0, undefined, uint64(size), undefined, 0, 96, 0, 0, 0)
	all := bytes.Join(messages, nil)
	b = append(b, 1, 0, byte(len(messages)), byte(len(messages)>>8), 1, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(all)))
	return append(b, all...)
}

func addresses(b []byte, list ...uint64) []byte {
	for _, a := range list {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	return b
}

// oldMessage returns a header message with two addresses.
func oldMessage(kind byte, first, second uint64) []byte {
	return addresses([]byte{kind, 0, 16, 0, 0, 0, 0, 0}, first, second)
}

// TestOverlap opens files with overlapping parts. Reading their parts one by one would
// read about the square of the file's size.
func TestOverlap(t *testing.T) {
	const size = 1 << 20
	open := func(b []byte) error {
		b = append(b, make([]byte, size-len(b))...)
		_, err := NewFile(bytes.NewReader(b), size, "overlap")
		return err
	}

	var blocks [][]byte
	for i := range uint64(10000) {
		blocks = append(blocks, oldMessage(msgContinuation, 1<<19+8*i, 1<<18))
	}
	assert.ErrorContains(t, open(oldFile(size, blocks...)), "object header block at 0x80018: parts overlap", "blocks of an object header")

	// A tree whose children are all the same node, whose members all have the same
	// name.
	const tree, heap, node = 200, 600000, 700000
	b := oldFile(size, oldMessage(msgSymbolTable, tree, heap))
	b = append(b, make([]byte, tree-len(b))...)
	b = append(b, 'T', 'R', 'E', 'E', groupTree, 0, 0x20, 0x4e) // 20000 children
	b = addresses(b, undefined, undefined)
	for range 20000 {
		b = addresses(b, 0, node)
	}
	b = append(b, make([]byte, heap-len(b))...)
	b = addresses(append(b, 'H', 'E', 'A', 'P', 0, 0, 0, 0), 64, 0, heap+32)
	b = append(b, make([]byte, node-len(b))...)
	b = append(b, 'S', 'N', 'O', 'D', 1, 0, 0xe0, 0x15) // 5600 members
	assert.ErrorContains(t, open(b), "symbol node at 0xaae68: names overlap", "names of members")
}

// TestOverlapHeap reads blocks of a heap whose sizes contradict each other.
func TestOverlapHeap(t *testing.T) {
	b := make([]byte, 1000)
	f := &File{r: bytes.NewReader(b), size: 1000}
	blocks := newBlockCache(f)
	for range 10 { // reading the same block again is free
		got, err := blocks.get(100, 600, "block", nil)
		assert.NoError(t, err)
		assert.Len(t, got, 600)
	}
	_, err := blocks.get(100, 500, "block", nil)
	assert.ErrorContains(t, err, "block at 0x64: expected 500 bytes, got a block of 600 bytes")
	_, err = blocks.get(200, 600, "block", nil)
	assert.ErrorContains(t, err, "block at 0xc8: parts overlap")
	_, err = blocks.get(700, 301, "block", nil)
	assert.ErrorContains(t, err, "beyond the end of the file")
}

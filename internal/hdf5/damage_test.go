package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBroken opens and reads the damaged files of testdata/data with an HDF5 fault. The
// error must name the file, the place and the fault, and come at once.
func TestBroken(t *testing.T) {
	for name, want := range map[string]string{
		"01_truncated_half":               "truncated: the superblock says that the file ends at byte 384764, it ends at 192382",
		"02_truncated_tail":               "truncated: the superblock says that the file ends at byte 384764, it ends at 384252",
		"27_chunk_flipped_bytes_gzip":     "/t0_fields/A: chunk [0 7 0 0]: filter number 1 (deflate): the stream is damaged",
		"28_chunk_flipped_bytes_fletcher": "/t0_fields/A: chunk [0 7 0 0]: filter number 3 (fletcher32): checksum",
		"30_flipped_header":               "/: object header at 0x60: expected version [1]",
		"31_empty_file":                   "not an HDF5 file: the signature is missing",
		"32_not_hdf5":                     "not an HDF5 file: the signature is missing",
		"33_signature_only":               "superblock: expected 1 more bytes, got 0",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("..", "..", "testdata", "data", "broken", name+".hdf5")
			start := time.Now()
			f, err := Open(path)
			if err == nil {
				defer f.Close()
				d, errOpen := f.Dataset("/t0_fields/A")
				require.NoError(t, errOpen)
				err = d.Float32(make([]float32, product(d.Shape())), make([]int, len(d.Shape())), d.Shape())
			} else {
				assert.Nil(t, f)
			}
			assert.ErrorContains(t, err, "hdf5: "+path+": ")
			assert.ErrorContains(t, err, want)
			assert.Less(t, time.Since(start), time.Second)
		})
	}
}

// TestTruncated cuts a file at every length: opening must return an error or work.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"fuzz_old.h5", "fuzz_new.h5"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		for n := 0; n < len(b); n += 1 + n/50 {
			_, err := NewFile(bytes.NewReader(b[:n]), int64(n), name)
			assert.Error(t, err, "%s: %d bytes", name, n)
		}
	}
}

// TestDamage walks files with bytes changed at random, with verified and with ignored
// checksums. There must be no panic, and time and memory must be bounded by the size of
// the file.
func TestDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, name := range []string{"fuzz_old.h5", "fuzz_new.h5", "odd_sizes_44_old.h5", "odd_sizes_48_new.h5", "odd_edges.h5", "types.h5", "links.h5"} {
		whole, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		for i := range 60 {
			b := bytes.Clone(whole)
			damage(rng, b)
			explore(t, fmt.Sprintf("%s, change %d", name, i), b, i%2 == 1)
		}
	}
}

// damage changes a few bytes in the ways that hurt parsers most.
func damage(rng *rand.Rand, b []byte) {
	for range 1 + rng.IntN(4) {
		at := rng.IntN(len(b) - 8)
		switch rng.IntN(6) {
		case 0:
			b[at] ^= 1 << rng.IntN(8)
		case 1:
			b[at] = 0xff
		case 2:
			b[at] = byte(rng.IntN(8))
		case 3: // an address or length within the file
			binary.LittleEndian.PutUint64(b[at&^7:], uint64(rng.IntN(len(b))))
		case 4:
			binary.LittleEndian.PutUint64(b[at&^7:], rng.Uint64()>>rng.IntN(64))
		case 5: // one structure replaced by another
			n := 1 + rng.IntN(32)
			from := rng.IntN(len(b) - n)
			copy(b[at:], bytes.Clone(b[from:from+n]))
		}
	}
}

// explore walks a file and checks the time and memory.
func explore(t *testing.T, name string, b []byte, anyChecksum bool) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	left := 500
	if f, err := newFile(bytes.NewReader(b), int64(len(b)), name, anyChecksum); err == nil {
		visit(f, "/", 0, &left)
	} else {
		assert.ErrorContains(t, err, "hdf5: "+name+": ")
	}
	assert.Less(t, time.Since(start), 2*time.Second, name)
	runtime.ReadMemStats(&after)
	// A chunk may decompress to maxRatio times its size.
	objects := uint64(501 - left)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, objects*(1<<20+2*maxRatio*uint64(len(b))), "%s: bytes allocated", name)
}

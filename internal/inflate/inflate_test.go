package inflate_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/inflate"
)

// content returns data of n bytes of several kinds.
func content(kind string, n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	switch kind {
	case "zeros":
	case "noise":
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	case "waves", "shuffled waves":
		values := n / 4
		for i := range values {
			bits := math.Float32bits(float32(math.Sin(float64(i)/50) + 1e-3*rng.Float64()))
			if kind == "waves" {
				binary.LittleEndian.PutUint32(b[4*i:], bits)
				continue
			}
			for k := range 4 {
				b[k*values+i] = byte(bits >> (8 * k))
			}
		}
	case "periods":
		// Runs that repeat after 1 to 40 bytes.
		for i := 0; i < n; {
			period, run := 1+rng.IntN(40), 1+rng.IntN(400)
			for k := 0; k < run && i < n; k++ {
				if k < period {
					b[i] = byte(rng.Uint32())
				} else {
					b[i] = b[i-period]
				}
				i++
			}
		}
	}
	return b
}

var kinds = []string{"zeros", "noise", "waves", "shuffled waves", "periods"}

func deflate(t testing.TB, b []byte, level int) []byte {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// TestZlib: every kind, size and level comes back, with one decoder for all.
func TestZlib(t *testing.T) {
	var d inflate.Decoder
	for _, kind := range kinds {
		for _, size := range []int{0, 1, 7, 300, 4096, 200_000} {
			for level := zlib.HuffmanOnly; level <= zlib.BestCompression; level++ {
				name := fmt.Sprintf("%s of %d bytes, level %d", kind, size, level)
				expected := content(kind, size)
				packed := deflate(t, expected, level)
				for _, room := range []int{0, 1, 1000} {
					dst := make([]byte, size+room)
					n, err := d.Zlib(dst, append(packed, "more"...))
					require.NoError(t, err, name)
					require.True(t, bytes.Equal(expected, dst[:n]), name)
				}
				if size > 0 {
					_, err := d.Zlib(make([]byte, size-1), packed)
					require.ErrorContains(t, err, "got more", name)
				}
				_, err := d.Zlib(make([]byte, size), packed[:len(packed)-1])
				require.Error(t, err, name)
			}
		}
	}
}

// TestDamaged: a message for every check that precedes the codes.
func TestDamaged(t *testing.T) {
	var d inflate.Decoder
	good := deflate(t, content("waves", 4000), 6)
	for name, c := range map[string]struct {
		in       []byte
		expected string
	}{
		"nothing":           {nil, "breaks off"},
		"another format":    {[]byte("PK\x03\x04"), "header of a zlib stream"},
		"a dictionary":      {[]byte{0x78, 0xbb, 0, 0, 0, 0}, "without a preset dictionary"},
		"type 3":            {[]byte{0x78, 0x9c, 7}, "type 0, 1 or 2"},
		"stored, broken":    {[]byte{0x78, 0x9c, 1, 4, 0, 4, 0}, "complement"},
		"no checksum":       {good[:len(good)-4], "breaks off"},
		"another checksum":  {append(good[:len(good)-1:len(good)-1], good[len(good)-1]+1), "checksum"},
		"before the output": {[]byte{0x78, 0x9c, 0x03, 0x02, 0, 0}, "before the data"},
	} {
		_, err := d.Zlib(make([]byte, 4000), c.in)
		assert.ErrorContains(t, err, c.expected, name)
	}
}

// reference decompresses with the streaming decoder, into at most room bytes.
func reference(b []byte, room int) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(room)+1))
	if err == nil && len(out) > room {
		return nil, errors.New("too many")
	}
	return out, err
}

// FuzzZlib compares with the streaming decoder: the same bytes, or errors from both.
func FuzzZlib(f *testing.F) {
	for _, kind := range kinds {
		for _, level := range []int{zlib.HuffmanOnly, 0, 1, 9} {
			f.Add(deflate(f, content(kind, 3000), level), 3000)
		}
	}
	f.Add([]byte{0x78, 0x9c, 3, 0, 0, 0, 0, 1}, 0)
	f.Fuzz(func(t *testing.T, packed []byte, room int) {
		room = min(max(room, 0), 1<<16)
		var d inflate.Decoder
		dst := make([]byte, room)
		n, err := d.Zlib(dst, packed)
		expected, expectedErr := reference(packed, room)
		if (err == nil) != (expectedErr == nil) {
			t.Fatalf("expected error %v, got %v", expectedErr, err)
		}
		if err == nil && !bytes.Equal(expected, dst[:n]) {
			t.Fatalf("expected %x, got %x", expected, dst[:n])
		}
	})
}

// TestMutated is FuzzZlib over streams with some bytes changed.
func TestMutated(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var d inflate.Decoder
	for _, kind := range kinds {
		for _, level := range []int{zlib.HuffmanOnly, 1, 6} {
			packed := deflate(t, content(kind, 2000), level)
			for range 2000 {
				b := bytes.Clone(packed)
				for range 1 + rng.IntN(3) {
					b[rng.IntN(min(len(b), 200))] = byte(rng.Uint32())
				}
				room := 2000 + rng.IntN(300)
				dst := make([]byte, room)
				n, err := d.Zlib(dst, b)
				expected, expectedErr := reference(b, room)
				require.Equal(t, expectedErr == nil, err == nil, "%x: %v, %v", b, expectedErr, err)
				if err == nil {
					require.Equal(t, expected, dst[:n])
				}
			}
		}
	}
}

func BenchmarkZlib(b *testing.B) {
	for _, kind := range []string{"waves", "shuffled waves"} {
		plain := content(kind, 1<<20)
		packed := deflate(b, plain, 4)
		dst := make([]byte, len(plain))
		b.Run(kind+"/whole", func(b *testing.B) {
			var d inflate.Decoder
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				if _, err := d.Zlib(dst, packed); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(kind+"/streaming", func(b *testing.B) {
			r, err := zlib.NewReader(bytes.NewReader(packed))
			require.NoError(b, err)
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				if err := r.(zlib.Resetter).Reset(bytes.NewReader(packed), nil); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(r, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

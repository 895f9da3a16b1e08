package inflate

import (
	"hash/adler32"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestChecksum compares with the standard library, also for the largest bytes.
func TestChecksum(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 7, 175, 176, 177, 5552, 100_003} {
		noise, largest := make([]byte, n), make([]byte, n)
		for i := range noise {
			noise[i], largest[i] = byte(rng.Uint32()), 255
		}
		require.Equal(t, adler32.Checksum(noise), checksum(noise), n)
		require.Equal(t, adler32.Checksum(largest), checksum(largest), n)
	}
}

func BenchmarkChecksum(b *testing.B) {
	data := make([]byte, 1<<20)
	b.Run("lanes", func(b *testing.B) {
		b.SetBytes(1 << 20)
		for b.Loop() {
			checksum(data)
		}
	})
	b.Run("bytes", func(b *testing.B) {
		b.SetBytes(1 << 20)
		for b.Loop() {
			adler32.Checksum(data)
		}
	})
}

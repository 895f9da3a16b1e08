package safetensors

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkReadFloat32 reads 16 MB of float32 from memory.
func BenchmarkReadFloat32(b *testing.B) {
	f, err := open(vector(F32, 4<<20, make([]byte, 16<<20)...))
	require.NoError(b, err)
	dst := make([]float32, 4<<20)
	b.SetBytes(16 << 20)
	for b.Loop() {
		require.NoError(b, f.ReadFloat32("a", dst))
	}
}

package torchpt

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkReadFloat32 reads 16 MB from memory, contiguous and transposed.
func BenchmarkReadFloat32(b *testing.B) {
	const n = 4 << 20
	for _, v := range []struct {
		name           string
		shape, strides []int64
	}{
		{"contiguous", []int64{2048, 2048}, []int64{2048, 1}},
		{"transposed", []int64{2048, 2048}, []int64{1, 2048}},
	} {
		b.Run(v.name, func(b *testing.B) {
			f, err := open(checkpoint(b, pickle(tensor(n, 0, v.shape, v.strides)), counting(n)))
			require.NoError(b, err)
			dst := make([]float32, n)
			b.SetBytes(4 * n)
			for b.Loop() {
				require.NoError(b, f.Root().(*Tensor).ReadFloat32(dst))
			}
		})
	}
}

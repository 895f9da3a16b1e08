package npy

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWrite: what is written is read back, for every rank, with the header aligned as NumPy
// writes it.
func TestWrite(t *testing.T) {
	for _, shape := range [][]int{{}, {0}, {5}, {2, 3}, {1, 2, 3, 4, 1}} {
		t.Run(fmt.Sprint(shape), func(t *testing.T) {
			n := 1
			for _, d := range shape {
				n *= d
			}
			want := make([]float32, n)
			for i := range want {
				want[i] = float32(i) - 1.5
			}
			var b bytes.Buffer
			require.NoError(t, Write(&b, shape, want[:n/2], want[n/2:]))
			require.Zero(t, (b.Len()-4*n)%64)
			f, err := NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()), "made")
			require.NoError(t, err)
			defer f.Close()
			d, err := f.Dataset(Single)
			require.NoError(t, err)
			require.Len(t, d.Shape(), len(shape))
			got := make([]float32, n)
			require.NoError(t, d.Float32(got, make([]int, len(shape)), shape))
			require.Equal(t, want, got)
			require.ErrorContains(t, Write(&b, shape, want, []float32{1}), "values for shape")
		})
	}
}

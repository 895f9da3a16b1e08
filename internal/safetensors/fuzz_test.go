package safetensors

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzOpen feeds arbitrary bytes. A file that opens must fill its data
// section exactly and give every tensor, or an error, without a panic.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(raw(`{}`))
	f.Add(raw(one, 1, 2))
	f.Add(raw(one, 1))
	f.Add(vector(F16, 2, 1, 2, 3, 4))
	f.Add(vector(BOOL, 1, 2))
	f.Add(raw(`{"__metadata__":{"a":"b"},"s":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}  `, 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add(raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := open(b)
		if err != nil {
			return
		}
		total := int64(0)
		for _, name := range file.Names() {
			info, ok := file.Info(name)
			require.True(t, ok)
			require.Equal(t, total, info.Begin)
			total = info.End
			n, err := Elements(info.Shape)
			require.NoError(t, err)
			values, _, err := file.Float32(name)
			if err == nil {
				require.Len(t, values, n)
			}
		}
		require.Equal(t, int64(len(b))-file.data, total)
	})
}

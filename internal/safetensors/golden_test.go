package safetensors_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// TestGoldenRewrite writes every golden file again and compares the bytes with
// those of the reference library.
func TestGoldenRewrite(t *testing.T) {
	golden.Every(t, "", func(t *testing.T, c golden.Case) {
		want, err := os.ReadFile(golden.Path(t, c.File))
		require.NoError(t, err)
		f := c.Open(t).Safetensors()
		var infos []safetensors.Info
		for _, name := range f.Names() {
			info, ok := f.Info(name)
			require.True(t, ok)
			infos = append(infos, info)
		}
		path := filepath.Join(t.TempDir(), "copy.safetensors")
		w, err := safetensors.Create(path, infos, f.Metadata())
		require.NoError(t, err)
		defer w.Abort()
		for _, info := range infos {
			copyTensor(t, w, f, info)
		}
		require.NoError(t, w.Close())
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.True(t, string(want) == string(got), "expected the bytes of %s", c.File)
	})
}

// copyTensor copies the values, not the bytes.
func copyTensor(t *testing.T, w *safetensors.Writer, f *safetensors.File, info safetensors.Info) {
	t.Helper()
	switch info.DType {
	case safetensors.I32:
		values, _, err := f.Int32s(info.Name)
		require.NoError(t, err)
		require.NoError(t, w.WriteInt32(info.Name, values))
	case safetensors.U8:
		values, _, err := f.Uint8s(info.Name)
		require.NoError(t, err)
		require.NoError(t, w.WriteUint8(info.Name, values))
	default:
		values, _, err := f.Float32(info.Name)
		require.NoError(t, err)
		require.NoError(t, w.WriteFloat32(info.Name, values))
	}
}

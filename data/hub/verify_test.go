package hub

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	require.NoError(t, os.WriteFile(path, []byte("abc"), 0o600))
	const (
		sum  = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, appendix B.1
		blob = "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f"                         // printf abc | git hash-object --stdin
	)
	for _, tt := range []struct {
		f    File
		want string
	}{
		{File{Size: 3, SHA256: sum}, ""},
		{File{Size: 3, Blob: blob}, ""},
		{File{Size: 4, SHA256: sum}, "size: expected 4 bytes, got 3"},
		{File{Size: 3, SHA256: blob}, "checksum: expected " + blob + ", got " + sum},
		{File{Size: 3, Blob: sum}, "checksum: expected " + sum + ", got " + blob},
	} {
		err := tt.f.verify(context.Background(), path)
		if tt.want == "" {
			assert.NoError(t, err)
			continue
		}
		var bad *damaged
		assert.ErrorAs(t, err, &bad)
		assert.EqualError(t, err, tt.want)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, File{Size: 3, SHA256: sum}.verify(ctx, path), context.Canceled)
	var none *os.PathError
	assert.ErrorAs(t, File{}.verify(context.Background(), path+"x"), &none)
}

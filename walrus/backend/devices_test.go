package backend_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/backend"
)

// TestVirtualDevices: with the plugin there are as many devices as asked for.
func TestVirtualDevices(t *testing.T) {
	_, err := backend.VirtualDevices(0)
	require.Error(t, err)
	if !strings.HasPrefix(os.Getenv(backend.Env), "xla:cpu") {
		t.Skip("GOMLX_BACKEND=xla:cpu (.ci/run, phase xla)")
	}
	b, err := backend.VirtualDevices(3)
	require.NoError(t, err)
	defer b.Finalize()
	require.EqualValues(t, 3, b.NumDevices())
}

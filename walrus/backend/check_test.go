package backend_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/backend"
)

func TestCheck(t *testing.T) {
	b, err := backend.Go()
	require.NoError(t, err)
	require.NoError(t, backend.Check(b))
	b.Finalize()
	require.Error(t, backend.Check(b), "a closed backend")
}

package distributed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/distributed/internal/enginetest"
)

func TestAlone(t *testing.T) {
	require.NoError(t, enginetest.Check(distributed.Alone{}))
}

package train

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFailedBuild: a program whose building failed is built again at the next call.
func TestFailedBuild(t *testing.T) {
	p, built := newPrograms(), map[string]int{}
	_, err := once(p, built, "a", func() (int, error) { return 1, errors.New("no memory") })
	require.ErrorContains(t, err, "no memory")
	for range 2 {
		x, err := once(p, built, "a", func() (int, error) { return 2 + len(built), nil })
		require.NoError(t, err)
		require.Equal(t, 2, x)
	}
}

package machine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestProcessorSeconds: work takes processor time, sleep does not.
func TestProcessorSeconds(t *testing.T) {
	begin, err := ProcessorSeconds()
	require.NoError(t, err)
	x := 1.0
	for until := time.Now().Add(50 * time.Millisecond); time.Now().Before(until); {
		x *= 1.0000001
	}
	require.Positive(t, x)
	end, err := ProcessorSeconds()
	require.NoError(t, err)
	require.Greater(t, end, begin)
}

package main

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestParts: the loss falls, and a second run repeats the first.
func TestParts(t *testing.T) {
	output := func(updates int) string {
		var out bytes.Buffer
		require.NoError(t, run(updates, &out))
		return out.String()
	}
	var first, last float64
	_, err := fmt.Sscanf(output(120), "loss %f, at the end %f\n", &first, &last)
	require.NoError(t, err)
	assert.Less(t, last, 0.7*first)
	assert.Equal(t, output(5), output(5))
}

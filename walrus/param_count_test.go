package walrus_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
)

// The released network has 1.3 billion parameters.
func ExampleConfig_Count() {
	n, err := walrus.Walrus().Count()
	fmt.Println(n.Tensors, n.Parameters, n.Bytes, n.Constants, err)
	// Output: 857 1286199047 5144797948 440 <nil>
}

// TestCount: the parts of every preset add up.
func TestCount(t *testing.T) {
	for _, name := range walrus.PresetNames() {
		c, err := walrus.Preset(name)
		require.NoError(t, err)
		n, err := c.Count()
		require.NoError(t, err)
		var sum int64
		for _, p := range n.Parts {
			sum += p.Parameters
		}
		assert.Equal(t, n.Parameters, sum)
		assert.Equal(t, n.Bytes, 4*(n.Parameters+n.Constants))
	}
	_, err := walrus.Config{}.Count()
	assert.Error(t, err)
}

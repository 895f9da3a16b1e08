package ladder

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCollectiveTimes(t *testing.T) {
	n := Network{Node: 4, Inner: Link{1e-3, 100}, Outer: Link{1e-2, 10}}
	assert.Zero(t, n.gather(1000, 1, 1))
	assert.InDelta(t, 3e-3+1000*3/4./100, n.gather(1000, 4, 1), 1e-12, "inside a node")
	assert.InDelta(t, 7*2e-2+1000/2./40, n.gather(1000, 8, 2), 1e-12, "two nodes, two transfers")
	assert.Zero(t, n.reduce(1000, 1, 4, 1))
	assert.InDelta(t, 2*(2*1e-2+1000*2/3./10), n.reduce(1000, 3, 4, 1), 1e-12, "between nodes")
	assert.InDelta(t, 2*(1e-3+1000/2./100), n.reduce(1000, 2, 2, 1), 1e-12, "groups of one node")
	require.NoError(t, H100Network().Validate())
	n.Outer.Bandwidth = 0
	assert.ErrorContains(t, n.Validate(), "positive bandwidths, got 0.01 s and 0 bytes/s")
}

package walrus

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestConfigDerived(t *testing.T) {
	c := Walrus()
	assert.Equal(t, 67, c.States())
	assert.Equal(t, 88, c.HeadWidth())
	assert.Equal(t, 11, c.Frequencies(), "66 of 88 dimensions turn")
	assert.Equal(t, 5632, c.MLPWidth(), "paper Table 2")
	assert.True(t, c.Has(2))
	assert.False(t, c.Has(1))

	c.MLP = 100
	assert.Equal(t, 100, c.MLPWidth())
	c.Heads = 0
	assert.Zero(t, c.HeadWidth(), "no division by zero before Validate")
}

func TestConfigTokenTarget(t *testing.T) {
	c := Config{Tokens: [3]int{0, 24, 0}}
	got := []int{c.TokenTarget(0), c.TokenTarget(1), c.TokenTarget(2), c.TokenTarget(3), c.TokenTarget(4), c.TokenTarget(-1)}
	assert.Equal(t, []int{0, 32, 24, 16, 0, 0}, got)
}

func TestConfigDropPathRates(t *testing.T) {
	c := Config{Blocks: 5, DropPath: 0.2}
	assert.InDeltaSlice(t, []float64{0, 0.05, 0.1, 0.15, 0.2}, c.DropPathRates(), 1e-15)
	assert.Equal(t, []float64{0}, Config{Blocks: 1, DropPath: 0.2}.DropPathRates())
}

func TestConfigCheckpointed(t *testing.T) {
	for every, want := range map[int][]bool{
		0: {false, false, false, false, false},
		1: {true, true, true, true, true},
		2: {true, false, true, false, true},
		3: {true, false, false, true, false},
	} {
		c := Config{CheckpointEvery: every}
		for block, w := range want {
			assert.Equal(t, w, c.Checkpointed(block), "every %d, block %d", every, block)
		}
	}
}

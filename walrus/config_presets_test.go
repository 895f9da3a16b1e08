package walrus

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// countParameters returns the number of parameters of a network with relative bias. It
// does not count the rotary frequencies, which are constants.
func countParameters(c Config) int {
	C, I, S, K := c.Hidden, c.Intermediate, c.States(), c.HeadWidth()
	k1, k2 := c.Kernel[0]*c.Kernel[0]*c.Kernel[0], c.Kernel[1]*c.Kernel[1]*c.Kernel[1]
	encoder := I*S*k1 + I + C*I*k2 + C
	decoder := C*I*k2 + I + I*S*k1 + S
	space := C + (c.MLPWidth()+3*C)*(C+1) + c.MLPWidth()/2*C + C + C*C + 4*K
	time := C + 3*C*(C+1) + C*(C+1) + 4*K + 32*c.Heads
	return 1 + len(c.Dims)*(encoder+decoder) + c.Blocks*(space+time)
}

func TestPresetSizes(t *testing.T) {
	assert.Equal(t, 1_286_199_047, countParameters(Walrus()), "the released weights")
	assert.InDelta(t, 6.4e8, countParameters(HalfWalrus()), 0.05e8, "paper Table 2")
	assert.Equal(t, 4352, HalfWalrus().MLPWidth(), "paper Table 2")
	assert.Less(t, countParameters(Small()), 30_000_000)

	last := countParameters(Walrus()) + 1
	for _, name := range PresetNames() {
		c, err := Preset(name)
		require.NoError(t, err)
		n := countParameters(c)
		assert.Less(t, n, last, "presets go from large to small: %s", name)
		last = n
	}
}

func TestPresets(t *testing.T) {
	assert.Equal(t, []string{"walrus", "half-walrus", "small", "tiny", "micro"}, PresetNames())
	for _, name := range PresetNames() {
		c, err := Preset(name)
		require.NoError(t, err)
		assert.NoError(t, c.Validate(), name)
		assert.Equal(t, name, c.Name)
	}
	_, err := Preset("walruss")
	assert.EqualError(t, err, `walrus: preset: expected one of walrus, half-walrus, small, tiny, micro, got "walruss"`)
	_, err = Preset("nano")
	assert.ErrorContains(t, err, `"nano" is now called "micro"`)
	assert.ErrorContains(t, err, "weights: nano in a recipe")
}

func TestPresetsDoNotShareMemory(t *testing.T) {
	a := Walrus()
	a.Dims[0] = 7
	assert.Equal(t, []int{2, 3}, Walrus().Dims)
}

func TestPresetOfReleaseIsTheReleasedFile(t *testing.T) {
	// The released sizes, docs/reference.md §1.
	c := Walrus()
	assert.Equal(t, []int{1408, 352, 40, 16, 16, 48}, []int{c.Hidden, c.Intermediate, c.Blocks, c.Heads, c.Groups, c.ProjectionDim})
	assert.Equal(t, [2]int{8, 4}, c.Kernel)
	assert.Equal(t, 0.05, c.DropPath)
	assert.Zero(t, c.FieldDrop)
	assert.Equal(t, 2, c.CheckpointEvery)
	assert.True(t, c.Causal)
	assert.Equal(t, "fixed rel channel fixed delta",
		c.Jitter.String()+" "+c.TimeBias.String()+" "+c.Norm.String()+" "+c.RoPE.String()+" "+c.Prediction.String())
}

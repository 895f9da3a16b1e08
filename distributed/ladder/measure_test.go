package ladder

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// TestMeasure measures a real trainer on a 2D system; what is known already is kept.
func TestMeasure(t *testing.T) {
	e, ok := data.FindEntry("gray_scott_reaction_diffusion")
	require.True(t, ok)
	seen := 0
	m := Measurement{Config: TwoBlocks(), Systems: []data.Entry{e, e}, Backend: testbackend.New(t), Source: "a test",
		Observe: func(_ data.Entry, frames, windows int, seconds float64) {
			seen++
			assert.Equal(t, []int{6, 2}, []int{frames, windows})
			assert.Positive(t, seconds)
		}}
	m.Config.Hidden, m.Config.Heads, m.Config.Blocks, m.Config.Intermediate, m.Config.Tokens = 24, 2, 2, 4, [3]int{8, 8, 8}
	times, err := m.Run(context.Background(), nil)
	require.NoError(t, err)
	require.Len(t, times.Classes, 1)
	assert.Equal(t, e.Name, times.Classes[0].System)
	again, err := m.Run(context.Background(), times)
	require.NoError(t, err)
	assert.Equal(t, times, again)
	assert.Equal(t, 1, seen)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = m.Run(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = Measurement{}.Run(ctx, nil)
	require.ErrorContains(t, err, "expected a backend")
}

// TestWaves: the measured batches have the shapes of their data sets.
func TestWaves(t *testing.T) {
	for _, name := range []string{"acoustic_scattering_maze", "active_matter", "MHD_64", "turbulence_gravity_cooling"} {
		e, ok := data.FindEntry(name)
		require.True(t, ok)
		for _, form := range []Form{{Adaptive: true}, {Adaptive: true, Differential: true}} {
			k, err := NewClass(TwoBlocks(), e, form, Rates{1, 1, 1})
			require.NoError(t, err)
			batch, err := waves(e, k, k.shape.Size)
			require.NoError(t, err)
			assert.NoError(t, batch.Windows[0].Validate())
			windows, frames := 1, 4
			if !e.Volume() && form.Differential {
				windows, frames = 2, 7
			}
			assert.Len(t, batch.Windows, windows)
			assert.Len(t, batch.Windows[0].Frames, frames)
		}
	}
}

package lengths

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestWindows: all systems make valid windows that change in time, on even and odd
// grids.
func TestWindows(t *testing.T) {
	for dims, grids := range map[int][][]int{2: {{8, 8}, {9, 12}, {17, 17}}, 3: {{8, 8, 8}, {9, 8, 8}}} {
		for _, system := range Systems(dims) {
			for _, grid := range grids {
				tr := Trial{System: system, Grid: grid, Seed: 1}
				w, err := tr.Window(t.Context())
				require.NoError(t, err, "%v", tr)
				require.NoError(t, w.Validate(), "%v", tr)
				require.Len(t, w.Frames, tr.History()+Steps)
				s, err := tr.Score(t.Context(), w, eval.Baselines()["persistence"])
				require.NoError(t, err)
				assert.Equal(t, 1.0, s.Ratio, "%v", tr)
				assert.Greater(t, s.Persistence, 0.05, "%v", tr)
			}
		}
	}
}

// TestWaveEquation: the time derivative of the pressure is −K times the divergence of
// the velocity, both by central differences.
func TestWaveEquation(t *testing.T) {
	const n = 64
	w, err := Trial{System: "wave", Grid: []int{n, n}}.Window(t.Context())
	require.NoError(t, err)
	worst, largest := 0.0, 0.0
	at := func(f []float32, channel, i, j int) float64 { return float64(f[channel*n*n+(i+n)%n*n+(j+n)%n]) }
	for i := range n {
		for j := range n {
			rate := (at(w.Frames[6], 0, i, j) - at(w.Frames[4], 0, i, j)) / (2 * waveStep)
			h := 2 * waveSide / n
			div := (at(w.Frames[5], 1, i+1, j)-at(w.Frames[5], 1, i-1, j))/h + (at(w.Frames[5], 2, i, j+1)-at(w.Frames[5], 2, i, j-1))/h
			worst, largest = max(worst, abs(rate+waveModulus*div)), max(largest, abs(rate))
		}
	}
	assert.Less(t, worst, 0.05*largest, "differences of second order in time")
}

func abs(x float64) float64 { return max(x, -x) }

// TestCoarse: averaging over blocks keeps the mean.
func TestCoarse(t *testing.T) {
	assert.Equal(t, []float32{3.5, 5.5}, coarse([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, []int{2, 4}, []int{1, 2}, 2))
}

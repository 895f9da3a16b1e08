package walrus

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
)

// listedConfig returns a configuration that lists its trained strides.
func listedConfig() Config {
	c := Micro()
	c.Kernel, c.Tokens = [2]int{4, 4}, [3]int{14, 14, 8}
	c.Strides = map[int][][2]int{2: {{1, 2}, {2, 2}, {2, 4}}, 3: {{1, 2}, {2, 2}}}
	return c
}

func planFor(t *testing.T, c Config, grid []int, boundaries string) *csm.Plan {
	t.Helper()
	m, err := NewModel(c)
	require.NoError(t, err)
	bcs, err := data.ParseBoundaries(boundaries)
	require.NoError(t, err)
	plan, err := m.Plan(grid, bcs)
	require.NoError(t, err)
	return plan
}

// TestStridesByDimension: the same axis has strides 2×4 in 2D and 2×2 in 3D, where 2×4 was
// not trained. A 1D grid has the strides of the 2D encoder that encodes it.
func TestStridesByDimension(t *testing.T) {
	c := listedConfig()
	c.Dims = []int{2, 3}
	for _, tc := range []struct {
		grid []int
		bcs  string
		want [2]int
	}{
		{[]int{96, 16}, "wall,wall", [2]int{2, 4}},
		{[]int{96, 16, 16}, "wall,wall,wall", [2]int{2, 2}},
		{[]int{96}, "wall", [2]int{2, 4}},
	} {
		assert.Equal(t, tc.want, planFor(t, c, tc.grid, tc.bcs).Axes[0].Stride, "%v", tc.grid)
	}
	assert.Equal(t, [][2]int{{1, 2}, {2, 2}}, c.TrainedStrides(3))
	assert.Nil(t, c.TrainedStrides(4))
	assert.Zero(t, c.Encoder(4))
}

func TestCoverageCounts(t *testing.T) {
	c := listedConfig()
	var seen Coverage
	seen.Count(planFor(t, c, []int{32, 64}, "periodic,wall/open"), 6, 3)
	seen.Count(planFor(t, c, []int{50, 64}, "periodic,wall"), 4, 1)
	seen.Count(planFor(t, c, []int{16, 16, 20}, "wall,wall,wall"), 3, 2)
	seen.Count(planFor(t, c, []int{16, 16, 20}, "wall,wall,wall"), 3, 0)
	assert.Equal(t, &Seen{Windows: 4, Strides: map[string]int64{"1×2 2×2": 3, "2×2 2×2": 1}, Histories: map[int]int64{4: 1, 6: 3},
		Boundaries: map[string]int64{"periodic wall/open": 3, "periodic-uneven wall": 1}, Lengths: [2]int{32, 64}, Points: [2]int{2048, 3200}}, seen.Dims[2])
	assert.Equal(t, int64(2), seen.Dims[3].Windows)
	assert.Equal(t, `2D: 4 windows, axes of 32 to 64 points, grids of 2048 to 3200 points
  strides: 1×2 2×2 (75 %), 2×2 2×2 (25 %)
  histories: 6 (75 %), 4 (25 %)
  boundaries: periodic wall/open (75 %), periodic-uneven wall (25 %)
3D: 2 windows, axes of 16 to 20 points, grids of 5120 to 5120 points
  strides: 1×2 1×2 1×2 (100 %)
  histories: 3 (100 %)
  boundaries: wall wall wall (100 %)`, seen.String())

	more := seen.Continue()
	more.Add(&seen)
	assert.Equal(t, int64(6), seen.Windows(), "a copy counts for itself")
	assert.Equal(t, int64(12), more.Windows())
	assert.Equal(t, int64(6), more.Dims[2].Strides["1×2 2×2"])
	assert.Equal(t, seen.Dims[2].Lengths, more.Dims[2].Lengths)
	assert.True(t, (*Coverage)(nil).Continue().Partial)
	assert.Equal(t, "no training recorded", (*Coverage)(nil).String())
	text, err := json.Marshal(&seen)
	require.NoError(t, err)
	back := new(Coverage)
	require.NoError(t, json.Unmarshal(text, back))
	assert.Equal(t, &seen, back)
}

// TestCoverageTravels: initial weights have an empty record, copies and checkpoints
// keep it, and a checkpoint of the first format has none.
func TestCoverageTravels(t *testing.T) {
	w, err := InitWeights(Tiny(), 1)
	require.NoError(t, err)
	defer w.Close()
	require.NotNil(t, w.Coverage())
	w.Coverage().Count(planFor(t, Tiny(), []int{64, 64}, "wall,wall"), 6, 5)
	clone, err := w.Clone()
	require.NoError(t, err)
	defer clone.Close()
	assert.Equal(t, w.Coverage(), clone.Coverage())
	assert.NotSame(t, w.Coverage(), clone.Coverage())

	dir := filepath.Join(t.TempDir(), "new")
	require.NoError(t, SaveCheckpoint(dir, Checkpoint{Weights: w}))
	back := loadFound(t, dir)
	assert.Equal(t, w.Coverage(), back.Coverage())

	path := filepath.Join(dir, ManifestFile)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	delete(m, "coverage")
	delete(m, "sha256")
	m["format_version"] = 1
	text, err = json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o644))
	assert.Nil(t, loadFound(t, dir).Coverage())
}

func loadFound(t *testing.T, dir string) *Weights {
	t.Helper()
	found, err := FindCheckpoint(dir)
	require.NoError(t, err)
	w, _, err := found.Load(LoadOptions{})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

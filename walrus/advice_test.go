package walrus

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

func TestAdvise(t *testing.T) {
	c := listedConfig()
	var seen Coverage
	for _, grid := range [][]int{{32, 32}, {32, 64}, {64, 64}} {
		seen.Count(planFor(t, c, grid, "periodic,periodic"), 6, 1000)
		seen.Count(planFor(t, c, grid, "wall,wall"), 6, 1000)
	}
	seen.Count(planFor(t, c, []int{32, 32}, "periodic,wall"), 3, 5)
	type brief struct {
		kind AdviceKind
		axis int
		text string
	}
	for _, tc := range []struct {
		name    string
		grid    []int
		bcs     string
		history int
		want    []brief
	}{
		{"known", []int{64, 64}, "wall,wall", 6, nil},
		{"3D", []int{16, 16, 16}, "wall,wall,wall", 3, []brief{{AdviseDimension, -1, "3D grids were not trained, only 2D: expect a poor forecast"}}},
		{"strides", []int{96, 64}, "wall,wall", 6, []brief{
			{AdviseStrides, 0, "axis 0 of 96 points: strides 2×4 were not trained: expect a poor forecast; trained: 1×2 (66.7 %), 2×2 (33.3 %)"},
			{AdviseGrid, 0, "axis 0: 96 points were not trained, only 32 to 64: the forecast may be poor"}}},
		{"combination of strides", []int{64, 32}, "wall,wall", 6, []brief{{AdviseStrides, -1, "strides 2×2 1×2 were not trained in this combination"}}},
		{"history", []int{64, 64}, "wall,wall", 1, []brief{{AdviseHistory, -1, "histories of 1 frame were not trained: the forecast may be poor; trained: 6 (99.9 %), 3 (below 0.1 %)"}}},
		{"rare history", []int{64, 64}, "wall,wall", 3, []brief{{AdviseHistory, -1, "histories of 3 frames were hardly trained (below 0.1 % of the windows)"}}},
		{"boundary", []int{64, 64}, "open,wall", 6, []brief{{AdviseBoundary, 0, "axis 0 of 64 points: boundaries open were not trained"}}},
		{"combination of boundaries", []int{64, 64}, "wall,periodic", 6, []brief{{AdviseBoundary, -1, "boundaries wall periodic were not trained in this combination"}}},
		{"rare combination of boundaries", []int{64, 64}, "periodic,wall", 6, []brief{{AdviseBoundary, -1, "were hardly trained (below 0.1 % of the windows) in this combination"}}},
		{"uneven ring", []int{50, 64}, "periodic,periodic", 6, []brief{{AdviseBoundary, 0, "axis 0 of 50 points: boundaries periodic-uneven were not trained"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Advise(c, &seen, planFor(t, c, tc.grid, tc.bcs), tc.history)
			require.Len(t, got, len(tc.want), "%v", got)
			for i, w := range tc.want {
				assert.Equal(t, []any{w.kind, w.axis}, []any{got[i].Kind, got[i].Axis})
				assert.Contains(t, got[i].Text, w.text)
				assert.Less(t, got[i].Share, 0.01)
			}
		})
	}
}

// TestAdviseWithoutRecord: without a record, advice depends only on the listed strides.
func TestAdviseWithoutRecord(t *testing.T) {
	c := Tiny()
	c.Strides = map[int][][2]int{2: {c.Kernel}}
	short, long := planFor(t, c, []int{8, 64}, "periodic,wall"), planFor(t, c, []int{64, 64}, "wall,wall")
	for name, seen := range map[string]*Coverage{"none": nil, "empty": {}, "partial": {Partial: true, Dims: map[int]*Seen{3: {Windows: 7}}}} {
		assert.Empty(t, Advise(c, seen, long, 1), name)
		got := Advise(c, seen, short, 1)
		require.Len(t, got, 1, name)
		assert.Equal(t, []any{AdviseStrides, 0}, []any{got[0].Kind, got[0].Axis})
		assert.Contains(t, got[0].Text, "were not trained ([[8 4]] were): expect a poor forecast; take a grid with another number of points")
	}
	c.Strides = nil
	assert.Empty(t, Advise(c, nil, planFor(t, c, []int{8, 64}, "periodic,wall"), 1))
}

// TestEmulatorWarns: the emulator logs the advice that Advice returns once for each shape.
func TestEmulatorWarns(t *testing.T) {
	w, err := InitWeights(Tiny(), 1)
	require.NoError(t, err)
	var log bytes.Buffer
	em, err := NewEmulator(w, EmulatorOptions{Backend: testbackend.New(t), OwnWeights: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	defer em.Close()
	name := Tiny().Registry.Names()[3]
	window := &data.Window{Fields: []data.Field{{Name: name}}, Grid: []int{16, 16},
		Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Wall)}, Frames: [][]float32{make([]float32, 256), make([]float32, 256)}}
	advice, err := em.Advice(window)
	require.NoError(t, err)
	assert.Empty(t, advice, "weights that were never trained")

	w.Coverage().Count(planFor(t, Tiny(), []int{32, 32}, "wall,wall"), 2, 9)
	advice, err = em.Advice(window)
	require.NoError(t, err)
	require.NotEmpty(t, advice)
	for range 2 {
		require.NoError(t, em.Prepare(window))
		_, err = em.Emulate(t.Context(), window)
		require.NoError(t, err)
	}
	assert.Equal(t, len(advice), strings.Count(log.String(), "level=WARN"))
	assert.Contains(t, log.String(), advice[0].Text)

	_, err = em.Advice(nil)
	require.ErrorContains(t, err, "expected a window, got none")
	window.Grid = []int{16, 7}
	_, err = em.Advice(window)
	require.ErrorContains(t, err, "axis 1 has 7 points")
}

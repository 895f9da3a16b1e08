package picture

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func rollout() Rollout {
	return Rollout{H: 2, W: 1, Names: []string{"p", "rho"}, Title: "test",
		Truth:    [][]float32{{-1, 1, 3, 4}, {-2, 2, 3, 5}},
		Forecast: [][]float32{{-1, 1, 3, 4}, {0, 3, 3, 6}}, Times: []float32{0.5, 1}}
}

func TestCompareRollout(t *testing.T) {
	panels, err := CompareRollout(rollout())
	require.NoError(t, err)
	require.Len(t, panels, 2)
	assert.Equal(t, "test: step 2 of 2, t = 1", panels[1].Title)
	p, rho := panels[1].Rows[0], panels[1].Rows[1]
	assert.Equal(t, "p", p.Label)
	for i, want := range [][]float32{{-2, 2}, {0, 3}, {2, 1}} {
		assert.Equal(t, want, p.Cells[i].Values)
		assert.Equal(t, Range{-2, 2}, p.Cells[i].Range, "one range for truth, forecast and error")
		assert.Equal(t, "coolwarm", p.Cells[i].Map.Name())
	}
	assert.Equal(t, "viridis", rho.Cells[1].Map.Name(), "a quantity of one sign")
	assert.Equal(t, Range{3, 5}, rho.Cells[0].Range)
	assert.Equal(t, Range{-1, 1}, rho.Cells[2].Range)
	assert.Equal(t, panels[0].Rows[0].Cells[0].Range, p.Cells[0].Range, "one range for all steps")
	a, err := panels[0].Image()
	require.NoError(t, err)
	b, err := panels[1].Image()
	require.NoError(t, err)
	assert.Equal(t, a.Rect, b.Rect)
}

func TestCompareRolloutRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(*Rollout)
		want   string
	}{
		{"steps", func(r *Rollout) { r.Forecast = r.Forecast[:1] }, "got 2 and 1"},
		{"none", func(r *Rollout) { r.Truth, r.Forecast = nil, nil }, "at least 1"},
		{"size", func(r *Rollout) { r.Forecast[1] = r.Forecast[1][:3] }, "step 2: expected 4 values, got 4 of truth and 3 of forecast"},
		{"times", func(r *Rollout) { r.Times = r.Times[:1] }, "expected 2 times, got 1"},
		{"grid", func(r *Rollout) { r.H = 0 }, "got 0 x 1"},
		{"names", func(r *Rollout) { r.Names = nil }, "0 names"},
	} {
		r := rollout()
		c.damage(&r)
		_, err := CompareRollout(r)
		require.ErrorContains(t, err, c.want, c.name)
	}
}

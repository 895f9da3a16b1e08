package data_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// counted returns a data set of two trajectories on a 4×2 grid with 7 and 4 frames, whose
// density counts points, frames and trajectories, and a mask.
func counted(t *testing.T) *data.Memory {
	t.Helper()
	var list []*data.Window
	for i, n := range []int{7, 4} {
		w := &data.Window{Name: "tank", Fields: []data.Field{{Name: "density"}, {Name: data.MaskName, Constant: true}}, Grid: []int{4, 2},
			Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)}, Constants: []float32{1, 1, 0, 1, 0, 0, 1, 0},
			Coordinates: [][]float32{{0, 1, 2, 3}, {10, 20}}, Scalars: []data.Scalar{{Name: "energy"}, {Name: "Re", Constant: true, Values: []float32{float32(i)}}}}
		for k := range n {
			frame := make([]float32, 8)
			for p := range frame {
				frame[p] = float32(100*i + 10*k + p)
			}
			w.Frames, w.Times = append(w.Frames, frame), append(w.Times, float32(k))
			w.Scalars[0].Values = append(w.Scalars[0].Values, float32(k))
		}
		list = append(list, w)
	}
	m, err := data.NewMemory("tanks", list)
	require.NoError(t, err)
	return m
}

// TestSteps: a view of every second frame from the second on.
func TestSteps(t *testing.T) {
	ctx, set := context.Background(), counted(t)
	view, err := data.Steps(set, 1, 6, 2)
	require.NoError(t, err)
	assert.Equal(t, 3, view.Trajectories()[0].Steps) // 1, 3, 5
	assert.Equal(t, 2, view.Trajectories()[1].Steps) // 1, 3
	assert.Equal(t, 7, set.Trajectories()[0].Steps)
	w, err := view.Read(ctx, data.Span{Start: 0, Stride: 2, Frames: 2}, nil)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 5}, w.Times)
	assert.Equal(t, float32(50), w.Frames[1][0])
	assert.Equal(t, []float32{1, 5}, w.Scalars[0].Values)
	_, err = view.Read(ctx, data.Span{Start: 2, Stride: 1, Frames: 2}, nil)
	assert.ErrorContains(t, err, "trajectory 0 has 3 frames")
	same, err := data.Steps(set, 0, 0, 0)
	require.NoError(t, err)
	assert.Equal(t, data.Dataset(set), same)
	for _, c := range [][3]int{{-1, 0, 1}, {0, 0, -1}, {3, 3, 1}, {4, 0, 1}} {
		_, err := data.Steps(set, c[0], c[1], c[2])
		assert.Error(t, err, "%v", c)
	}
}

// TestCoarsen: values are the means of blocks, the mask stays 0 or 1, coordinates are the
// means, and the sum over the grid of a field stays what it was.
func TestCoarsen(t *testing.T) {
	ctx, set := context.Background(), counted(t)
	view, err := data.Coarsen(set, 2)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 1}, view.Metadata().Grid)
	var into *data.Window
	for _, span := range []data.Span{{Stride: 1, Frames: 3}, {Trajectory: 1, Start: 1, Stride: 2, Frames: 2}, {Stride: 6, Frames: 2}} {
		want, err := set.Read(ctx, span, nil)
		require.NoError(t, err)
		into, err = view.Read(ctx, span, into)
		require.NoError(t, err)
		require.NoError(t, into.Validate())
		for k, frame := range into.Frames {
			f := want.Frames[k]
			assert.Equal(t, []float32{(f[0] + f[1] + f[2] + f[3]) / 4, (f[4] + f[5] + f[6] + f[7]) / 4}, frame)
		}
		assert.Equal(t, []float32{1, 0}, into.Constants)
		assert.Equal(t, [][]float32{{0.5, 2.5}, {15}}, into.Coordinates)
		assert.Equal(t, want.Times, into.Times)
		assert.Equal(t, want.Scalars, into.Scalars)
	}
	// A window that was read earlier does not change with the next one.
	first, err := view.Read(ctx, data.Span{Stride: 1, Frames: 2}, nil)
	require.NoError(t, err)
	times := slices.Clone(first.Times)
	_, err = view.Read(ctx, data.Span{Start: 4, Stride: 1, Frames: 2}, nil)
	require.NoError(t, err)
	assert.Equal(t, times, first.Times)
	for _, factor := range []int{0, -1, 3, 4} {
		_, err := data.Coarsen(set, factor)
		assert.ErrorContains(t, err, "expected a factor that divides the grid [4 2]")
	}
	one, err := data.Coarsen(set, 1)
	require.NoError(t, err)
	assert.Equal(t, data.Dataset(set), one)
	_, err = (&data.Window{}).Coarsen(2)
	assert.Error(t, err)
}

// TestSplitByRatios: the sets are disjoint, cover everything, and have their shares.
func TestSplitByRatios(t *testing.T) {
	for _, c := range []struct {
		n                  int
		r                  data.Ratios
		train, valid, test int
	}{
		{10, data.Ratios{Train: 0.8, Valid: 0.1, Test: 0.1}, 8, 1, 1},
		{2, data.Ratios{Train: 0.5, Valid: 0.5}, 1, 1, 0},
		{3, data.Ratios{Train: 0.9, Valid: 0.05, Test: 0.05}, 1, 1, 1},
		{2, data.Ratios{Train: 0.8, Valid: 0.1, Test: 0.1}, 1, 1, 0},
		{1, data.Ratios{Train: 0.8, Valid: 0.1, Test: 0.1}, 1, 0, 0},
		{0, data.Ratios{Train: 1}, 0, 0, 0},
		{7, data.Ratios{Test: 1}, 0, 0, 7},
	} {
		train, valid, test, err := data.SplitByRatios(c.n, c.r, 5)
		require.NoError(t, err)
		got := []int{len(train), len(valid), len(test)}
		sum := slices.Sorted(slices.Values(slices.Concat(train, valid, test)))
		assert.Len(t, sum, c.n)
		assert.Len(t, slices.Compact(sum), c.n)
		assert.Equal(t, []int{c.train, c.valid, c.test}, got, "%+v", c)
	}
	for _, r := range []data.Ratios{{}, {Train: 0.5}, {Train: 2, Valid: -1}, {Train: 1, Valid: 0.1}} {
		_, _, _, err := data.SplitByRatios(5, r, 0)
		assert.Error(t, err)
	}
	_, _, _, err := data.SplitByRatios(-1, data.Ratios{Train: 1}, 0)
	assert.Error(t, err)
}

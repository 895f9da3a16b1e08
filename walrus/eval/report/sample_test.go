package report

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestNewSample: a forecast goes as far as the trajectory, and has the frames after the
// history as its truth.
func TestNewSample(t *testing.T) {
	ctx, w := context.Background(), sample([]int{4, 3}).Truth
	ds, err := data.NewMemory("planes", []*data.Window{w})
	require.NoError(t, err)
	last := eval.Baselines()["persistence"]
	s, err := NewSample(ctx, ds, last, 2, 20)
	require.NoError(t, err)
	require.Equal(t, w.Frames[2:], s.Truth.Frames)
	require.Equal(t, w.Frames[1:2], s.Forecast)
	s, err = NewSample(ctx, ds, last, 0, 20)
	require.NoError(t, err)
	require.Nil(t, s, "a history of six of three frames")
	_, err = NewSample(ctx, ds, nil, 2, 20)
	require.ErrorContains(t, err, "expected a data set with a trajectory")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = NewSample(ended, ds, func(ctx context.Context, _ *data.Window, _ int) ([][]float32, error) { return nil, ctx.Err() }, 2, 1)
	require.ErrorIs(t, err, context.Canceled)
}

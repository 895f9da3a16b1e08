package eval_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/sample"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestEvaluateWindow: the curves are the VRMSE of every step, and the forecasts those of the
// forecasters.
func TestEvaluateWindow(t *testing.T) {
	set, err := sample.Load()
	require.NoError(t, err)
	w, err := set.Test[0].Slice(2, 12)
	require.NoError(t, err)
	forecasters := eval.Baselines()
	r, frames, err := eval.EvaluateWindow(context.Background(), w, forecasters, 6)
	require.NoError(t, err)
	require.Len(t, r.Horizons, 1)
	for name := range forecasters {
		require.Len(t, frames[name], 4)
		table, err := eval.PerStep(eval.WithEps(eval.VRMSE, eval.DefaultEps), frames[name], w.Frames[6:], 3)
		require.NoError(t, err)
		assert.InDeltaSlice(t, eval.MeanFields(table), r.Horizons[0].Curves[name], 1e-12)
	}
	last := w.Frames[5]
	assert.Equal(t, [][]float32{last, last, last, last}, frames["persistence"])

	_, _, err = eval.EvaluateWindow(context.Background(), w, forecasters, 10)
	require.ErrorContains(t, err, "expected at least two frames of history and one of truth, got 10 of 10 frames")
	_, _, err = eval.EvaluateWindow(context.Background(), nil, forecasters, 2)
	require.ErrorContains(t, err, "expected a window")
	failing := map[string]eval.Forecast{"mine": func(context.Context, *data.Window, int) ([][]float32, error) { return nil, context.Canceled }}
	_, _, err = eval.EvaluateWindow(context.Background(), w, failing, 6)
	require.ErrorIs(t, err, context.Canceled)
}

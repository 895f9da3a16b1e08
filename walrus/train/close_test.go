package train

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestCloseInSource: a trainer that its own source closes ends the update before the next
// micro-batch, and refuses later calls. Its weights are freed with it.
func TestCloseInSource(t *testing.T) {
	w := smallWeights(t)
	tr, err := New(w, Options{Backend: testbackend.New(t)})
	require.NoError(t, err)
	calls := 0
	_, err = tr.StepFrom(context.Background(), func(context.Context, int, int) (*Batch, error) {
		calls++
		w.Close() // still in use
		tr.Close()
		return still(plane()), nil
	}, 3, 1e-3)
	require.ErrorIs(t, err, ErrClosed)
	require.Equal(t, 1, calls)

	_, err = tr.Accumulate(still(plane()))
	require.EqualError(t, err, "train: accumulate: the trainer is closed")
	_, err = tr.Update(1e-3)
	require.ErrorIs(t, err, ErrClosed)
	_, err = tr.Weights()
	require.ErrorIs(t, err, ErrClosed)
	_, err = tr.Checkpoint()
	require.ErrorIs(t, err, ErrClosed)
	tr.Drop()
	tr.Close()

	_, ok := w.Tensor(w.Params()[0].Key)
	require.False(t, ok, "freed with the trainer")
	_, err = New(w, Options{Backend: testbackend.New(t)})
	require.ErrorIs(t, err, walrus.ErrWeightsClosed)
}

// TestCloseDuringTrain: Train of a run that is closed ends with ErrClosed, and another run
// can take its folder.
func TestCloseDuringTrain(t *testing.T) {
	o := smallRun(t, t.TempDir())
	var r *Run
	o.Observe = func(p Progress) {
		if p.Update == 2 {
			require.NoError(t, r.Close())
		}
	}
	w := smallWeights(t)
	r, err := NewRun(w, o)
	require.NoError(t, err)
	require.ErrorIs(t, r.Train(context.Background()), ErrClosed)
	require.ErrorIs(t, r.Train(context.Background()), ErrClosed)
	require.NoError(t, r.Close())

	o.Observe = nil
	again, err := NewRun(smallWeights(t), o)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

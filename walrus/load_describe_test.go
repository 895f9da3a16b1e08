package walrus_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/walrus"
)

// TestGoldenDescribe describes the training checkpoint of one step and the
// weights alone.
func TestGoldenDescribe(t *testing.T) {
	golden.Every(t, "n_", func(t *testing.T, c golden.Case) {
		s, err := walrus.DescribeWeights(golden.Path(t, "micro_checkpoints/step_1/full_checkpoint.pt"))
		require.NoError(t, err)
		w, err := walrus.InitWeights(microConfig(t, c), 1)
		require.NoError(t, err)
		values := int64(0)
		for _, p := range w.Params() {
			values += int64(p.Size())
		}
		assert.Equal(t, walrus.FormatTorch, s.Format)
		assert.Equal(t, "app.model", s.Where)
		assert.Equal(t, len(w.Params()), s.Tensors)
		assert.Equal(t, values, s.Values)
		assert.Equal(t, 4*values, s.Bytes)
		assert.EqualValues(t, 545693, s.FileBytes)
		assert.Equal(t, map[string]int{"F32": s.Tensors}, s.DTypes)
		require.Len(t, s.Largest, 5)
		assert.Equal(t, []int{4, 5, 8, 8, 8}, s.Largest[0].Shape)
		assert.GreaterOrEqual(t, s.Largest[0].Bytes(), s.Largest[4].Bytes())
		require.NotNil(t, s.Training.Step)
		assert.EqualValues(t, 1, *s.Training.Step)
		assert.True(t, s.Training.Optimizer)
		require.NotNil(t, s.Training.Epoch)
		assert.EqualValues(t, 1, *s.Training.Epoch)
		require.NotNil(t, s.Training.ValLoss)
		assert.EqualValues(t, 0.5, *s.Training.ValLoss)
		assert.Nil(t, s.Training.BestValLoss, "None in the file")
	})
	golden.Every(t, "model_weights", func(t *testing.T, c golden.Case) {
		s, err := walrus.DescribeWeights(golden.Path(t, c.File))
		require.NoError(t, err)
		assert.Equal(t, walrus.FormatSafetensors, s.Format)
		assert.Equal(t, len(c.Tensors), s.Tensors)
		assert.Equal(t, walrus.TrainingState{}, s.Training)
	})
}

func TestDescribeOwnCheckpoint(t *testing.T) {
	found, err := walrus.FindCheckpoint(saved(t, 12))
	require.NoError(t, err)
	s, err := found.Describe()
	require.NoError(t, err)
	require.NotNil(t, s.Training.Step)
	assert.EqualValues(t, 12, *s.Training.Step)
	assert.True(t, s.Training.Optimizer)
	_, err = walrus.DescribeWeights(found.Weights + ".none")
	assert.ErrorContains(t, err, ".none")
}

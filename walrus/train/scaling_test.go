package train

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// deviations returns statistics of every kind for the fields of the small windows.
func deviations(scale float64) *data.Statistics {
	table := map[string][]float64{}
	for _, f := range plane().Fields {
		values := []float64{scale}
		if f.Order == 1 {
			values = []float64{scale, scale}
		}
		table[f.Name] = values
	}
	return &data.Statistics{Mean: table, Std: table, RMS: table, MeanDelta: table, StdDelta: table, RMSDelta: table}
}

// lossOf returns the loss of a first micro-batch, and the weights.
func lossOf(t *testing.T, trained walrus.Scaling, asked *walrus.Scaling, b *Batch) (float64, *walrus.Weights) {
	t.Helper()
	w := smallWeights(t)
	w.SetScaling(trained)
	tr, err := New(w, Options{Backend: testbackend.New(t), Objective: Objective{Scaling: asked}})
	require.NoError(t, err)
	defer tr.Close()
	loss, err := tr.Accumulate(b)
	require.NoError(t, err)
	return loss, w
}

// TestTrainerScaling: an objective without a scaling uses that of the weights; the zero
// Scaling means that of pretraining. The trainer records the scaling in the weights.
func TestTrainerScaling(t *testing.T) {
	own := walrus.Scaling{Normalization: walrus.NormalizeMeanStd, Eps: 1e-3, Statistics: deviations(2)}
	want, w := lossOf(t, walrus.Scaling{}, &own, still(plane()))
	require.Equal(t, own, w.Scaling())
	got, w := lossOf(t, own, nil, still(plane()))
	require.Equal(t, own, w.Scaling())
	require.Equal(t, want, got)

	want, _ = lossOf(t, walrus.Scaling{}, nil, still(plane()))
	got, w = lossOf(t, own, &walrus.Scaling{}, still(plane()))
	require.Equal(t, walrus.Scaling{}, w.Scaling())
	require.Equal(t, want, got)

	_, err := New(smallWeights(t), Options{Backend: testbackend.New(t), Objective: Objective{Scaling: &walrus.Scaling{Eps: -1}}})
	require.ErrorContains(t, err, "train: objective: scaling: eps: expected a positive number")
}

// TestTrainerRecordsStatistics: a trainer records the statistics of its batches, or empty
// statistics after batches with different statistics.
func TestTrainerRecordsStatistics(t *testing.T) {
	w := smallWeights(t)
	tr, err := New(w, Options{Backend: testbackend.New(t), Objective: Objective{Scaling: &walrus.Scaling{Eps: 1e-8}}})
	require.NoError(t, err)
	defer tr.Close()
	b := still(plane())
	b.Statistics = deviations(2)
	for range 2 {
		_, err = tr.Accumulate(b)
		require.NoError(t, err)
		require.Equal(t, walrus.Scaling{Eps: 1e-8, Statistics: deviations(2)}, w.Scaling())
	}
	b.Statistics = deviations(3)
	_, err = tr.Accumulate(b)
	require.NoError(t, err)
	_, err = walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.ErrorContains(t, err, "not recorded")
}

// TestRunScaling: a run records the scaling that all of its systems share.
func TestRunScaling(t *testing.T) {
	none, two, three := (*data.Statistics)(nil), deviations(2), deviations(3)
	for _, c := range []struct {
		objective *data.Statistics
		systems   []*data.Statistics
		want      *data.Statistics
	}{
		{none, []*data.Statistics{none, none}, none},
		{none, []*data.Statistics{two}, two},
		{none, []*data.Statistics{two, deviations(2)}, two},
		{two, []*data.Statistics{none, two}, two},
		{two, []*data.Statistics{three}, three},
		{none, []*data.Statistics{two, three}, &data.Statistics{}},
		{none, []*data.Statistics{none, two}, &data.Statistics{}},
	} {
		r := &Run{}
		r.o.Trainer.Objective.Scaling = &walrus.Scaling{Eps: 1e-8, Statistics: c.objective}
		for _, s := range c.systems {
			r.o.Systems = append(r.o.Systems, System{Statistics: s})
		}
		require.Equal(t, walrus.Scaling{Eps: 1e-8, Statistics: c.want}, r.scaling())
	}
}

package walrus_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// waves returns a small window of fields that the golden model knows.
func waves() *data.Window {
	w := &data.Window{Name: "waves", Grid: []int{32, 32}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Fields: []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}}}
	for t := range 2 {
		f := make([]float32, 3*32*32)
		for i := range f {
			f[i] = float32((i*(7+t))%23) / 11
		}
		w.Frames = append(w.Frames, f)
	}
	return w
}

func TestLoadReleasedLayoutAndOwn(t *testing.T) {
	b := testbackend.New(t)
	released, err := walrus.Load(golden.Path(t, "tiny_walrus.pt"), walrus.EmulatorOptions{Backend: b})
	require.NoError(t, err)
	defer released.Close()
	want, err := released.Emulate(context.Background(), waves())
	require.NoError(t, err)

	w, _, err := walrus.LoadWeights(golden.Path(t, "tiny_walrus.safetensors"), goldenConfig(t), walrus.LoadOptions{})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "checkpoint")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))
	own, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: b})
	require.NoError(t, err)
	got, err := own.Emulate(context.Background(), waves())
	require.NoError(t, err)
	assert.Equal(t, want, got)
	own.Close()

	w.SetScaling(walrus.Scaling{Normalization: walrus.NormalizeMeanStd})
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))
	other, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: b})
	require.NoError(t, err)
	defer other.Close()
	got, err = other.Emulate(context.Background(), waves())
	require.NoError(t, err)
	assert.NotEqual(t, want, got, "the checkpoint's own normalisation is used")
}

func TestLoadErrors(t *testing.T) {
	_, err := walrus.Load("nowhere", walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.ErrorContains(t, err, "nowhere")
	_, err = walrus.Load(golden.Path(t, "tiny_walrus.pt"), walrus.EmulatorOptions{})
	require.ErrorContains(t, err, "expected a backend")
}

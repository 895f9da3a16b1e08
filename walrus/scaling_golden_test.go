package walrus_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// finetuned writes the folder of a finetuned checkpoint of the reference and returns its
// path. The folder holds the reference's configuration with another class of
// normalisation, the weights, and stats.yaml unless statistics are nil.
func finetuned(t *testing.T, w *walrus.Weights, class, mods string, s *data.Statistics, fields []data.Field) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(golden.Path(t, tinyConfig))
	require.NoError(t, err)
	config := string(text)
	for _, c := range [][2]string{
		{"normalization_strat.SamplewiseRevNormalization\n", "normalization_strat." + class + "\n"},
		{"  prediction_type: delta\n", "  prediction_type: delta\n  epsilon: 1.0e-08\n"},
		{"finetuning_mods: {}\n", mods},
	} {
		require.Contains(t, config, c[0])
		config = strings.Replace(config, c[0], c[1], 1)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, tinyConfig), []byte(config), 0o666))
	require.NoError(t, w.Save(filepath.Join(dir, "model.safetensors"), nil))
	if s != nil {
		require.NoError(t, data.WriteStatistics(filepath.Join(dir, "stats.yaml"), s, fields, 2, data.FullPrecision))
	}
	return dir
}

// rms returns the root mean square of channel c of frames [T] of [C, points].
func rms(frames [][]float32, c, points int) float64 {
	sum := 0.0
	for _, f := range frames {
		for _, v := range f[c*points : (c+1)*points] {
			sum += float64(v) * float64(v)
		}
	}
	return math.Sqrt(sum / float64(len(frames)*points))
}

// changes returns the differences of successive frames.
func changes(frames [][]float32) [][]float32 {
	var out [][]float32
	for i := range frames[1:] {
		d := make([]float32, len(frames[i]))
		for k := range d {
			d[k] = frames[i+1][k] - frames[i][k]
		}
		out = append(out, d)
	}
	return out
}

// TestGoldenLoadFinetuned loads a checkpoint of the reference's finetuning with zero
// options. The expected values follow from the recorded training pass. The pass normalises
// all of its T frames with one set of statistics, and its prediction at step t depends only
// on the frames up to t. So with these statistics in stats.yaml, the forecast from the
// first t+1 frames must be u[t] + y_pred[t]·rms_delta. The statistics of the first t+1
// frames alone would differ. Every channel is a scalar field, so that each channel has its
// own statistics. rms_delta is 1000 times that of the frames, so that the changes, the only
// part of the forecast that depends on the network, are as large as u.
func TestGoldenLoadFinetuned(t *testing.T) {
	golden.Every(t, "p_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		ape, shape := f.Float32(t, "ape")
		cfg := goldenConfig(t)
		cfg.RoPE, cfg.APE = walrus.RoPEPerAxis, shape[3:]
		w, _, err := walrus.LoadWeights(golden.Path(t, c.Weights), cfg, walrus.LoadOptions{AllowMissing: true, AllowUnexpected: true})
		require.NoError(t, err)
		defer w.Close()
		require.NoError(t, w.Set("ape", testbackend.Tensor(ape, shape...)))
		for _, name := range f.Names() {
			if key, ok := strings.CutPrefix(name, "w."); ok {
				v, s := f.Float32(t, name)
				require.NoError(t, w.Set(key, testbackend.Tensor(v, s...)))
			}
		}
		batch := f.Batch(t, cfg.Registry.Map())
		window := batch.Windows[0]
		const larger = 1000
		channels, points := window.Channels(false), window.Points()
		inputs := window.Frames[:batch.Inputs]
		s := &data.Statistics{RMS: map[string][]float64{}, RMSDelta: map[string][]float64{}}
		var scalars []data.Field
		for i, name := range channels {
			scalars = append(scalars, data.Field{Name: name})
			s.RMS[name] = []float64{rms(inputs, i, points)}
			s.RMSDelta[name] = []float64{larger * rms(changes(inputs), i, points)}
		}
		mods := fmt.Sprintf("finetuning_mods:\n  learnable_rope: true\n  rope_per_axis: true\n  ape_shape: [%d, %d, %d]\n", shape[3], shape[4], shape[5])
		y, _ := f.Float32(t, "y_pred")
		d := drawsOf(t, f, 0)
		draws := []walrus.Draws{{Shift: d.shift, Rolls: d.rolls}}
		// The statistics of the changes are a thousand times too large, so that forecasts are too.
		o := walrus.EmulatorOptions{Backend: testbackend.New(t), Divergence: walrus.Divergence{Factor: -1}}
		em, err := walrus.Load(finetuned(t, w, "RMSGlobalRevNormalization", mods, s, scalars), o)
		require.NoError(t, err)
		defer em.Close()
		for step := 1; step < batch.Inputs; step++ {
			past := *window
			past.Fields, past.Frames = scalars, inputs[:step+1]
			var got, want []float32
			for frame, err := range em.Replay(context.Background(), &past, draws) {
				require.NoError(t, err)
				for i, name := range channels {
					if !batch.Real[i] {
						continue // a component that only pads a vector
					}
					got = append(got, frame.Values[i*points:(i+1)*points]...)
					for p := range points {
						change := float64(y[(step*points+p)*len(channels)+i]) * s.RMSDelta[name][0]
						want = append(want, float32(float64(inputs[step][i*points+p])+change))
					}
				}
			}
			golden.Compare(t, fmt.Sprintf("%d frames", step+1), got, want, modelTol)
			if step+1 < batch.Inputs {
				requireOtherThanSample(t, em, w, &past, draws)
			}
		}
	})
}

// requireOtherThanSample checks that statistics of the history give another forecast.
func requireOtherThanSample(t *testing.T, em *walrus.Emulator, w *walrus.Weights, past *data.Window, draws []walrus.Draws) {
	t.Helper()
	sample, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: testbackend.New(t), Scaling: &walrus.Scaling{}})
	require.NoError(t, err)
	defer sample.Close()
	got, want := collect(t, em.Replay(context.Background(), past, draws)), collect(t, sample.Replay(context.Background(), past, draws))
	worst, err := golden.Difference(got[0], want[0])
	require.NoError(t, err)
	require.Greater(t, worst.Relative, 10*modelTol)
}

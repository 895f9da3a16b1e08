package walrus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// goldenWeights loads the weights of a case into the golden set's tiny model.
func goldenWeights(t *testing.T, c golden.Case) *walrus.Weights {
	t.Helper()
	w, _, err := walrus.LoadWeights(golden.Path(t, c.Weights), goldenConfig(t), walrus.LoadOptions{})
	require.NoError(t, err)
	return w
}

func TestGoldenRollout(t *testing.T) {
	golden.Every(t, "m_", func(t *testing.T, c golden.Case) {
		var meta struct {
			Ensemble int `json:"one_step_ensemble"`
			Steps    int
		}
		c.Decode(t, &meta)
		cfg := goldenConfig(t)
		f := c.Open(t)
		batch := f.Batch(t, cfg.Registry.Map())
		em, err := walrus.NewEmulator(goldenWeights(t, c), walrus.EmulatorOptions{
			Backend: testbackend.New(t), Ensemble: meta.Ensemble})
		require.NoError(t, err)
		want, shape := f.Float32(t, "y_pred")
		require.Equal(t, meta.Steps, shape[1])
		var all []walrus.Draws
		for i := range meta.Steps * meta.Ensemble {
			d := drawsOf(t, f, i)
			all = append(all, walrus.Draws{Shift: d.shift, Rolls: d.rolls})
		}
		var got, vrmse, lastInput []float32
		for _, full := range batch.Windows {
			w, err := full.Slice(0, batch.Inputs)
			require.NoError(t, err)
			frames := append([][]float32{}, w.Frames...)
			for frame, err := range em.Replay(context.Background(), w, all) {
				require.NoError(t, err)
				channels := len(w.Channels(false))
				got = append(got, golden.ChannelsLast(frame.Values, channels)...)
				truth := fluidOnly(full, full.Frames[batch.Inputs+frame.Step-1])
				vrmse = append(vrmse, vrmseOf(t, frame.Values, truth, channels, batch.Real)...)
				frames = append(frames, frame.Values)
			}
			moved := *w
			moved.Frames = frames[meta.Steps-1 : meta.Steps-1+batch.Inputs]
			lastInput = append(lastInput, normalized(t, &moved)...)
		}
		golden.Compare(t, "y_pred", got, want, modelTol)
		wantVRMSE, _ := f.Float32(t, "vrmse")
		golden.Compare(t, "vrmse", vrmse, wantVRMSE, modelTol)
		sub, subShape := f.Float32(t, "last_model_input_sub")
		full := []int{subShape[0], subShape[1], subShape[2], shape[2], shape[3], shape[4]}
		stride := 1
		for _, thin := golden.Sub(make([]bool, size(full)), full, stride, 8); !slices.Equal(thin, subShape) && stride < 16; stride++ {
			_, thin = golden.Sub(make([]bool, size(full)), full, stride+1, 8)
		}
		if len(batch.Windows) == 1 {
			thin, _ := golden.Sub(lastInput, full, stride, 8)
			golden.Compare(t, "last_model_input_sub", thin, sub, modelTol)
		}
	})
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// vrmseOf returns the VRMSE of every real channel of a frame.
func vrmseOf(t *testing.T, got, want []float32, channels int, real []bool) []float32 {
	t.Helper()
	points := len(got) / channels
	var out []float32
	for c := range channels {
		if !real[c] {
			continue
		}
		v, err := eval.VRMSE(got[c*points:(c+1)*points], want[c*points:(c+1)*points], eval.DefaultEps)
		require.NoError(t, err)
		out = append(out, float32(v))
	}
	return out
}

// fluidOnly returns a frame with zeros where the window's mask is not 0; the
// reference scores forecasts against such targets.
func fluidOnly(w *data.Window, frame []float32) []float32 {
	v := w.Volume()
	if v.Mask < 0 {
		return frame
	}
	points := v.Points()
	mask := w.Constants[v.Mask*points : (v.Mask+1)*points]
	out := make([]float32, len(frame))
	for i, x := range frame {
		if mask[i%points] == 0 {
			out[i] = x
		}
	}
	return out
}

// normalized returns the network's input for a window, [T, 1, C, H, W, D].
func normalized(t *testing.T, w *data.Window) []float32 {
	t.Helper()
	var flat []float32
	for _, frame := range w.Frames {
		flat = append(append(flat, frame...), w.Constants...)
	}
	channels := len(w.Channels(false)) + len(w.Channels(true))
	in := map[string]*tensors.Tensor{"x": testbackend.Tensor(flat, append([]int{len(w.Frames), 1, channels}, w.Grid...)...)}
	return testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		out.Add("x", walrus.SampleStats(in["x"], walrus.Scaling{}).Normalize(in["x"]))
	})["x"]
}

func TestGoldenGlobalStats(t *testing.T) {
	golden.Every(t, "j_", func(t *testing.T, c golden.Case) {
		var meta struct {
			Stats map[string]map[string]any `json:"stats_yaml"`
		}
		c.Decode(t, &meta)
		raw, err := json.Marshal(meta.Stats)
		require.NoError(t, err)
		stats, err := data.ParseStatistics(raw) // JSON is YAML
		require.NoError(t, err)
		fields := []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}, {Name: "D", Order: 2},
			{Name: "speed_of_sound", Constant: true}, {Name: "mask", Constant: true}}
		f := c.Open(t)
		for kind, name := range map[walrus.Normalization]string{walrus.NormalizeRMS: "rms", walrus.NormalizeMeanStd: "meanstd"} {
			got, err := walrus.GlobalStats(walrus.Scaling{Normalization: kind, Statistics: stats}, fields)
			require.NoError(t, err)
			parts := map[string][]float32{"sample_mean": got.Mean, "sample_std": got.Std, "delta_mean": got.DeltaMean, "delta_std": got.DeltaStd}
			for _, full := range f.Names() {
				if key, ok := strings.CutPrefix(full, fmt.Sprintf("global.%s.", name)); ok {
					want, _ := f.Float32(t, full)
					require.Contains(t, parts, key)
					golden.Compare(t, full, parts[key], want, 1e-6)
				}
			}
		}
	})
}

package dpot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// goldenRollout compares a forecast of several steps. The frames are the time axis of y.
func goldenRollout(t *testing.T, c golden.Case) {
	f, cfg := c.Open(t), configOf(t, c)
	file, _, _ := strings.Cut(c.Weights, ":")
	w, _, err := LoadAs(golden.Peers.Path(t, file), cfg, walrus.LoadOptions{})
	require.NoError(t, err)
	x, shape := f.Float32(t, "x")
	want, outShape := f.Float32(t, "y")
	frames := framesOf(t, want, shape, outShape, cfg.OutChannels)
	got := forecast(t, w, x, shape, len(frames))
	for i := range frames {
		golden.CompareL2(t, fmt.Sprintf("step %d", i+1), got[i], frames[i], rolloutTol)
	}
}

// framesOf cuts the frames [B, X…, C] out of y, whose shape is [B, X…, steps, C],
// [B, steps, X…, (1,) C] or [steps, B, X…, (1,) C], for a window of the shape x.
func framesOf(t *testing.T, y []float32, x, shape []int, channels int) [][]float32 {
	t.Helper()
	grid := x[:len(x)-2] // batch and space
	points := 1
	for _, n := range grid {
		points *= n
	}
	steps := len(y) / (points * channels)
	require.Equal(t, len(y), steps*points*channels, "y %v for x %v", shape, x)
	trimmed := slices.Clone(shape)
	if len(trimmed) > len(grid)+2 && trimmed[len(trimmed)-2] == 1 {
		trimmed = slices.Delete(trimmed, len(trimmed)-2, len(trimmed)-1)
	}
	lay := func(parts ...[]int) bool { return slices.Equal(slices.Concat(parts...), trimmed) }
	n, c := []int{steps}, []int{channels}
	var at func(step, point int) int
	perSample := points / grid[0]
	switch {
	case lay(grid, n, c):
		at = func(step, point int) int { return point*steps + step }
	case lay(n, grid, c):
		at = func(step, point int) int { return step*points + point }
	case lay(grid[:1], n, grid[1:], c):
		at = func(step, point int) int { return (point/perSample*steps+step)*perSample + point%perSample }
	default:
		t.Fatalf("expected y to have one frame of x %v per step, got %v", x, shape)
	}
	out := make([][]float32, steps)
	for step := range out {
		for point := range points {
			from := at(step, point) * channels
			out[step] = append(out[step], y[from:from+channels]...)
		}
	}
	return out
}

// forecast returns the frames of a rollout.
func forecast(t *testing.T, w *Weights, x []float32, shape []int, steps int) (frames [][]float32) {
	t.Helper()
	e, err := NewEmulator(w, testbackend.New(t))
	require.NoError(t, err)
	defer e.Close()
	for frame, err := range e.Rollout(t.Context(), x, shape, steps) {
		require.NoError(t, err)
		frames = append(frames, frame)
	}
	require.Len(t, frames, steps)
	return frames
}

// goldenFrom2D begins a 3D network with 2D weights, sets the rest from the case and runs it
// on a cube and, with an interpolated position embedding, on a box.
func goldenFrom2D(t *testing.T, c golden.Case) {
	f, cfg := c.Open(t), configOf(t, c)
	flat, _ := c.OpenWeights(t)
	var extra struct{ Config originalConfig }
	golden.Peers.Load(t).Case(t, strings.TrimSuffix(c.Weights, ".safetensors")).Decode(t, &extra)
	w2, _, err := LoadAs(golden.Peers.Path(t, c.Weights), extra.Config.network("2D"), walrus.LoadOptions{})
	require.NoError(t, err)
	w3, report, err := Transfer(w2, cfg, TransferOptions{TimeAggregation: true})
	require.NoError(t, err)
	require.Empty(t, report.Resized)
	for _, key := range report.Copied {
		require.True(t, flat.Has(key), key)
	}
	for _, key := range report.Initialized {
		v, shape := f.Float32(t, "w."+key)
		require.NoError(t, w3.Set(key, testbackend.Tensor(v, shape...)))
	}
	for _, suffix := range []string{"", ".cube"} {
		x, shape := f.Float32(t, "x"+suffix)
		want, _ := f.Float32(t, "y"+suffix)
		golden.CompareL2(t, "y"+suffix, forecast(t, w3, x, shape, 1)[0], want, outputTol)
	}
	want, shape := f.Float32(t, "pos_embed_box")
	position, _ := f.Float32(t, "w.pos_embed")
	dims := []int{1, cfg.Hidden, 4, 4, 4}
	golden.CompareL2(t, "pos_embed_box", resized(position, dims, shape), want, outputTol)
}

// goldenCheckpoint loads the published layout, with and without the prefix of distributed
// training, compares it with the case, and writes it back.
func goldenCheckpoint(t *testing.T, c golden.Case) {
	f, cfg := c.Open(t), configOf(t, c)
	x, shape := f.Float32(t, "x")
	want, _ := f.Float32(t, "y")
	for _, name := range []string{"dpot_micro.pth", "dpot_micro_module_prefix.pth"} {
		t.Run(name, func(t *testing.T) {
			w, report, err := Load(golden.Peers.Path(t, "checkpoints/"+name), walrus.LoadOptions{})
			require.NoError(t, err)
			require.Equal(t, cfg, w.Config())
			require.Equal(t, cfg.Parameters(), report.Parameters)
			require.Equal(t, "ns2d", w.Settings()["dataset"])
			checkTensors(t, f, w)
			summary, err := walrus.DescribeWeights(golden.Peers.Path(t, "checkpoints/"+name))
			require.NoError(t, err)
			require.Equal(t, len(w.Params()), summary.Tensors)
			require.Equal(t, cfg.Parameters(), summary.Values)
			require.True(t, summary.Training.Optimizer)
			golden.CompareL2(t, "y", forecast(t, w, x, shape, 1)[0], want, outputTol)
			compareAll(t, f, map[string][]float32{"cls_pred": classesOf(t, w, x, shape)}, outputTol)

			path := filepath.Join(t.TempDir(), "again.pth")
			require.NoError(t, w.Save(path))
			again, report, err := Load(path, walrus.LoadOptions{})
			require.NoError(t, err)
			require.Equal(t, "model", report.Where)
			require.Equal(t, w.Config(), again.Config())
			for name, value := range w.Settings() {
				require.Equal(t, value, again.Settings()[name], name)
			}
			checkTensors(t, f, again)
		})
	}
}

// classesOf returns the scores of the classifier.
func classesOf(t *testing.T, w *Weights, x []float32, shape []int) []float32 {
	t.Helper()
	m, err := NewModel(w.Config())
	require.NoError(t, err)
	in := feedsOf(w)
	in["x"] = testbackend.Tensor(x, shape...)
	return testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		out.Add("classes", m.Forward(m.Weights(varsOf(in)), in["x"]).Classes)
	})["classes"]
}

// checkTensors compares every tensor, bit for bit, with the case's "model.<key>".
func checkTensors(t *testing.T, f *golden.File, w *Weights) {
	t.Helper()
	for _, p := range w.Params() {
		want, shape := f.Float32(t, "model."+p.Key)
		require.Equal(t, shape, p.Dims, p.Key)
		got, ok := w.Tensor(p.Key)
		require.True(t, ok, p.Key)
		require.Equal(t, want, tensors.MustCopyFlatData[float32](got), p.Key)
	}
}

// TestGoldenKeys compares names, order, shapes and counts of every variant with the
// original's.
func TestGoldenKeys(t *testing.T) {
	var file struct {
		DPOT map[string]struct {
			Params  int64
			Entries int
			Config  originalConfig
			Keys    json.RawMessage
		} `json:"dpot"`
	}
	golden.Peers.ReadJSON(t, "baselines_state_dict_keys.json", &file)
	presets := map[string]Config{"Ti": Ti(), "S": S(), "M": M(), "L": L(), "H": H(), "Ti3d": Ti3D(), "H3d": H3D()}
	require.NotEmpty(t, file.DPOT)
	for name, variant := range file.DPOT {
		t.Run(name, func(t *testing.T) {
			c, ok := presets[name]
			require.True(t, ok)
			want := variant.Config.network(name)
			want.Name = c.Name
			require.Equal(t, want, c)
			require.Equal(t, variant.Params, c.Parameters())
			params, err := c.Params()
			require.NoError(t, err)
			require.Len(t, params, variant.Entries)
			keys := orderedKeys(t, variant.Keys)
			var shapes map[string][]int
			require.NoError(t, json.Unmarshal(variant.Keys, &shapes))
			for i, p := range params {
				require.Equal(t, keys[i], p.Key)
				require.Equal(t, shapes[p.Key], p.Dims, p.Key)
			}
		})
	}
}

// orderedKeys returns the keys of a JSON object in order.
func orderedKeys(t *testing.T, object json.RawMessage) (keys []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	_, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		key, err := d.Token()
		require.NoError(t, err)
		keys = append(keys, key.(string))
		var value any
		require.NoError(t, d.Decode(&value))
	}
	return keys
}

package peers_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers"
)

// gas are the channels of Poseidon's published weights, in another order.
var gas = []data.Field{{Name: "pressure"}, {Name: "density"}, {Name: "velocity", Order: 1}}

// window returns a window of waves.
func window(grid []int, fields []data.Field, frames int) *data.Window {
	w := &data.Window{Name: "waves", Grid: grid, Fields: fields, Boundaries: slices.Repeat(data.Boundaries{data.Both(data.Periodic)}, len(grid))}
	channels, points := len(w.Channels(false)), w.Points()
	for t := range frames {
		frame := make([]float32, channels*points)
		for i := range frame {
			frame[i] = float32(1 + math.Sin(0.3*float64(i%points)+float64(i/points)+0.2*float64(t)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// micro opens one of the small checkpoints in the published layouts.
func micro(t *testing.T, name string, o peers.Options) *peers.Network {
	t.Helper()
	o.Backend = testbackend.New(t)
	n, err := peers.Open(checkpoint(t, name), o)
	require.NoError(t, err)
	t.Cleanup(n.Close)
	return n
}

func checkpoint(t *testing.T, name string) string {
	if name == "poseidon_micro" {
		return filepath.Dir(golden.Peers.Path(t, "checkpoints/poseidon_micro/config.json"))
	}
	return golden.Peers.Path(t, "checkpoints/"+name)
}

// recorded reads input and output of a checkpoint from the original.
func recorded(t *testing.T, name string) (x, y []float32) {
	t.Helper()
	f, err := safetensors.Open(golden.Peers.Path(t, name+"_z_micro_checkpoint.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	for key, to := range map[string]*[]float32{"x": &x, "y": &y} {
		*to, _, err = f.Float32(key)
		require.NoError(t, err)
	}
	return x, y
}

// one returns the first frame of a rollout.
func one(t *testing.T, n walrus.Forecaster, w *data.Window) []float32 {
	t.Helper()
	for frame, err := range n.Rollout(t.Context(), w, 1) {
		require.NoError(t, err)
		require.Equal(t, 1, frame.Step)
		return frame.Values
	}
	require.Fail(t, "no frame")
	return nil
}

func requireNear(t *testing.T, want, got []float32) {
	t.Helper()
	require.Len(t, got, len(want))
	difference, norm := 0.0, 0.0
	for i, v := range want {
		d := float64(v) - float64(got[i])
		difference, norm = difference+d*d, norm+float64(v)*float64(v)
	}
	require.Less(t, math.Sqrt(difference/norm), 2e-5)
}

// TestRecorded: the forecasts of windows are the recorded outputs of the originals, in the
// layout of the window.
func TestRecorded(t *testing.T) {
	t.Run("Poseidon", func(t *testing.T) {
		x, y := recorded(t, "poseidon")
		order := []int{3, 0, 1, 2} // pressure, density, velocity_x, velocity_y
		turn := func(v []float32) (out []float32) {
			for _, c := range order {
				out = append(out, v[c*256:(c+1)*256]...)
			}
			return out
		}
		n := micro(t, "poseidon_micro", peers.Options{LeadTime: recordedTime(t),
			Statistics: &data.Statistics{Mean: map[string][]float64{"pressure": {0}, "density": {0}, "velocity": {0, 0}},
				Std: map[string][]float64{"pressure": {1}, "density": {1}, "velocity": {1, 1}}}})
		w := window([]int{16, 16}, gas, 1)
		w.Frames[0] = turn(x)
		requireNear(t, turn(y), one(t, n, w))
		assert.Equal(t, peers.Poseidon, n.Kind)
		assert.Positive(t, n.Parameters)
		assert.Equal(t, 1, n.History(2))
	})
	t.Run("DPOT", func(t *testing.T) {
		x, y := recorded(t, "dpot") // [256, 10, 4] and [256, 1, 4]
		w := window([]int{16, 16}, gas, 12)
		for f := range 10 {
			for c := range 4 {
				for p := range 256 {
					w.Frames[2+f][c*256+p] = x[(p*10+f)*4+c]
				}
			}
		}
		want := make([]float32, 4*256)
		for c := range 4 {
			for p := range 256 {
				want[c*256+p] = y[p*4+c]
			}
		}
		for _, name := range []string{"dpot_micro.pth", "dpot_micro_module_prefix.pth"} {
			n := micro(t, name, peers.Options{})
			requireNear(t, want, one(t, n, w))
			assert.Equal(t, 10, n.History(2))
		}
	})
	t.Run("MPP", func(t *testing.T) {
		x, y := recorded(t, "mpp") // [3, 1, 2, 32, 32]
		f, err := safetensors.Open(golden.Peers.Path(t, "mpp_z_micro_checkpoint.safetensors"))
		require.NoError(t, err)
		defer f.Close()
		labels, _, err := f.Int32s("state_labels")
		require.NoError(t, err)
		bcs, _, err := f.Int32s("bcs")
		require.NoError(t, err)
		w := window([]int{32, 32}, []data.Field{{Name: "a"}, {Name: "b"}}, 3)
		for axis, flag := range []int32{bcs[1], bcs[0]} { // the file has W before H
			if flag == 0 {
				w.Boundaries[axis] = data.Both(data.Wall)
			}
		}
		for i := range w.Frames {
			w.Frames[i] = x[i*2048 : (i+1)*2048]
		}
		for _, name := range []string{"MPP_AViT_micro", "mpp_ckpt.tar"} {
			n := micro(t, name, peers.Options{Labels: map[string]int{"a": int(labels[0]), "b": int(labels[1])}})
			requireNear(t, y, one(t, n, w))
			assert.Equal(t, 16, n.History(2))
		}
	})
}

func recordedTime(t *testing.T) float32 {
	f, err := safetensors.Open(golden.Peers.Path(t, "poseidon_z_micro_checkpoint.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	time, _, err := f.Float32("time")
	require.NoError(t, err)
	return time[0]
}

// TestStatistics: the forecast from statistics is the forecast of the normalised window,
// scaled back.
func TestStatistics(t *testing.T) {
	s := &data.Statistics{Mean: map[string][]float64{"pressure": {3}, "density": {-1}, "velocity": {0.5, 2}},
		Std: map[string][]float64{"pressure": {4}, "density": {0.25}, "velocity": {1, 2}}}
	mean, std := []float32{3, -1, 0.5, 2}, []float32{4, 0.25, 1, 2}
	plain := window([]int{16, 16}, gas, 10)
	scaled := window([]int{16, 16}, gas, 10)
	for _, frame := range scaled.Frames {
		for i := range frame {
			frame[i] = frame[i]*std[i/256] + mean[i/256]
		}
	}
	want := one(t, micro(t, "dpot_micro.pth", peers.Options{}), plain)
	for i := range want {
		want[i] = want[i]*std[i/256] + mean[i/256]
	}
	requireNear(t, want, one(t, micro(t, "dpot_micro.pth", peers.Options{Statistics: s}), scaled))

	s.Std["density"] = []float64{0}
	for _, err := range micro(t, "dpot_micro.pth", peers.Options{Statistics: s}).Rollout(t.Context(), scaled, 1) {
		require.ErrorContains(t, err, "field density, component 0: expected a standard deviation above 0")
	}
}

// TestRollout: a frame continues the frames before it, and a rollout of 0 steps has no frames.
func TestRollout(t *testing.T) {
	n := micro(t, "dpot_micro.pth", peers.Options{})
	w := window([]int{16, 16}, []data.Field{{Name: "u"}, {Name: "v"}, {Name: "p"}, {Name: "q"}}, 10)
	var frames [][]float32
	for frame, err := range n.Rollout(t.Context(), w, 2) {
		require.NoError(t, err)
		frames = append(frames, frame.Values)
	}
	require.Len(t, frames, 2)
	w.Frames = append(w.Frames[1:], frames[0])
	requireNear(t, frames[1], one(t, n, w))
	for range n.Rollout(t.Context(), w, 0) {
		require.Fail(t, "a rollout of no steps has no frames")
	}
}

// TestRefused: a window that a network cannot continue is an error that says what would do.
func TestRefused(t *testing.T) {
	scalars := func(names ...string) (out []data.Field) {
		for _, name := range names {
			out = append(out, data.Field{Name: name})
		}
		return out
	}
	constant := window([]int{16, 16}, append(scalars("a"), data.Field{Name: "speed", Constant: true}), 10)
	constant.Constants = make([]float32, 256)
	for _, c := range []struct {
		network string
		w       *data.Window
		text    string
	}{
		{"poseidon_micro", window([]int{16, 16}, scalars("density"), 1), "expected the channels [density velocity_x velocity_y pressure], got [density]: name them by Options.Channels"},
		{"poseidon_micro", window([]int{17, 17}, gas, 1), "even difference from 16"},
		{"poseidon_micro", window([]int{8, 8, 8}, scalars("density"), 1), "expected the channels"},
		{"dpot_micro.pth", window([]int{16, 16}, scalars("a"), 9), "expected at least 10 frames of history, got 9"},
		{"dpot_micro.pth", window([]int{16, 16}, scalars("a", "b", "c", "d", "e"), 10), "expected at most 4 channels"},
		{"dpot_micro.pth", window([]int{16, 18}, scalars("a"), 10), "expected a positive multiple of 4"},
		{"dpot_micro.pth", constant, "expected no constant fields"},
		{"MPP_AViT_micro", window([]int{32, 32}, scalars("a"), 3), "the channels [a] are those of no system"},
		{"MPP_AViT_micro", window([]int{32, 32}, []data.Field{{Name: "velocity", Order: 1}}, 3), "belong to several systems that the published weights know ([incompns compns])"},
		{"MPP_AViT_micro", window([]int{32, 40}, scalars("activator", "inhibitor"), 3), "expected a positive multiple of 16"},
		{"MPP_AViT_micro", window([]int{32}, scalars("a"), 3), "expected two axes"},
		{"MPP_AViT_micro", nil, "expected a window, got nil"},
	} {
		t.Run(c.network+"/"+c.text[:10], func(t *testing.T) {
			n := micro(t, c.network, peers.Options{})
			frames := 0
			for _, err := range n.Rollout(t.Context(), c.w, 1) {
				require.ErrorContains(t, err, c.text)
				frames++
			}
			require.Equal(t, 1, frames)
		})
	}
	_, err := peers.Open(checkpoint(t, "dpot_micro.pth"), peers.Options{Backend: testbackend.New(t), History: 6})
	require.ErrorContains(t, err, "expected a history of at least 10 frames for DPOT, got 6")
	_, err = peers.Open(golden.Path(t, "extended_config.yaml"), peers.Options{Backend: testbackend.New(t)})
	require.Error(t, err)
	_, err = peers.Detect(golden.Peers.Path(t, "mpp_a_rollout.safetensors"))
	require.ErrorIs(t, err, peers.ErrUnknown)
	for name, kind := range map[string]peers.Kind{"poseidon_micro": peers.Poseidon, "poseidon_micro/model.safetensors": peers.Poseidon,
		"dpot_micro_module_prefix.pth": peers.DPOT, "mpp_ckpt.tar": peers.MPP} {
		d, err := peers.Describe(checkpoint(t, name))
		require.NoError(t, err)
		require.Equal(t, kind, d.Kind)
		require.Positive(t, d.Parameters)
		require.NotEmpty(t, d.Licence)
	}
	require.Empty(t, peers.Kind("x").Licence())
	require.True(t, strings.HasPrefix(peers.MPP.Licence(), "MIT"))
}

// TestDiverged: a forecast that is not finite ends with the error of an emulator.
func TestDiverged(t *testing.T) {
	n := micro(t, "dpot_micro.pth", peers.Options{Statistics: &data.Statistics{
		Mean: map[string][]float64{"a": {0}}, Std: map[string][]float64{"a": {1e-38}}}})
	w := window([]int{16, 16}, []data.Field{{Name: "a"}}, 10)
	for _, frame := range w.Frames {
		for i := range frame {
			frame[i] *= 1e38
		}
	}
	for _, err := range n.Rollout(t.Context(), w, 1) {
		var bad *walrus.DivergedError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, []any{1, "a"}, []any{bad.Step, bad.Field})
		require.ErrorIs(t, err, walrus.ErrDiverged)
	}
}

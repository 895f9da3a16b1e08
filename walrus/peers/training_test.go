package peers_test

import (
	"context"

	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// micros are the small checkpoints, each with a grid and the history that its network needs.
var micros = map[string]struct {
	grid    []int
	history int
	rate    float64
}{
	"poseidon_micro": {[]int{16, 16}, 1, 3e-3},
	"dpot_micro.pth": {[]int{16, 16}, 10, 3e-3},
	"MPP_AViT_micro": {[]int{32, 32}, 3, 1e-2},
}

// unit are statistics that leave values as they are.
func unit(fields []data.Field) *data.Statistics {
	s := &data.Statistics{Mean: map[string][]float64{}, Std: map[string][]float64{}}
	for _, f := range fields {
		n := len(f.ComponentsOf([]string{"x", "y"}))
		s.Mean[f.Name], s.Std[f.Name] = make([]float64, n), slices.Repeat([]float64{1}, n)
	}
	return s
}

// adapted opens a checkpoint for windows of the given fields.
func adapted(t *testing.T, path string, w *data.Window, history int) (*peers.Network, []string) {
	t.Helper()
	m := data.Metadata{Name: w.Name, GridType: data.CartesianGrid, Grid: w.Grid, Fields: w.Fields}
	n, fresh, err := peers.OpenFor(path, m, peers.Options{Backend: testbackend.New(t), History: history, Statistics: unit(w.Fields)}, 3)
	require.NoError(t, err)
	t.Cleanup(n.Close)
	return n, fresh
}

// values copies all tensors.
func values(t *testing.T, n *peers.Network) map[string][]float32 {
	t.Helper()
	out := map[string][]float32{}
	for _, p := range n.Tensors().Params() {
		x, ok := n.Tensors().Tensor(p.Key)
		require.True(t, ok, p.Key)
		v, err := tensors.CopyFlatData[float32](x)
		require.NoError(t, err)
		out[p.Key] = v
	}
	return out
}

// TestTraining: each network learns two windows of other channels than its own by heart, with
// frozen tensors that do not change, and its checkpoint forecasts as it does.
func TestTraining(t *testing.T) {
	fields := []data.Field{{Name: "height"}, {Name: "tracer"}, {Name: "velocity", Order: 1}, {Name: "buoyancy"}}
	for name, m := range micros {
		t.Run(name, func(t *testing.T) {
			w := window(m.grid, fields, m.history+1)
			n, fresh := adapted(t, checkpoint(t, name), w, m.history)
			require.NotEmpty(t, fresh)
			frozen := map[string]string{"poseidon_micro": "encoder.*", "dpot_micro.pth": "time_agg_layer.*", "MPP_AViT_micro": "blocks.0.spatial.*"}[name]
			tr, err := train.NewFor(n, train.Options{Backend: testbackend.New(t), Freeze: []string{frozen}})
			require.NoError(t, err)
			defer tr.Close()
			before := values(t, n)
			var losses []float64
			other := *w
			other.Frames = slices.Clone(w.Frames)
			slices.Reverse(other.Frames)
			for range 80 {
				loss, err := tr.Step(&train.Batch{Windows: []*data.Window{w, &other}}, m.rate)
				require.NoError(t, err)
				losses = append(losses, loss)
			}
			assert.Less(t, slices.Min(losses), 0.3*losses[0], losses)
			moved := 0
			for key, v := range values(t, n) {
				if ok, _ := filepath.Match(frozen, key); ok {
					require.Equal(t, before[key], v, key)
				} else if !slices.Equal(before[key], v) {
					moved++
				}
			}
			require.Greater(t, moved, len(before)/3)
			for key, v := range before { // the loss does not depend on the classifier
				if strings.HasPrefix(key, "cls_head.") {
					require.Equal(t, v, values(t, n)[key], key)
				}
			}
			for _, key := range fresh {
				require.NotEqual(t, before[key], values(t, n)[key], key)
			}
			dir := filepath.Join(t.TempDir(), "last")
			c, err := tr.Checkpoint()
			require.NoError(t, err)
			require.NoError(t, walrus.SaveCheckpoint(dir, c))
			history, err := w.Slice(0, m.history)
			require.NoError(t, err)
			want := one(t, n, history)
			again, err := peers.Open(dir, peers.Options{Backend: testbackend.New(t)})
			require.NoError(t, err)
			defer again.Close()
			require.Equal(t, want, one(t, again, history))
			require.Equal(t, n.History(2), again.History(2))
			file := filepath.Join(t.TempDir(), "published")
			require.NoError(t, n.Save(file))
			kind, err := peers.Detect(file)
			require.NoError(t, err)
			require.Equal(t, n.Kind, kind)
		})
	}
}

// TestTrainingResumes: a run that was interrupted in the middle of an epoch ends with the
// tensors of one that was not, bit for bit, and with the moving average and the best
// checkpoint.
func TestTrainingResumes(t *testing.T) {
	for name, m := range micros {
		t.Run(name, func(t *testing.T) {
			fields := []data.Field{{Name: "height"}, {Name: "velocity", Order: 1}}
			var windows []*data.Window
			for range 3 {
				windows = append(windows, window(m.grid, fields, m.history+3))
			}
			ds, err := data.NewMemory("waves", windows)
			require.NoError(t, err)
			run := func(dir string, stop int64) map[string][]float32 {
				n, _ := adapted(t, checkpoint(t, name), windows[0], m.history)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, err := train.NewRunFor(n, train.RunOptions{Dir: dir, Epochs: 2, Updates: 2, Accumulate: 1, Schedule: train.Schedule{Base: 1e-3, Warmup: -1, Cooldown: -1},
					Trainer:    train.Options{Backend: testbackend.New(t), EMA: 0.5, Seed: 7},
					Validation: train.Validation{Windows: 2},
					Systems:    []train.System{{Name: "waves", Train: ds, Valid: ds, Batch: 1, Cut: data.Cut{Input: m.history}}},
					Observe: func(p train.Progress) {
						if p.Update == stop {
							cancel()
						}
					}})
				require.NoError(t, err)
				defer r.Close()
				err = r.Train(ctx)
				if stop > 0 {
					require.ErrorIs(t, err, train.ErrInterrupted)
					return nil
				}
				require.NoError(t, err)
				return values(t, n)
			}
			whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
			want := run(whole, 0)
			run(parts, 3)
			got := run(parts, 0)
			require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
			for key := range want {
				require.Equal(t, want[key], got[key], key)
			}
			best, err := peers.Open(train.RunCheckpoint(parts), peers.Options{Backend: testbackend.New(t)})
			require.NoError(t, err)
			defer best.Close()
			for _, v := range one(t, best, windows[0]) {
				require.False(t, math.IsNaN(float64(v)))
			}
			_, err = walrus.FindCheckpoint(train.RunCheckpoint(parts))
			var other *walrus.DesignError
			require.ErrorAs(t, err, &other)
			require.ErrorContains(t, err, "open it with")
		})
	}
}

// TestTrainingErrors: batches, options and checkpoints that do not fit are errors that say what
// was expected.
func TestTrainingErrors(t *testing.T) {
	fields := []data.Field{{Name: "height"}}
	w := window([]int{16, 16}, fields, 11)
	b := testbackend.New(t)
	n, _ := adapted(t, checkpoint(t, "dpot_micro.pth"), w, 0)
	tr, err := train.NewFor(n, train.Options{Backend: b})
	require.NoError(t, err)
	defer tr.Close()
	short, err := w.Slice(0, 5)
	require.NoError(t, err)
	for want, batch := range map[string]*train.Batch{
		"expected at least 10 frames of history, got 4": {Windows: []*data.Window{short}},
		"expected no statistics of the batch":           {Windows: []*data.Window{w}, Statistics: unit(fields)},
		"got 1 of 2 that count":                         {Windows: []*data.Window{w, w}, Present: []bool{true, false}},
		"expected no draws of jitter":                   {Windows: []*data.Window{w}, Draws: &walrus.Draws{}},
		"empty batch":                                   {},
	} {
		_, err := tr.Accumulate(batch)
		require.ErrorContains(t, err, want)
	}
	_, err = tr.Weights()
	require.ErrorContains(t, err, "expected a trainer of a Walrus network")
	_, err = train.NewFor(n, train.Options{Backend: b, NoRolls: true})
	require.ErrorContains(t, err, "expected no Objective and no NoRolls")
	_, err = train.NewRunFor(n, train.RunOptions{Dir: t.TempDir(), Systems: []train.System{{Name: "waves", Statistics: unit(fields)}}})
	require.ErrorContains(t, err, "expected no statistics, because the network has its own")
	_, err = n.Forecaster(nil, 99)
	require.ErrorContains(t, err, "expected one of the ")
	_, err = n.Forecaster(unit(fields), 0)
	require.ErrorContains(t, err, "expected no statistics, because the network has its own")

	c, err := tr.Checkpoint()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "last")
	require.NoError(t, walrus.SaveCheckpoint(dir, c))
	m, err := walrus.OpenCheckpoint(dir)
	require.NoError(t, err)
	other, _ := adapted(t, checkpoint(t, "poseidon_micro"), w, 0)
	wrong, err := train.NewFor(other, train.Options{Backend: b})
	require.NoError(t, err)
	defer wrong.Close()
	require.ErrorContains(t, wrong.Restore(m), "expected the checkpoint of a Poseidon network, got that of a DPOT network")
}

// TestOpenForKeeps: a network that knows channels and grid of the data starts with all of its
// values.
func TestOpenForKeeps(t *testing.T) {
	for name, fields := range map[string][]data.Field{"poseidon_micro": gas, "dpot_micro.pth": gas} {
		n, fresh := adapted(t, checkpoint(t, name), window([]int{16, 16}, fields, 1), 0)
		require.Empty(t, fresh, name)
		require.Equal(t, values(t, micro(t, name, peers.Options{})), values(t, n), name)
	}
	_, fresh := adapted(t, checkpoint(t, "poseidon_micro"), window([]int{32, 16}, gas, 1), 0)
	require.Empty(t, fresh)
	m := data.Metadata{Name: "waves", GridType: data.CartesianGrid, Grid: []int{32, 32}, Fields: []data.Field{{Name: "height"}}}
	n, fresh, err := peers.OpenFor(checkpoint(t, "MPP_AViT_micro"), m, peers.Options{Backend: testbackend.New(t), Labels: map[string]int{"height": 2}}, 1)
	require.NoError(t, err)
	defer n.Close()
	require.Empty(t, fresh)
	require.Equal(t, values(t, micro(t, "MPP_AViT_micro", peers.Options{})), values(t, n))
}

// TestFrozenCheckpoint: checkpoints of manifest format 4 are read with the options of their
// training.
func TestFrozenCheckpoint(t *testing.T) {
	n, err := peers.Open(filepath.Join("testdata", "format4"), peers.Options{Backend: testbackend.New(t)})
	require.NoError(t, err)
	defer n.Close()
	require.Equal(t, peers.MPP, n.Kind)
	require.Equal(t, 3, n.History(2))
	w := window([]int{32, 32}, []data.Field{{Name: "height"}, {Name: "velocity", Order: 1}}, 3)
	require.Len(t, one(t, n, w), 3*32*32)
	c, err := n.Checkpoint()
	require.NoError(t, err)
	require.Contains(t, string(c.Design.Settings), `"labels":{"height":0,"velocity_x":1,"velocity_y":2}`)
}

// TestPlain: the plain references are trained from scratch on a grid with one periodic axis,
// and a file of them forecasts as they do.
func TestPlain(t *testing.T) {
	fields := []data.Field{{Name: "velocity", Order: 1}, {Name: "height"}}
	for _, name := range []string{"fno", "UNet"} {
		w := window([]int{8, 16}, fields, 5)
		w.Boundaries[0] = data.Both(data.Wall)
		n, fresh := adapted(t, name, w, 0)
		require.Empty(t, fresh)
		kind, ok := peers.Fresh(name)
		require.True(t, ok)
		require.Equal(t, kind, n.Kind)
		tr, err := train.NewFor(n, train.Options{Backend: testbackend.New(t)})
		require.NoError(t, err)
		defer tr.Close()
		var losses []float64
		for range 8 {
			loss, err := tr.Step(&train.Batch{Windows: []*data.Window{w}}, 1e-3)
			require.NoError(t, err)
			losses = append(losses, loss)
		}
		assert.Less(t, losses[7], 0.5*losses[0], losses)
		history, err := w.Slice(0, 4)
		require.NoError(t, err)
		want := one(t, n, history)
		c, err := tr.Checkpoint()
		require.NoError(t, err)
		dir := filepath.Join(t.TempDir(), "last")
		require.NoError(t, walrus.SaveCheckpoint(dir, c))
		again, err := peers.Open(dir, peers.Options{Backend: testbackend.New(t)})
		require.NoError(t, err)
		defer again.Close()
		require.Equal(t, want, one(t, again, history))
		d, err := peers.Describe(dir)
		require.NoError(t, err)
		require.Equal(t, &peers.Description{Kind: kind, Parameters: n.Parameters}, d)
		copied, err := n.Clone()
		require.NoError(t, err)
		require.Equal(t, n.Tensors().Params(), copied.Tensors().Params())
		copied.Close()
		copied.Close()
		_, err = peers.Open(filepath.Join(dir, walrus.WeightsFile), peers.Options{Backend: testbackend.New(t), Channels: []string{"a"}})
		require.Error(t, err)
	}
}

// TestTrainingNotFinite: a loss that is not finite names its window and changes nothing.
func TestTrainingNotFinite(t *testing.T) {
	w := window([]int{16, 16}, gas, 11)
	n, _ := adapted(t, checkpoint(t, "dpot_micro.pth"), w, 0)
	tr, err := train.NewFor(n, train.Options{Backend: testbackend.New(t)})
	require.NoError(t, err)
	defer tr.Close()
	before := values(t, n)
	w.Name = "spike"
	w.Frames[3][5] = 1e30
	_, err = tr.Step(&train.Batch{Windows: []*data.Window{w}}, 1e-3)
	var bad *train.NonFiniteError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, []string{"spike"}, bad.Windows)
	require.Empty(t, bad.Tensors)
	require.Equal(t, before, values(t, n))
}

// TestOpenFor3D: DPOT gets the blocks of its 2D weights for data in 3D, and is trained there.
// The other networks are 2D.
func TestOpenFor3D(t *testing.T) {
	w := window([]int{16, 8, 8}, []data.Field{{Name: "height"}}, 11)
	n, fresh := adapted(t, checkpoint(t, "dpot_micro.pth"), w, 0)
	require.NotEmpty(t, fresh)
	for _, key := range fresh {
		require.NotContains(t, key, "blocks.")
	}
	tr, err := train.NewFor(n, train.Options{Backend: testbackend.New(t)})
	require.NoError(t, err)
	defer tr.Close()
	first, err := tr.Step(&train.Batch{Windows: []*data.Window{w}}, 1e-3)
	require.NoError(t, err)
	var last float64
	for range 4 {
		last, err = tr.Step(&train.Batch{Windows: []*data.Window{w}}, 1e-3)
		require.NoError(t, err)
	}
	require.Less(t, last, first)
	flat, _ := adapted(t, checkpoint(t, "poseidon_micro"), w, 0)
	tr, err = train.NewFor(flat, train.Options{Backend: testbackend.New(t)})
	require.NoError(t, err)
	defer tr.Close()
	_, err = tr.Accumulate(&train.Batch{Windows: []*data.Window{w}})
	require.ErrorContains(t, err, "expected two axes")
}

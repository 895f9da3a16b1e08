package distributed_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/distributed/internal/smallrun"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// runOn trains in a folder on a mesh until update stop; 0 means to the end.
func runOn(t *testing.T, b compute.Backend, dir string, mesh distributed.Mesh, stop int64) (*train.Run, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o, err := smallrun.Options(dir)
	require.NoError(t, err)
	o.Trainer.Backend, o.Trainer.Mesh = b, mesh
	o.Observe = func(p train.Progress) {
		require.False(t, math.IsNaN(p.Loss))
		if p.Update == stop {
			cancel()
		}
	}
	w, err := smallrun.Weights()
	require.NoError(t, err)
	t.Cleanup(w.Close)
	r, err := train.NewRun(w, o)
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return r, r.Train(ctx)
}

// TestRunOnOtherMesh resumes a run that was saved on four devices on two and on one. A
// plain trainer must read the checkpoint, too.
func TestRunOnOtherMesh(t *testing.T) {
	b := testbackend.Devices(t, 4)
	dir := t.TempDir()
	r, err := runOn(t, b, dir, distributed.FullyShard(4), 3)
	require.ErrorIs(t, err, train.ErrInterrupted)
	require.EqualValues(t, 3, r.Updates())
	require.NoError(t, r.Close())
	r, err = runOn(t, b, dir, distributed.DataParallel(2), 5)
	require.ErrorIs(t, err, train.ErrInterrupted)
	require.True(t, r.Resumed())
	require.EqualValues(t, 5, r.Updates())
	require.NoError(t, r.Close())
	r, err = runOn(t, b, dir, distributed.Local(), 0)
	require.NoError(t, err)
	require.EqualValues(t, 8, r.Updates())
	require.NoError(t, r.Close())
	require.FileExists(t, filepath.Join(dir, train.BestCheckpoint, walrus.WeightsFile))

	w, err := smallrun.Weights()
	require.NoError(t, err)
	defer w.Close()
	single, err := train.New(w, train.Options{Backend: b, EMA: 0.9})
	require.NoError(t, err)
	defer single.Close()
	m, err := walrus.OpenCheckpoint(filepath.Join(dir, train.LastCheckpoint))
	require.NoError(t, err)
	require.NoError(t, single.Restore(m))
	require.EqualValues(t, 8, single.Updates())
	require.False(t, m.Coverage.Partial)
	require.Greater(t, m.Coverage.Windows(), int64(8), "more than a window for each update")
	restored, err := single.Weights()
	require.NoError(t, err)
	require.Equal(t, m.Coverage, restored.Coverage())
}

// TestDeviceBytes: with full sharding over n devices each holds 1/n of the blocks'
// parameters and moments, and all of encoder and decoder.
func TestDeviceBytes(t *testing.T) {
	b := testbackend.Devices(t, 4)
	for _, mesh := range []distributed.Mesh{distributed.Local(), distributed.FullyShard(2), distributed.FullyShard(3), distributed.Hybrid(2, 2)} {
		tr, err := train.New(weights(t), train.Options{Backend: b, Mesh: mesh})
		require.NoError(t, err)
		_, err = tr.StepFrom(context.Background(), schedule(func(_, _, _ int) *train.Batch { return planes(1, 2) }).source(tr), 1, rate)
		require.NoError(t, err)
		c, err := tr.Checkpoint()
		require.NoError(t, err)
		var state struct{ Steps map[string]int }
		require.NoError(t, json.Unmarshal(c.Extra["trainer"], &state))
		bytes := 0
		for _, p := range c.Weights.Params() {
			size := 4 * p.Size()
			if strings.HasPrefix(p.Key, "blocks.") && !p.Init.Buffer {
				size = 4 * ((p.Size() + mesh.Shards - 1) / mesh.Shards)
			}
			bytes += size
			if state.Steps[p.Key] > 0 {
				bytes += 2 * size
			}
		}
		found := tr.DeviceBytes()
		require.Len(t, found, mesh.Devices())
		for device, n := range found {
			require.EqualValues(t, bytes, n, "mesh %v, device %d", mesh, device)
		}
		tr.Close()
	}
}

// TestFailures: the error of a group reaches the caller with group, data set and
// update; a cancelled context ends every group; the weights do not change.
func TestFailures(t *testing.T) {
	b := testbackend.Devices(t, 2)
	tr, err := train.New(weights(t), train.Options{Backend: b, Mesh: distributed.DataParallel(2)})
	require.NoError(t, err)
	defer tr.Close()
	w, err := tr.Weights()
	require.NoError(t, err)
	before := values(t, w)
	broken := errors.New("disk on fire")
	_, err = tr.StepFrom(context.Background(), func(ctx context.Context, group, micro int) (*train.Batch, error) {
		if group == 1 && micro == 1 {
			return nil, broken
		}
		return planes(group, 1), nil
	}, 3, rate)
	require.ErrorIs(t, err, broken)
	require.EqualError(t, err, "train: update 1: group 1, micro-batch 1: disk on fire")

	_, err = tr.StepFrom(context.Background(), func(ctx context.Context, group, micro int) (*train.Batch, error) {
		bad := planes(group, 1)
		if group == 1 {
			bad.Windows[0].Frames[0][0] = 1e30
			bad.Windows[0].Frames[1][0] = -1e30
			bad.Windows[0].Frames[2][0] = float32(math.Inf(1))
		}
		return bad, nil
	}, 1, rate)
	var group *train.GroupError
	require.ErrorAs(t, err, &group)
	require.Equal(t, 1, group.Group)
	require.Equal(t, "plane", group.System)

	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	_, err = tr.StepFrom(ctx, func(ctx context.Context, group, micro int) (*train.Batch, error) {
		if group == 0 {
			calls++
			cancel()
		}
		return planes(group, 1), nil
	}, 1000, rate)
	require.ErrorIs(t, err, context.Canceled)
	require.LessOrEqual(t, calls, 2)
	require.EqualValues(t, 0, tr.Updates())
	w, err = tr.Weights()
	require.NoError(t, err)
	require.Equal(t, before, values(t, w), "nothing has moved")

	_, err = tr.StepFrom(context.Background(), nil, 1, rate)
	require.ErrorContains(t, err, "expected a source of micro-batches, got nil")
	_, err = tr.StepFrom(context.Background(), func(context.Context, int, int) (*train.Batch, error) { return planes(0, 1), nil }, 0, rate)
	require.ErrorContains(t, err, "at least 1 micro-batch")
}

func TestOptions(t *testing.T) {
	w := weights(t)
	b := testbackend.New(t)
	many := b.NumDevices() + 1
	for want, o := range map[string]train.Options{
		"expected a backend":               {},
		"expected at least 1 group":        {Backend: b, Mesh: distributed.Mesh{Groups: -1, Shards: 1}},
		"different devices":                {Backend: b, Mesh: distributed.DataParallel(many)},
		"mesh 1×1: expected 1 devices":     {Backend: b, Devices: []compute.DeviceNum{0, 0}},
		"moving average: expected a decay": {Backend: b, EMA: 1},
		"matches none of the network's":    {Backend: b, Freeze: []string{"nothing"}},
		"AdamW beta1":                      {Backend: b, AdamW: train.AdamW{Beta1: 2}},
	} {
		tr, err := train.New(w, o)
		require.ErrorContains(t, err, want)
		require.Nil(t, tr)
	}
	_, err := train.New(nil, train.Options{Backend: b})
	require.ErrorContains(t, err, "expected weights")

	o, err := smallrun.Options(t.TempDir())
	require.NoError(t, err)
	o.Trainer.Backend, o.Trainer.Mesh = b, distributed.DataParallel(many)
	_, err = train.NewRun(w, o)
	require.ErrorContains(t, err, "different devices")
}

// TestOptionsOnMeshes: adapters, frozen tensors and the moving average on a mesh give the
// weights that they give on one device, and a trainer on one device goes on from its
// checkpoint.
func TestOptionsOnMeshes(t *testing.T) {
	b := testbackend.Devices(t, 4)
	o := train.Options{Backend: b, LoRA: &train.LoRA{Rank: 2}, Freeze: []string{"embed.*"}, EMA: 0.5}
	single, err := train.New(weights(t), o)
	require.NoError(t, err)
	defer single.Close()
	o.Mesh = distributed.Hybrid(2, 2)
	many, err := train.New(weights(t), o)
	require.NoError(t, err)
	defer many.Close()
	s := schedule(func(u, g, _ int) *train.Batch { return planes(2*u+g, 2) })
	for u := range 2 {
		for g := range 2 {
			_, err := single.Accumulate(s(u, g, 0))
			require.NoError(t, err)
		}
		_, err = single.Update(rate)
		require.NoError(t, err)
		_, err = many.StepFrom(context.Background(), s.source(many), 1, rate)
		require.NoError(t, err)
	}
	same := func(a, b *train.Trainer) {
		for _, of := range []func(*train.Trainer) (*walrus.Weights, error){(*train.Trainer).Weights, (*train.Trainer).Averaged} {
			w, err := of(a)
			require.NoError(t, err)
			want := values(t, w)
			w, err = of(b)
			require.NoError(t, err)
			for key, v := range values(t, w) {
				require.InDeltaSlice(t, want[key], v, 1e-4, key)
			}
		}
	}
	same(single, many)
	require.NoError(t, many.SaveAdapters(filepath.Join(t.TempDir(), "adapters.safetensors")))
	dir := t.TempDir()
	c, err := many.Checkpoint()
	require.NoError(t, err)
	require.NoError(t, walrus.SaveCheckpoint(filepath.Join(dir, "mesh"), c))
	m, err := walrus.OpenCheckpoint(filepath.Join(dir, "mesh"))
	require.NoError(t, err)
	require.NoError(t, single.Restore(m))
	for _, tr := range []*train.Trainer{single, many} {
		_, err = tr.StepFrom(context.Background(), func(context.Context, int, int) (*train.Batch, error) { return planes(7, 2), nil }, 1, rate)
		require.NoError(t, err)
	}
	same(single, many)
}

func TestMesh(t *testing.T) {
	require.Equal(t, 1, distributed.Mesh{}.Devices())
	require.Equal(t, 8, distributed.Hybrid(2, 4).Devices())
	require.Equal(t, "2×4", distributed.Hybrid(2, 4).String())
	require.Error(t, distributed.Mesh{Shards: -1}.Validate())
}

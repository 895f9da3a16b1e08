package distributed

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/distributed/internal/smallrun"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// runOn trains in a folder on a mesh until update stop; 0 means to the end.
func runOn(t *testing.T, b compute.Backend, dir string, mesh Mesh, stop int64) (*train.Run, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o, err := smallrun.Options(dir)
	require.NoError(t, err)
	o.Trainer.Backend = b
	o.Machine = Machine(Options{Mesh: mesh})
	o.Observe = func(p train.Progress) {
		require.False(t, math.IsNaN(p.Loss))
		if p.Update == stop {
			cancel()
		}
	}
	w, err := smallrun.Weights()
	require.NoError(t, err)
	t.Cleanup(w.Finalize)
	r, err := train.NewRun(w, o)
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return r, r.Go(ctx)
}

// TestRunOnOtherMesh resumes a run that was saved on four devices on two and on one. A
// plain trainer must read the checkpoint, too.
func TestRunOnOtherMesh(t *testing.T) {
	b := testbackend.Devices(t, 4)
	dir := t.TempDir()
	r, err := runOn(t, b, dir, FullyShard(4), 3)
	require.ErrorIs(t, err, train.ErrInterrupted)
	require.EqualValues(t, 3, r.Updates())
	require.NoError(t, r.Close())
	r, err = runOn(t, b, dir, DataParallel(2), 5)
	require.ErrorIs(t, err, train.ErrInterrupted)
	require.True(t, r.Resumed())
	require.EqualValues(t, 5, r.Updates())
	require.NoError(t, r.Close())
	r, err = runOn(t, b, dir, Local(), 0)
	require.NoError(t, err)
	require.EqualValues(t, 8, r.Updates())
	require.NoError(t, r.Close())
	require.FileExists(t, filepath.Join(dir, train.BestCheckpoint, walrus.WeightsFile))

	w, err := smallrun.Weights()
	require.NoError(t, err)
	defer w.Finalize()
	single, err := train.New(w, train.Options{Backend: b, EMA: 0.9})
	require.NoError(t, err)
	defer single.Close()
	m, err := walrus.OpenCheckpoint(filepath.Join(dir, train.LastCheckpoint))
	require.NoError(t, err)
	require.NoError(t, single.Restore(m))
	require.EqualValues(t, 8, single.Updates())
	require.False(t, m.Coverage.Partial)
	require.Greater(t, m.Coverage.Windows(), int64(8), "more than a window for each update")
	require.Equal(t, m.Coverage, single.Weights().Coverage())
}

// TestDeviceBytes: with full sharding over n devices each holds 1/n of the blocks'
// parameters and moments, and all of encoder and decoder.
func TestDeviceBytes(t *testing.T) {
	b := testbackend.Devices(t, 4)
	for _, mesh := range []Mesh{Local(), FullyShard(2), FullyShard(3), Hybrid(2, 2)} {
		tr, err := New(weights(t), Options{Trainer: train.Options{Backend: b}, Mesh: mesh})
		require.NoError(t, err)
		_, err = tr.Step(context.Background(), schedule(func(_, _, _ int) *train.Batch { return planes(1, 2) }).source(tr), 1, rate)
		require.NoError(t, err)
		used := map[string]bool{}
		for key := range tr.steps {
			used[key] = true
		}
		bytes := 0
		for _, p := range tr.weights.Params() {
			size := 4 * p.Size()
			if sharded(p) {
				size = 4 * ((p.Size() + mesh.Shards - 1) / mesh.Shards)
			}
			bytes += size
			if used[p.Key] {
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
	tr, err := New(weights(t), Options{Trainer: train.Options{Backend: b}, Mesh: DataParallel(2)})
	require.NoError(t, err)
	defer tr.Close()
	before := values(t, tr.weights)
	broken := errors.New("disk on fire")
	_, err = tr.Step(context.Background(), func(ctx context.Context, group, micro int) (*train.Batch, error) {
		if group == 1 && micro == 1 {
			return nil, broken
		}
		return planes(group, 1), nil
	}, 3, rate)
	require.ErrorIs(t, err, broken)
	require.EqualError(t, err, "distributed: update 1: group 1, micro-batch 1: disk on fire")

	_, err = tr.Step(context.Background(), func(ctx context.Context, group, micro int) (*train.Batch, error) {
		bad := planes(group, 1)
		if group == 1 {
			bad.Windows[0].Frames[0][0] = 1e30
			bad.Windows[0].Frames[1][0] = -1e30
			bad.Windows[0].Frames[2][0] = float32(math.Inf(1))
		}
		return bad, nil
	}, 1, rate)
	var group *GroupError
	require.ErrorAs(t, err, &group)
	require.Equal(t, 1, group.Group)
	require.Equal(t, "plane", group.System)

	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	_, err = tr.Step(ctx, func(ctx context.Context, group, micro int) (*train.Batch, error) {
		if group == 0 {
			calls++
			cancel()
		}
		return planes(group, 1), nil
	}, 1000, rate)
	require.ErrorIs(t, err, context.Canceled)
	require.LessOrEqual(t, calls, 2)
	require.EqualValues(t, 0, tr.Updates())
	w, err := tr.Weights()
	require.NoError(t, err)
	require.Equal(t, before, values(t, w), "nothing has moved")

	_, err = tr.Step(context.Background(), nil, 0, rate)
	require.ErrorContains(t, err, "at least 1 micro-batch")
}

func TestOptions(t *testing.T) {
	w := weights(t)
	b := testbackend.New(t)
	many := b.NumDevices() + 1
	for want, o := range map[string]Options{
		"expected a backend":               {},
		"expected at least 1 group":        {Trainer: train.Options{Backend: b}, Mesh: Mesh{-1, 1}},
		"different devices":                {Trainer: train.Options{Backend: b}, Mesh: DataParallel(many)},
		"mesh 1×1: expected 1 devices":     {Trainer: train.Options{Backend: b}, Devices: []compute.DeviceNum{0, 0}},
		"LoRA: expected none":              {Trainer: train.Options{Backend: b, LoRA: &train.LoRA{Rank: 1}}},
		"moving average: expected a decay": {Trainer: train.Options{Backend: b, EMA: 1}},
		"matches none of the network's":    {Trainer: train.Options{Backend: b, Freeze: []string{"nothing"}}},
		"AdamW beta1":                      {Trainer: train.Options{Backend: b, AdamW: train.AdamW{Beta1: 2}}},
	} {
		_, err := New(w, o)
		require.ErrorContains(t, err, want)
	}
	_, err := New(nil, Options{Trainer: train.Options{Backend: b}})
	require.ErrorContains(t, err, "expected weights")

	o, err := smallrun.Options(t.TempDir())
	require.NoError(t, err)
	o.Trainer.Backend, o.Machine = b, Machine(Options{Mesh: DataParallel(many)})
	_, err = train.NewRun(w, o)
	require.ErrorContains(t, err, "different devices")
}

// TestLocalOnGo: the mesh of one device works on every backend, and its update equals
// the plain trainer's, frozen tensors and moving average included.
func TestLocalOnGo(t *testing.T) {
	b := testbackend.New(t)
	o := train.Options{Backend: b, EMA: 0.5, Freeze: []string{"embed.*"}}
	w := weights(t)
	single, err := train.New(w, o)
	require.NoError(t, err)
	defer single.Close()
	tr, err := New(weights(t), Options{Trainer: o})
	require.NoError(t, err)
	defer tr.Close()
	for i := range 2 {
		_, err = single.Step(planes(i, 1), rate)
		require.NoError(t, err)
		_, err = tr.Step(context.Background(), schedule(func(u, _, _ int) *train.Batch { return planes(u, 1) }).source(tr), 1, rate)
		require.NoError(t, err)
	}
	got, err := tr.Weights()
	require.NoError(t, err)
	averaged, err := tr.Averaged()
	require.NoError(t, err)
	for i, pair := range [][2]*walrus.Weights{{w, got}, {single.Averaged(), averaged}} {
		want, have := values(t, pair[0]), values(t, pair[1])
		for key := range want {
			require.InDeltaSlice(t, want[key], have[key], 1e-4, "%d %s", i, key)
		}
	}
	x, _ := got.Tensor("embed.2.proj1.weight")
	y, _ := weights(t).Tensor("embed.2.proj1.weight")
	require.Equal(t, tensors.MustCopyFlatData[float32](y), tensors.MustCopyFlatData[float32](x), "frozen")
}

func TestMesh(t *testing.T) {
	require.Equal(t, 1, Mesh{}.Devices())
	require.Equal(t, 8, Hybrid(2, 4).Devices())
	require.Equal(t, "2×4", Hybrid(2, 4).String())
	require.Error(t, Mesh{0, -1}.Validate())
}

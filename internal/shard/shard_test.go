package shard

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// sequence returns 1, 2, …, n.
func sequence(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i + 1)
	}
	return v
}

// check places a tensor, doubles it by a program and gathers it.
func check(t *testing.T, devices int, s Slot) {
	t.Helper()
	list := make([]compute.DeviceNum, devices)
	for i := range list {
		list[i] = compute.DeviceNum(i)
	}
	l, err := New(testbackend.Devices(t, devices), list)
	require.NoError(t, err)
	parts, err := l.Place(s, sequence(s.Size()))
	require.NoError(t, err)
	require.Len(t, parts, devices)
	for _, x := range parts {
		require.Equal(t, l.Piece(s), x.Size())
	}
	exec, err := l.Program("double", func(in []*graph.Node) []*graph.Node {
		whole := s.Whole(in[0])
		return []*graph.Node{l.Flat(s, graph.MulScalar(whole, 2)), graph.ReduceAllSum(whole)}
	}, []int{s.Axis()}, []int{s.Axis(), -1})
	require.NoError(t, err)
	defer exec.Finalize()
	out, err := l.Call(exec, [][]any{Any(parts)})
	require.NoError(t, err)
	got, want := make([]float32, s.Size()), sequence(s.Size())
	require.NoError(t, l.Gather(s, out[0], got))
	for i := range want {
		want[i] *= 2
	}
	require.Equal(t, want, got)
	require.Equal(t, float32(s.Size()*(s.Size()+1)/2), tensors.ToScalar[float32](out[1][0]), "padding counts as zero")
	Free(parts)
}

// TestSlots: tensors come back as they were, sharded or not, also if the number of devices
// does not divide their size.
func TestSlots(t *testing.T) {
	for _, devices := range []int{2, 3} {
		check(t, devices, Slot{Key: "w", Dims: []int{2, 5}, Sharded: true})
		check(t, devices, Slot{Key: "w", Dims: []int{2, 5}})
	}
}

// TestOneDevice: a single device needs no copies of inputs, on any backend.
func TestOneDevice(t *testing.T) {
	l, err := New(testbackend.New(t), []compute.DeviceNum{0})
	require.NoError(t, err)
	x := testbackend.Tensor(sequence(6), 2, 3)
	parts, free, err := l.Split(x, 0)
	require.NoError(t, err)
	require.Same(t, x, parts[0])
	free()
	require.True(t, x.Ok())
	values := make([]float32, 6)
	placed, err := l.Place(Slot{Key: "w", Dims: []int{2, 3}}, sequence(6))
	require.NoError(t, err)
	require.NoError(t, l.Gather(Slot{Key: "w", Dims: []int{2, 3}}, placed, values))
	require.Equal(t, sequence(6), values)
}

// TestSlotOf: the tensors of blocks are sharded, whatever part of the network has the blocks.
func TestSlotOf(t *testing.T) {
	for key, want := range map[string]bool{
		"blocks.3.space_mixing.ff_out.weight":                   true,
		"encoder.layers.0.blocks.1.output.dense.weight":         true,
		"decoder.layers.2.blocks.0.layernorm_after.bias.weight": true,
		"residual_blocks.1.0.pwconv1.weight":                    true,
		"encoder.layers.0.downsample.reduction.weight":          false,
		"embed.2.proj.weight":                                   false,
		"patch_recovery.mixup.weight":                           false,
		"myblocks.0.weight":                                     false,
	} {
		require.Equal(t, want, SlotOf(key, []int{4}, false).Sharded, key)
		require.False(t, SlotOf(key, []int{4}, true).Sharded, key)
	}
}

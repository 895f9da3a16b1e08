package walrus

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/shard"
	"github.com/gowalrus/gowalrus/internal/testbackend"
)

// TestDevicesMemory: each of n devices holds an n-th of the weights of the blocks, and all of
// the others.
func TestDevicesMemory(t *testing.T) {
	b := testbackend.Devices(t, 4)
	c := Micro()
	w, err := InitWeights(c, 1)
	require.NoError(t, err)
	defer w.Close()
	e, err := NewEmulator(w, EmulatorOptions{Backend: b, Devices: []int{0, 1, 2, 3}})
	require.NoError(t, err)
	periodic := data.Both(data.Periodic)
	window := &data.Window{Fields: []data.Field{{Name: "density"}}, Grid: []int{32, 32}, Boundaries: data.Boundaries{periodic, periodic}}
	for i := range 2 {
		frame := make([]float32, 32*32)
		for k := range frame {
			frame[k] = float32((k*(i+1))%7) / 7
		}
		window.Frames = append(window.Frames, frame)
	}
	_, err = e.Emulate(context.Background(), window)
	require.NoError(t, err)
	held := make([]int, 4)
	for _, x := range e.shards {
		for d, part := range x.made {
			held[d] += part.Size()
		}
	}
	keys, err := e.model.ParamsFor(mustPlan(t, e.model, window))
	require.NoError(t, err)
	want := 0
	for _, p := range keys {
		if n := p.Size(); shard.SlotOf(p.Key, p.Dims, p.Init.Buffer).Sharded {
			want += (n + 3) / 4
		} else {
			want += n
		}
	}
	for d, n := range held {
		require.Equal(t, want, n, "device %d", d)
	}
	e.Close()
	require.Empty(t, e.shards)
}

func mustPlan(t *testing.T, m *Model, w *data.Window) *csm.Plan {
	t.Helper()
	plan, err := m.Plan(w.Grid, w.Boundaries)
	require.NoError(t, err)
	return plan
}

package peers_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// TestTrainingMesh: updates on a mesh have the losses and gradients of one device.
func TestTrainingMesh(t *testing.T) {
	for _, c := range []struct {
		file   string
		meshes []distributed.Mesh
	}{
		{"dpot_micro.pth", []distributed.Mesh{distributed.DataParallel(2), distributed.FullyShard(2)}},
		// The loss of Poseidon divides by a mean over the micro-batch, so that two groups have another.
		{"poseidon_micro", []distributed.Mesh{distributed.FullyShard(2)}},
	} {
		t.Run(c.file, func(t *testing.T) { trainOnMeshes(t, c.file, c.meshes) })
	}
}

func trainOnMeshes(t *testing.T, file string, meshes []distributed.Mesh) {
	b := testbackend.Devices(t, 2)
	w := window([]int{16, 16}, gas, 11)
	other := window([]int{16, 16}, gas, 12)
	other.Frames = other.Frames[1:]
	windows := []*data.Window{w, other}
	steps := func(mesh distributed.Mesh) (out []float64) {
		n, err := peers.Open(checkpoint(t, file), peers.Options{Backend: b})
		require.NoError(t, err)
		defer n.Close()
		tr, err := train.NewFor(n, train.Options{Backend: b, Mesh: mesh})
		require.NoError(t, err)
		defer tr.Close()
		for range 2 {
			u, err := tr.StepFrom(t.Context(), func(_ context.Context, group, micro int) (*train.Batch, error) {
				return &train.Batch{Windows: windows[group*(2/mesh.Groups):][:2/mesh.Groups]}, nil
			}, 1, 1e-3)
			require.NoError(t, err)
			// The loss of DPOT is a sum over samples, and an update takes the mean of the groups. That
			// of Poseidon has one group here.
			out = append(out, u.Loss*float64(mesh.Groups), u.Norm*float64(mesh.Groups))
		}
		_, err = tr.Network()
		require.NoError(t, err)
		require.Len(t, one(t, n, w), 4*256)
		copied, err := n.Clone() // a tensor is on one device at a time
		require.NoError(t, err)
		defer copied.Close()
		second, err := copied.Forecaster(nil, 1)
		require.NoError(t, err)
		requireNear(t, one(t, n, w), one(t, second, w))
		return out
	}
	want := steps(distributed.Local())
	for _, mesh := range meshes {
		require.InEpsilonSlice(t, want, steps(mesh), 1e-4, mesh)
	}
}

package distributed_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

func values(t *testing.T, w *walrus.Weights) map[string][]float32 {
	t.Helper()
	out := map[string][]float32{}
	for _, p := range w.Params() {
		x, ok := w.Tensor(p.Key)
		require.True(t, ok, p.Key)
		out[p.Key] = tensors.MustCopyFlatData[float32](x)
	}
	return out
}

// TestEquivalence trains on meshes of all strategies with the data of one device and
// requires the losses of all updates to agree within 1e-5.
func TestEquivalence(t *testing.T) {
	b := testbackend.Devices(t, 8)
	const updates, micro = 50, 1
	for _, c := range []struct {
		mesh    distributed.Mesh
		samples int
	}{
		{distributed.Local(), 2}, {distributed.DataParallel(2), 1}, {distributed.FullyShard(2), 2}, {distributed.FullyShard(4), 4}, {distributed.Hybrid(2, 2), 2},
		{distributed.FullyShard(3), 2}, // neither samples nor tensors divide by three
		{distributed.Hybrid(2, 4), 4}, {distributed.FullyShard(8), 3}, {distributed.DataParallel(3), 1},
	} {
		t.Run(fmt.Sprintf("%v of %d samples", c.mesh, c.samples), func(t *testing.T) {
			s := func(update, group, m int) *train.Batch {
				return planes((update*4+group*2+m)%9, c.samples)
			}
			want, _ := alone(t, b, s, c.mesh.Groups, micro, updates)
			got, _ := together(t, b, c.mesh, s, micro, updates)
			for i := range want {
				require.InEpsilon(t, want[i], got[i], 1e-5, "update %d", i+1)
			}
			require.Less(t, want[updates-1], want[0])
		})
	}
}

// TestMixedGroups trains one group in 2D and one in 3D in the same update. The weights
// must change as they do on one device that sums both losses.
func TestMixedGroups(t *testing.T) {
	b := testbackend.Devices(t, 4)
	s := func(update, group, m int) *train.Batch {
		if group == 0 {
			return planes(update, 2)
		}
		return volumes(update, 2)
	}
	want, wantW := alone(t, b, s, 2, 1, 3)
	got, gotW := together(t, b, distributed.Hybrid(2, 2), s, 1, 3)
	for i := range want {
		require.InEpsilon(t, want[i], got[i], 1e-5, "update %d", i+1)
	}
	for key, v := range wantW {
		require.InDeltaSlice(t, v, gotW[key], 2e-4, key)
	}
}

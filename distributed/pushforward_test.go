package distributed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// TestPushforwardOnMesh: two devices that share the network and the samples forecast the ends
// of the histories as one device does.
func TestPushforwardOnMesh(t *testing.T) {
	b := testbackend.Devices(t, 2)
	var want []float64
	for _, mesh := range []distributed.Mesh{distributed.Local(), distributed.FullyShard(2)} {
		tr, err := train.New(weights(t), train.Options{Backend: b, Mesh: mesh, Seed: 5, Objective: train.Objective{Pushforward: 1}})
		require.NoError(t, err)
		var losses []float64
		for range 4 {
			u, err := tr.StepFrom(t.Context(), schedule(func(_, _, _ int) *train.Batch { return planes(1, 2) }).source(tr), 1, rate)
			require.NoError(t, err)
			losses = append(losses, u.Loss)
		}
		tr.Close()
		if want == nil {
			want = losses
			continue
		}
		require.InEpsilonSlice(t, want, losses, 1e-4, "%v", mesh)
	}
}

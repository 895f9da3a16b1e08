package peers_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

// TestEnsemble: members of a network without random draws are its rollouts from perturbed and from
// earlier frames, and options that would make them alike are errors.
func TestEnsemble(t *testing.T) {
	n := micro(t, "dpot_micro.pth", peers.Options{})
	w := window([]int{16, 16}, gas, 12)
	run := func(o walrus.EnsembleOptions, seed uint64) (out []walrus.EnsembleFrame, err error) {
		for f, err := range walrus.EnsembleOf(t.Context(), n, w, 2, o, seed) {
			if err != nil {
				return out, err
			}
			out = append(out, f)
		}
		return out, nil
	}
	must := func(o walrus.EnsembleOptions, seed uint64) []walrus.EnsembleFrame {
		out, err := run(o, seed)
		require.NoError(t, err)
		require.Len(t, out, 2)
		return out
	}
	noise := perturb.Shaped(0.1)
	var starts [][]float32 // the first frame of every member
	record := func(w *data.Window, rng *rand.Rand) ([][]float32, error) {
		frames, err := noise(w, rng)
		starts = append(starts, frames[0])
		return frames, err
	}
	noisy := must(walrus.EnsembleOptions{Members: 3, Perturbation: record, KeepMembers: true, Quantiles: []float64{0.5}}, 1)
	require.NotEqual(t, starts[0], starts[1])
	for i, mean := range noisy[1].Mean {
		a, b, c := noisy[1].Members[0][i], noisy[1].Members[1][i], noisy[1].Members[2][i]
		require.InDelta(t, (a+b+c)/3, mean, 1e-4)
		require.Equal(t, max(min(a, b), min(max(a, b), c)), noisy[1].Quantiles[0][i])
		require.Positive(t, noisy[1].Std[i])
	}
	fewer := must(walrus.EnsembleOptions{Members: 2, Perturbation: noise, KeepMembers: true}, 1)
	require.Equal(t, noisy[1].Members[:2], fewer[1].Members, "a member depends on its number and the seed")
	require.NotEqual(t, noisy[0].Mean, must(walrus.EnsembleOptions{Members: 3, Perturbation: noise}, 2)[0].Mean)

	lagged := must(walrus.EnsembleOptions{Members: 2, Lags: []int{0, 2}, KeepMembers: true}, 1)
	for m, from := range []int{2, 0} {
		start, err := w.Slice(from, from+10)
		require.NoError(t, err)
		var last []float32
		for f, err := range n.Rollout(t.Context(), start, 4-from) {
			require.NoError(t, err)
			last = f.Values
		}
		require.Equal(t, last, lagged[1].Members[m])
	}
	for text, o := range map[string]walrus.EnsembleOptions{
		"expected a Perturbation (package walrus/perturb) or Lags": {Members: 2},
		"expected no Weights":                    {Members: 2, Weights: []*walrus.Weights{{}}},
		"expected 1 to":                          {},
		"expected more frames":                   {Members: 2, Lags: []int{20}},
		"member 0: peers: DPOT: rollout: window": {Members: 2, Lags: []int{4}},
	} {
		_, err := run(o, 1)
		require.ErrorContains(t, err, text)
	}
}

package peers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/peers"
)

// TestVariants: all variants have the tensors and the parameters of the originals, and those of
// the paper's comparison the rounded numbers of its Table 4.
func TestVariants(t *testing.T) {
	type counts struct {
		tensors    int
		parameters int64
	}
	want := map[string]counts{
		"poseidon-t": {844, 20_774_444}, "poseidon-s": {1580, 39_901_076}, "poseidon-b": {1580, 157_729_988}, "poseidon-l": {1580, 628_575_524},
		"dpot-ti": {67, 7_534_643}, "dpot-s": {91, 30_801_459}, "dpot-m": {163, 122_125_875}, "dpot-l": {307, 509_018_739}, "dpot-h": {343, 1_031_082_099},
		"dpot-h-3d":   {343, 1_149_180_724},
		"mpp-avit-ti": {439, 7_285_884}, "mpp-avit-s": {439, 28_979_436}, "mpp-avit-b": {439, 115_608_012}, "mpp-avit-l": {859, 407_055_628},
	}
	found := map[string]counts{}
	for _, d := range peers.Variants() {
		found[d.Name] = counts{d.Tensors, d.Parameters}
	}
	for name, c := range want {
		require.Equal(t, c, found[name], name)
	}
	for name, millions := range map[string]float64{"mpp-avit-l": 407, "poseidon-l": 628, "dpot-h-3d": 1150} { // paper Table 4
		d, err := peers.Variant(name)
		require.NoError(t, err)
		require.InDelta(t, millions, float64(d.Parameters)/1e6, 1)
	}
	_, err := peers.Variant("walrus")
	require.ErrorContains(t, err, "expected one of poseidon-t, ")
}

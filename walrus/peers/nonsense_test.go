package peers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	backend := testbackend.New(t)
	path := checkpoint(t, "dpot_micro.pth")
	n := micro(t, "dpot_micro.pth", peers.Options{})
	d, _, err := dpot.Load(path, walrus.LoadOptions{})
	require.NoError(t, err)
	defer d.Close()
	sweep.Run(t, sweep.Package{
		Funcs:   []any{peers.Describe, peers.Detect, peers.NewDPOT, peers.NewFNO, peers.NewMPP, peers.NewUNet, peers.Fresh, peers.NewPoseidon, peers.Open, peers.OpenFor, peers.Variant, peers.Variants},
		Types:   []any{new(peers.Kind)},
		Made:    []any{(*peers.Network)(nil)},
		Values:  []any{n, d, (*mpp.Weights)(nil), (*poseidon.Weights)(nil), backend, peers.Options{Backend: backend}, window([]int{16, 16}, []data.Field{{Name: "a"}}, 10)},
		Strings: []string{path},
		Exempt:  map[string]string{"Network.Close": "the other methods need the network"},
		Calls:   40,
	})
}

package recipe_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// TestFinetuning: the recipe opens with the authors' settings and the data set's
// statistics.
func TestFinetuning(t *testing.T) {
	o, err := recipe.Finetuning(nano.Name, "../../testdata/data/shear_flow").Open()
	require.NoError(t, err)
	defer o.Close()
	assert.Equal(t, walrus.RoPEPerAxis, o.Weights.Config().RoPE)
	assert.Zero(t, o.Weights.Config().DropPath)
	assert.NotNil(t, o.Options.Systems[0].Statistics)
	assert.Equal(t, []int{10, 2, 3}, []int{o.Options.Epochs, o.Options.Schedule.Warmup, o.Options.Schedule.Cooldown})
}

func TestSetEpochs(t *testing.T) {
	for n, want := range map[int][2]int{1: {-1, -1}, 2: {-1, -1}, 3: {1, 1}, 10: {2, 3}, 51: {10, 15}} {
		var r recipe.Recipe
		r.SetEpochs(n)
		assert.Equal(t, want, [2]int{r.Schedule.Warmup, r.Schedule.Cooldown}, n)
	}
}

// TestPeer: weights of a peer are opened for the data set, with its statistics, and settings of
// Walrus networks are errors.
func TestPeer(t *testing.T) {
	const weights, folder = "../../testdata/peers/checkpoints/dpot_micro.pth", "../../testdata/data/shear_flow"
	r := recipe.Finetuning(weights, folder)
	require.Equal(t, peers.DPOT, r.Peer())
	o, err := r.Open()
	require.NoError(t, err)
	defer o.Close()
	require.Equal(t, peers.DPOT, o.Peer)
	require.Nil(t, o.Weights)
	statistics := o.Options.Systems[0].Statistics
	require.NotNil(t, statistics)
	fresh, err := o.OpenPeer(testbackend.New(t))
	require.NoError(t, err)
	require.Empty(t, fresh, "four channels as in the weights")
	require.Equal(t, 10, o.Options.Systems[0].Cut.Input)
	run, err := o.NewRun(testbackend.New(t), t.TempDir())
	require.NoError(t, err)
	defer run.Close()
	net, err := run.Trainer().Network()
	require.NoError(t, err)
	require.Same(t, o.Network, net)

	for want, change := range map[string]func(r *recipe.Recipe){
		"network: expected none with weights of DPOT":    func(r *recipe.Recipe) { r.Network = map[string]any{"drop_path": 0} },
		"objective other than statistics: expected none": func(r *recipe.Recipe) { r.Objective.Pushforward = 1 },
		"ape: expected none":                             func(r *recipe.Recipe) { r.APE = true },
		"fields: expected none":                          func(r *recipe.Recipe) { r.Fields = "data" },
		"expected one data set with weights of DPOT":     func(r *recipe.Recipe) { r.Data = append(r.Data, r.Data[0]) },
	} {
		r := recipe.Finetuning(weights, folder)
		change(r)
		_, err := r.Open()
		require.ErrorContains(t, err, want)
	}
	for name, kind := range map[string]peers.Kind{"fno": peers.FNO, "UNet": peers.UNet, nano.Name: "", "nothing": "", "": ""} {
		require.Equal(t, kind, recipe.Finetuning(name, folder).Peer(), name)
	}
}

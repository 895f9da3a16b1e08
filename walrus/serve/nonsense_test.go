package serve_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	b, err := serve.OpenBackend(false)
	require.NoError(t, err)
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1})
	require.NoError(t, err)
	defer em.Close()
	manifest, err := nano.Manifest()
	require.NoError(t, err)
	m, err := serve.NewModel("nano", manifest.Config, em)
	require.NoError(t, err)
	sweep.Run(t, sweep.Package{
		Funcs:   []any{serve.New, serve.NewModel, serve.OpenBackend, serve.OpenModel, serve.Page},
		Types:   []any{new(serve.Options), new(serve.Model)},
		Made:    []any{(*serve.Server)(nil)},
		Values:  []any{m, manifest.Config, walrus.EmulatorOptions{Backend: b, Seed: 1}, serve.Options{}, walrus.Forecaster(em)},
		Strings: nano.Names(),
		Exempt: map[string]string{
			"Server.Serve":     "a random listener does not end",
			"Server.ServeHTTP": "the tests of requests and FuzzRequests cover it",
		},
		Calls: 20,
	})
}

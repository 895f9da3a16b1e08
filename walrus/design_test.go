package walrus_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
)

// TestDesign: a checkpoint of a network that is not a Walrus network holds its description and
// its parts; as weights of a Walrus network it is an error that says what it is.
func TestDesign(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "last")
	write := func(path string) error { return os.WriteFile(path, []byte("weights"), 0o666) }
	c := walrus.Checkpoint{Step: 3, Design: &walrus.Design{Kind: "Net", Weights: "net.bin", Settings: json.RawMessage(`{"channels": 2}`)},
		Parts: []walrus.Part{{Name: "net.bin", Write: write}}}
	require.NoError(t, walrus.SaveCheckpoint(dir, c))
	m, err := walrus.OpenCheckpoint(dir)
	require.NoError(t, err)
	require.Equal(t, int64(3), m.Step)
	require.Equal(t, "Net", m.Design.Kind)
	require.JSONEq(t, `{"channels": 2}`, string(m.Design.Settings))
	require.NoError(t, walrus.SaveCheckpoint(dir, c), "a later save replaces it")

	f, err := walrus.FindCheckpoint(dir)
	var other *walrus.DesignError
	require.ErrorAs(t, err, &other)
	require.Equal(t, "Net", other.Manifest.Design.Kind)
	require.Equal(t, filepath.Join(dir, "net.bin"), f.Weights)
	require.ErrorContains(t, err, "expected a Walrus network, got one of kind Net")
	_, err = walrus.Load(dir, walrus.EmulatorOptions{})
	require.Error(t, err)

	lacking := c
	lacking.Parts = nil
	require.ErrorContains(t, walrus.SaveCheckpoint(dir, lacking), "expected a part net.bin, got 0 others")
	w := initMicro(t, 1)
	require.ErrorContains(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w, Design: c.Design, Parts: c.Parts}), "got both")
}

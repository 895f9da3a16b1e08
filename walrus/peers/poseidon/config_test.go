package poseidon

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGoldenKeys: the presets have the original's keys, in its order, shapes and numbers of
// parameters.
func TestGoldenKeys(t *testing.T) {
	var all struct {
		Poseidon map[string]struct {
			Params  int64
			Entries int
			Keys    json.RawMessage
		}
	}
	golden.Peers.ReadJSON(t, "baselines_state_dict_keys.json", &all)
	require.Len(t, all.Poseidon, len(Presets()))
	for name, want := range all.Poseidon {
		t.Run(name, func(t *testing.T) {
			c, err := Preset(map[string]string{"T": "poseidon-t", "S": "poseidon-s", "B": "poseidon-b", "L": "poseidon-l"}[name])
			require.NoError(t, err)
			params, err := c.Params()
			require.NoError(t, err)
			require.Len(t, params, want.Entries)
			assert.Equal(t, want.Params, c.Parameters())
			dec := json.NewDecoder(bytes.NewReader(want.Keys))
			_, err = dec.Token()
			require.NoError(t, err)
			for _, p := range params {
				key, err := dec.Token()
				require.NoError(t, err)
				var dims []int
				require.NoError(t, dec.Decode(&dims))
				require.Equal(t, key, p.Key)
				require.Equal(t, dims, p.Dims, p.Key)
			}
		})
	}
}

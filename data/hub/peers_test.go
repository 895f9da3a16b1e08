package hub

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPeer: the published weights of Poseidon are a folder, those of DPOT a file.
func TestPeer(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	dir, err := c.Peer(context.Background(), "Poseidon-T")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(c.Cache, "models", "camlab-ethz", "Poseidon-T", "main"), dir)
	s.check(t, dir, "config.json", "model.safetensors")
	assert.NoFileExists(t, filepath.Join(dir, "README.md"))
	path, err := c.Peer(context.Background(), "dpot-ti")
	require.NoError(t, err)
	assert.Equal(t, "model_Ti.pth", filepath.Base(path))
	s.check(t, filepath.Dir(path), "model_Ti.pth")
	assert.NoFileExists(t, filepath.Join(filepath.Dir(path), "model_S.pth"))

	_, err = c.Peer(context.Background(), "mpp-ti")
	assert.ErrorContains(t, err, "multiple_physics_pretraining")
	_, err = Peer("unet")
	assert.ErrorContains(t, err, `hub: expected one of [dpot-h dpot-l dpot-m dpot-s dpot-ti poseidon-b poseidon-l poseidon-t], got "unet"`)
	for _, name := range Peers() {
		r, err := Peer(name)
		require.NoError(t, err)
		require.NoError(t, r.Validate())
	}
}

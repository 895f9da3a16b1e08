package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// peerDir has small networks in the published layouts.
var peerDir = filepath.Join("..", "..", "testdata", "peers", "checkpoints")

// TestEvaluatePeers scores networks of package peers like others, in the same table.
func TestEvaluatePeers(t *testing.T) {
	for _, args := range [][]string{
		{"--weights", filepath.Join(peerDir, "dpot_micro.pth"), "--statistics", filepath.Join(flow, "stats.yaml")},
		{"--weights", filepath.Join(peerDir, "mpp_ckpt.tar"), "--labels", "tracer=3,velocity_x=1,velocity_y=2,pressure=9"},
	} {
		args = append([]string{"evaluate", "--data", flow, "--json", "--windows", "1", "--horizons", "1:2"}, args...)
		var line struct{ Horizons map[string]map[string]float64 }
		require.NoError(t, json.Unmarshal([]byte(output(t, args...)), &line))
		assert.Positive(t, line.Horizons["1:2"]["model"], args)
	}
	err := fails("evaluate", "--data", flow, "--weights", filepath.Join(peerDir, "poseidon_micro"), "--channels", "tracer,velocity_x,velocity_y,pressure")
	require.ErrorContains(t, err, "only squares are resampled")
}

// TestForecastPeer writes the forecast of a network that needs ten frames.
func TestForecastPeer(t *testing.T) {
	dir := t.TempDir()
	output(t, "forecast", "--weights", filepath.Join(peerDir, "dpot_micro.pth"), "--data", flow, "--steps", "2", "--out", dir)
	for _, name := range []string{forecastFile, truthFile, errorsFile} {
		_, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
	}
}

// TestPeerFlags: flags for other networks are refused.
func TestPeerFlags(t *testing.T) {
	dpot, mpp := filepath.Join(peerDir, "dpot_micro.pth"), filepath.Join(peerDir, "MPP_AViT_micro")
	for want, args := range map[string][]string{
		"--statistics, --channels and --labels: expected weights of Poseidon, DPOT or MPP, got nano": {"--labels", "a=1"},
		"--channels: expected weights of Poseidon, got weights of DPOT":                              {"--weights", dpot, "--channels", "a"},
		"--labels: expected weights of MPP, got weights of DPOT":                                     {"--weights", dpot, "--labels", "a=1"},
		"--statistics: MPP normalises its input by itself":                                           {"--weights", mpp, "--statistics", "x"},
		"--members: expected --noise above 0":                                                        {"--weights", dpot, "--members", "2"},
	} {
		assert.ErrorContains(t, fails(append([]string{"evaluate", "--data", flow}, args...)...), want)
	}
}

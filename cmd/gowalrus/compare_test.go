package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/machine"
)

// TestCompare prints one column per network, a star at the smallest error, and a dash and a
// note for a network that cannot continue the data.
func TestCompare(t *testing.T) {
	args := []string{"compare", "--data", flow, "--windows", "1", "--horizons", "1", "--weights", "nano",
		"--weights", "small=" + filepath.Join(peerDir, "dpot_micro.pth"), "--weights", filepath.Join(peerDir, "MPP_AViT_micro")}
	var out, errs bytes.Buffer
	_, err := run(context.Background(), args, &out, &errs)
	require.NoError(t, err)
	assert.Regexp(t, `steps +nano +small +MPP_AViT_micro +persistence +linear +places\n +1 .* – .*`, out.String())
	assert.Equal(t, 1, bytes.Count(out.Bytes(), []byte("*")))
	assert.Contains(t, errs.String(), "note: MPP_AViT_micro: ")
	assert.Contains(t, errs.String(), "expected Options.Labels")

	var line struct{ Horizons map[string]map[string]float64 }
	require.NoError(t, json.Unmarshal([]byte(output(t, append(args, "--json")...)), &line))
	for _, name := range []string{"nano", "small", "persistence", "linear"} {
		assert.Positive(t, line.Horizons["1"][name], name)
	}
	assert.NotContains(t, line.Horizons["1"], "MPP_AViT_micro")
}

func TestCompareUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"expected --weights NETWORK twice or more": {"--weights", "nano", "--data", flow},
		"two networks have the name nano":          {"--weights", "nano", "--weights", "nano", "--data", flow},
		"other than that of a baseline":            {"--weights", "linear=nano", "--weights", "nano", "--data", flow},
	} {
		assert.ErrorContains(t, fails(append([]string{"compare"}, args...)...), want)
	}
}

// TestCompareBudget: every network is finetuned on the data before it is judged, a second call
// finds the trained networks, and a network that was not finetuned on the fields would have a
// dash.
func TestCompareBudget(t *testing.T) {
	poseidon, err := filepath.Abs(filepath.Join(peerDir, "poseidon_micro"))
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	dir := filepath.Join("sets", "mine")
	writeMine(t, dir)
	args := []string{"compare", "--weights", "small=" + poseidon, "--weights", "unet", "--data", dir, "--split", "valid", "--windows", "1", "--horizons", "1,1:3", "--out", "runs"}
	assert.Regexp(t, `\n +1 +– `, output(t, append([]string{"compare", "--weights", "small=" + poseidon, "--weights", "nano"}, args[5:]...)...))
	out := output(t, append(args, "--budget", "2", "--markdown")...)
	assert.Regexp(t, `(?s)^mine: VRMSE.*\| steps \| small \| unet \| persistence \| linear \| places \|\n\|---\|---:.*\| 1 \| [*\d].*\| 1:3 \| [*\d].*\| parameters \| [\d,]+ \| [\d,]+ \|  \|.*\| s/frame \| \d.*\| peak \| [\d–]`, out)
	assert.FileExists(t, filepath.Join("runs", "mine", "unet", "best", "manifest.json"))
	var line struct {
		Networks map[string]cost
		Horizons map[string]map[string]float64
	}
	require.NoError(t, json.Unmarshal([]byte(output(t, append(args, "--budget", "2", "--json")...)), &line))
	assert.Positive(t, line.Horizons["1:3"]["unet"])
	assert.Equal(t, 4*line.Networks["small"].Parameters, line.Networks["small"].Bytes)
	assert.Positive(t, line.Networks["unet"].Seconds)
	if machine.ResetPeak() == nil {
		assert.Greater(t, line.Networks["unet"].Peak, int64(1<<20), "a forecast needs memory")
	}
	assert.ErrorContains(t, fails(append(args, "--budget", "3")...), "expected the settings of the interrupted run")
	assert.ErrorContains(t, fails(append(args, "--budget", "-1")...), "expected --budget of 0 or more")
}

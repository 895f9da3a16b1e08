package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

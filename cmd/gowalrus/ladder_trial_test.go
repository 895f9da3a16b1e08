package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/distributed/ladder"
)

// TestLadderRecordedTrial: the recorded output is what the program prints, and names the
// rungs.
func TestLadderRecordedTrial(t *testing.T) {
	text, err := os.ReadFile("../../experiments/ladder/trial.jsonl")
	require.NoError(t, err)
	var measured []ladder.Measured
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var m ladder.Measured
		require.NoError(t, json.Unmarshal([]byte(line), &m))
		measured = append(measured, m)
	}
	require.Len(t, measured, 6)
	for i, r := range ladder.Rungs() {
		assert.Equal(t, r.Name, measured[i].Rung)
		assert.Equal(t, ladder.Small().Devices, measured[i].Simulated.Devices)
	}
	var out bytes.Buffer
	require.NoError(t, printTrial(&out, measured, true))
	assert.Equal(t, string(text), out.String())

	out.Reset()
	require.NoError(t, printTrial(&out, measured, false))
	readme, err := os.ReadFile("../../experiments/ladder/README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), out.String(), "run: go run ./cmd/gowalrus ladder --trial")
}

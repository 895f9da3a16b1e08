package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/distributed/ladder"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	require.ErrorIs(t, run(context.Background(), []string{"-h"}, &out, io.Discard), flag.ErrHelp)
	assert.Contains(t, out.String(), "-trial")
}

func TestTrialFlags(t *testing.T) {
	o, err := parse([]string{"-trial"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, small(), o.setup)
	o, err = parse([]string{"-trial", "-devices", "6", "-group", "3", "-micro", "8", "-accumulate", "2", "-seed", "7"}, io.Discard)
	require.NoError(t, err)
	s := small()
	s.Devices, s.Group, s.Micro, s.Accumulate, s.Seed = 6, 3, 8, 2, 7
	assert.Equal(t, s, o.setup)
}

// TestRecordedTrial: the recorded output is what the program prints, and names the
// rungs.
func TestRecordedTrial(t *testing.T) {
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
		assert.Equal(t, small().Devices, measured[i].Simulated.Devices)
	}
	var out bytes.Buffer
	require.NoError(t, showTrial(&out, measured, true))
	assert.Equal(t, string(text), out.String())

	out.Reset()
	require.NoError(t, showTrial(&out, measured, false))
	readme, err := os.ReadFile("../../experiments/ladder/README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), out.String(), "run: go run ./examples/ladder -trial")
}

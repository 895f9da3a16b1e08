package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed/ladder"
)

func TestLadder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ladder.png")
	table := output(t, "ladder", "--devices", "8", "--micro", "20", "--out", path)
	lines := strings.Split(strings.TrimSpace(table), "\n")
	require.Len(t, lines, 8)
	assert.Contains(t, lines[2], "| naive | 100.0 | 100.0 |")
	assert.Contains(t, lines[7], "| topology-aware sampling |")
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	assert.Equal(t, 640, img.Bounds().Dx())

	text := output(t, "ladder", "--devices", "8", "--micro", "20", "--json")
	rungs := ladder.Rungs()
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var r ladder.Result
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		assert.Equal(t, rungs[i].Name, r.Rung)
		assert.Equal(t, 8, r.Devices)
		assert.Positive(t, r.Throughput)
	}
}

func TestLadderEstimatesAreThoseOfTheDocument(t *testing.T) {
	want, err := os.ReadFile("../../distributed/ESTIMATES.md")
	require.NoError(t, err)
	assert.Equal(t, string(want), output(t, "ladder", "--estimate"), "run: go run ./cmd/gowalrus ladder --estimate >distributed/ESTIMATES.md")
}

// TestLadderMeasure writes a file of times, and keeps what the file holds.
func TestLadderMeasure(t *testing.T) {
	e, ok := data.FindEntry("gray_scott_reaction_diffusion")
	require.True(t, ok)
	c := ladder.TwoBlocks()
	c.Hidden, c.Heads, c.Blocks, c.Intermediate, c.Tokens = 24, 2, 2, 4, [3]int{8, 8, 8}
	path := filepath.Join(t.TempDir(), "times.json")
	var log bytes.Buffer
	a := &app{stdout: io.Discard, stderr: &log}
	require.NoError(t, a.measure(context.Background(), path, []data.Entry{e}, c))
	assert.Contains(t, log.String(), "T=6 B=2")
	times, err := ladder.ReadTimes(path)
	require.NoError(t, err)
	require.Len(t, times.Classes, 1)
	assert.Contains(t, times.Source, "processor seconds, ")

	log.Reset()
	require.NoError(t, a.measure(context.Background(), path, []data.Entry{e}, c))
	assert.NotContains(t, log.String(), "T=6", "what the file holds is kept")
	require.NoError(t, os.WriteFile(path, []byte("a letter"), 0o666))
	assert.ErrorContains(t, a.measure(context.Background(), path, []data.Entry{e}, c), "ladder: times: "+path, "another file is not replaced")
}

// TestLadderTimes runs a ladder of a table's network from the table of times.
func TestLadderTimes(t *testing.T) {
	times := &ladder.Times{Source: "made", Config: ladder.TwoBlocks()}
	form := ladder.Form{Adaptive: true, Differential: true}
	for _, e := range ladder.Paper().Systems {
		c, err := ladder.NewClass(times.Config, e, form, ladder.Rates{Dense: 1e11, Attention: 5e10, Convolution: 1e10})
		require.NoError(t, err)
		times.Classes = append(times.Classes, ladder.Time{System: e.Name, Form: form, Seconds: c.Seconds()})
	}
	path := filepath.Join(t.TempDir(), "times.json")
	require.NoError(t, times.Save(path))
	paper := output(t, "ladder", "--devices", "8", "--micro", "20")
	made := output(t, "ladder", "--devices", "8", "--micro", "20", "--times", path)
	assert.NotEqual(t, paper, made)
	assert.Contains(t, made, "| topology-aware sampling |")
}

func TestLadderErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"flags only":              {"extra"},
		"groups of 4 and 10":      {"--devices", "10"},
		"no such file":            {"--times", "nowhere.json"},
		"unknown flag: --nothing": {"--nothing"},
	} {
		assert.ErrorContains(t, fails(append([]string{"ladder"}, args...)...), want)
	}
}

// TestLadderTrialFlags: a trial has the small setup with the numbers that were given.
func TestLadderTrialFlags(t *testing.T) {
	settled := func(given ...string) ladder.Setup {
		o := ladderOptions{setup: ladder.Paper(), trial: true}
		o.setup.Devices, o.setup.Group, o.setup.Micro, o.setup.Accumulate, o.setup.Seed = 6, 3, 8, 2, 7
		o.settle(func(flag string) bool { return slices.Contains(given, flag) })
		return o.setup
	}
	s := ladder.Small()
	s.Accumulate, s.Seed = 2, 7
	assert.Equal(t, s, settled())
	s.Devices, s.Group, s.Micro = 6, 3, 8
	assert.Equal(t, s, settled("devices", "group", "micro"))
}

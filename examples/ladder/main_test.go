package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed/ladder"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), args, &out, io.Discard))
	return out.String()
}

func TestTableJSONAndChart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ladder.png")
	table := output(t, "-devices", "8", "-micro", "20", "-out", path)
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

	text := output(t, "-devices", "8", "-micro", "20", "-json")
	rungs := ladder.Rungs()
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var r ladder.Result
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		assert.Equal(t, rungs[i].Name, r.Rung)
		assert.Equal(t, 8, r.Devices)
		assert.Positive(t, r.Throughput)
	}
}

func TestEstimatesAreThoseOfTheDocument(t *testing.T) {
	want, err := os.ReadFile("../../distributed/ESTIMATES.md")
	require.NoError(t, err)
	assert.Equal(t, string(want), output(t, "-estimate"), "run: go run ./examples/ladder -estimate >distributed/ESTIMATES.md")
}

// TestMeasure measures a real trainer on one 2D system.
func TestMeasure(t *testing.T) {
	e, ok := data.FindEntry("gray_scott_reaction_diffusion")
	require.True(t, ok)
	c := network()
	c.Hidden, c.Heads, c.Blocks, c.Intermediate, c.Tokens = 24, 2, 2, 4, [3]int{8, 8, 8}
	path := filepath.Join(t.TempDir(), "times.json")
	var log bytes.Buffer
	require.NoError(t, measure(path, []data.Entry{e}, c, &log))
	assert.Contains(t, log.String(), "T=6 B=2")
	times, err := ladder.ReadTimes(path)
	require.NoError(t, err)
	require.Len(t, times.Classes, 1)
	assert.Equal(t, e.Name, times.Classes[0].System)

	log.Reset()
	require.NoError(t, measure(path, []data.Entry{e}, c, &log))
	assert.NotContains(t, log.String(), "T=6", "what the file holds is kept")
}

// TestDraw: the measured batches have the shapes of their data sets.
func TestDraw(t *testing.T) {
	for _, name := range []string{"acoustic_scattering_maze", "active_matter", "MHD_64", "turbulence_gravity_cooling"} {
		e, ok := data.FindEntry(name)
		require.True(t, ok)
		for _, form := range []ladder.Form{{Adaptive: true}, {Adaptive: true, Differential: true}} {
			batch, err := draw(e, form)
			require.NoError(t, err)
			assert.NoError(t, batch.Windows[0].Validate())
			windows, frames := 1, 4
			if !e.Volume() && form.Differential {
				windows, frames = 2, 7
			}
			assert.Len(t, batch.Windows, windows)
			assert.Len(t, batch.Windows[0].Frames, frames)
		}
	}
}

// TestTimes runs a ladder of a table's network from the table of times.
func TestTimes(t *testing.T) {
	times := &ladder.Times{Source: "made", Config: network()}
	form := ladder.Form{Adaptive: true, Differential: true}
	for _, e := range ladder.Paper().Systems {
		c, err := ladder.NewClass(times.Config, e, form, ladder.Rates{Dense: 1e11, Attention: 5e10, Convolution: 1e10})
		require.NoError(t, err)
		times.Classes = append(times.Classes, ladder.Time{System: e.Name, Form: form, Seconds: c.Seconds()})
	}
	path := filepath.Join(t.TempDir(), "times.json")
	require.NoError(t, times.Save(path))
	paper := output(t, "-devices", "8", "-micro", "20")
	made := output(t, "-devices", "8", "-micro", "20", "-times", path)
	assert.NotEqual(t, paper, made)
	assert.Contains(t, made, "| topology-aware sampling |")
}

func TestArguments(t *testing.T) {
	for want, args := range map[string][]string{
		"flags only":                    {"extra"},
		"groups of 4 and 10":            {"-devices", "10"},
		"no such file":                  {"-times", "nowhere.json"},
		"flag provided but not defined": {"-nothing"},
	} {
		assert.ErrorContains(t, run(context.Background(), args, io.Discard, io.Discard), want)
	}
}

package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus/peers"
)

// TestSizes: the networks have half a million to two million parameters on the grids of all data
// sets, and continue windows of six frames.
func TestSizes(t *testing.T) {
	b := testbackend.New(t)
	for _, grid := range [][]int{{32, 32}, {32, 64}, {48, 48}, {64, 64}} {
		for name, maker := range makers {
			n, err := maker(data.Metadata{Grid: grid}, peers.Options{Backend: b, Channels: []string{"a", "b"}}, 1)
			require.NoError(t, err, "%s on %v", name, grid)
			require.InDelta(t, 1.25e6, n.Parameters, 0.75e6, "%s on %v", name, grid)
			require.LessOrEqual(t, n.History(2), history)
			n.Close()
		}
	}
}

// TestResult: a line that is read is the line that was added, and a training of another rate is
// another training.
func TestResult(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.jsonl")
	none, err := read(file)
	require.NoError(t, err)
	require.Empty(t, none)
	v := 0.5
	l := line{Data: sets[0], Network: "dpot", Seed: 1, Rate: 1e-3, Split: "test", Errors: map[string][]*float64{"dpot": {&v, nil}}}
	require.NoError(t, add(file, l))
	require.NoError(t, add(file, l))
	got, err := read(file)
	require.NoError(t, err)
	require.Equal(t, []line{l, l}, got)
	require.True(t, l.same(got[0]))
	got[0].Rate = 2
	require.False(t, l.same(got[0]))
	require.NoError(t, os.WriteFile(file, []byte("{}\nx\n"), 0o666))
	_, err = read(file)
	require.ErrorContains(t, err, "line 2")
}

// TestReport: the table has the median over the seeds, the smallest in bold, and a dash for a
// network that diverged with one of them.
func TestReport(t *testing.T) {
	var lines []line
	for seed, v := range []float64{0.4, 0.2, 0.3} {
		far, w := 2.0, v
		lines = append(lines, line{Data: hidden, Network: "dpot", Seed: uint64(seed), Split: "test", Errors: map[string][]*float64{"dpot": {&w}, "persistence": {&far}}},
			line{Data: hidden, Network: "fno", Seed: uint64(seed), Split: "test", Errors: map[string][]*float64{"fno": {&w}}},
			line{Data: hidden, Network: "fno", Seed: uint64(seed), Split: "valid", Errors: map[string][]*float64{"fno": {&far}}})
	}
	lines[4].Errors["fno"][0] = nil
	var out strings.Builder
	report(&out, lines)
	require.Equal(t, "| data | steps | dpot | fno | persistence |\n|---|---|---:|---:|---:|\n| advection | 1 | **0.300** | – | 2.000 |\n", out.String())
}

// TestFlags: a network that does not exist is an error.
func TestFlags(t *testing.T) {
	o := options{networks: names(), data: sets}
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.SetOutput(&strings.Builder{})
	o.flags(f)
	require.NoError(t, f.Parse([]string{"-networks", "fno,unet"}))
	require.Equal(t, []string{"fno", "unet"}, o.networks)
	require.ErrorContains(t, f.Parse([]string{"-data", "nothing"}), "expected some of shear_flow,")
}

package data

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const statsYAML = `mean: {density: 1.5, velocity: [-3, 4]}
std: {density: 2}
rms:
  density: 125e-1
  velocity: [3.0, 4.0]
  D: [[1, 2], [2, 4]]
rms_delta:
  density: 0.5
mean_delta: {density: 0}
std_delta: {density: 0.25}
`

func TestParseStatistics(t *testing.T) {
	s, err := ParseStatistics([]byte(statsYAML))
	require.NoError(t, err)
	assert.Equal(t, map[string][]float64{"density": {12.5}, "velocity": {3, 4}, "D": {1, 2, 2, 4}}, s.RMS)
	assert.Equal(t, map[string][]float64{"density": {1.5}, "velocity": {-3, 4}}, s.Mean)
	assert.Equal(t, map[string][]float64{"density": {2}}, s.Std)
	assert.Equal(t, map[string][]float64{"density": {0.5}}, s.RMSDelta)
	assert.Equal(t, map[string][]float64{"density": {0}}, s.MeanDelta)
	assert.Equal(t, map[string][]float64{"density": {0.25}}, s.StdDelta)
}

func TestParseStatisticsErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "expected at least one of mean, std, rms, got an empty document"},
		{"not a table", "just words", "expected kinds with fields, e.g. rms: {density: 1.2}"},
		{"a list", "- 1\n- 2\n", "expected kinds with fields"},
		{"unknown kind", "rsm: {density: 1}", `unknown key "rsm": expected mean, std, rms or one of these with _delta`},
		{"kind without fields", "rms: 3", "expected kinds with fields"},
		{"text", "rms: {density: high}", "rms of density: expected a number or a list of numbers, got \"high\""},
		{"nothing", "rms: {density: }", "rms of density: expected a number or a list of numbers, got null"},
		{"empty list", "rms: {velocity: []}", "rms of velocity: expected a number or a list of numbers, got []"},
		{"text inside", "rms: {velocity: [1, yes]}", "rms of velocity: expected a number or a list of numbers, got \"yes\""},
		{"NaN", "std: {density: .nan}", "std of density: expected a finite number, got NaN"},
		{"negative deviation", "std: {density: -2}", "line 1: std of density: expected a number of at least 0, got -2"},
		{"negative in a list", "rms_delta:\n  velocity: [1, -2]", "line 2: rms_delta of velocity: expected a number of at least 0, got -2"},
		{"ragged", "rms: {D: [[1, 2], [3]]}", "rms of D: expected lists of one length, got lists of 2 and 1 values"},
		{"numbers and lists", "rms: {D: [1, [2, 3]]}", "rms of D: expected numbers alone or lists alone, got both"},
		{"lists of lists of lists", "rms: {D: [[[1]]]}", "rms of D: expected a number or a list of numbers, got a list"},
		{"too large", "rms: {density: 1e999}", "line 1: expected a number within float64, got 1e999"},
		{"two documents", "rms: {density: 1}\n---\nrms: {density: 2}", "expected one YAML document, got 2"},
		{"infinite", "std: {velocity: [1, -.inf]}", "std of velocity: expected a finite number, got -Inf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseStatistics([]byte(c.text))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestReadStatistics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stats.yaml")
	_, err := ReadStatistics(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte(statsYAML), 0o600))
	s, err := ReadStatistics(path)
	require.NoError(t, err)
	assert.Len(t, s.RMS, 3)
	require.NoError(t, os.WriteFile(path, []byte("rsm: {}"), 0o600))
	_, err = ReadStatistics(path)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, `unknown key "rsm"`)
}

func TestStatisticsChannels(t *testing.T) {
	s, err := ParseStatistics([]byte(statsYAML))
	require.NoError(t, err)
	fields := []Field{{Name: "velocity", Order: 1}, {Name: "density"}, {Name: "D", Order: 2}}
	got, err := s.Channels("rms", s.RMS, fields)
	require.NoError(t, err)
	v := float32(5 / math.Sqrt(3)) // √(3²+4²)/√3
	d := float32(5.0 / 3)          // √(1+4+4+16)/√9
	assert.Equal(t, []float32{v, v, v, 12.5, d, d, d, d, d, d, d, d, d}, got)
	mean, err := s.Channels("mean", s.Mean, []Field{{Name: "density"}, {Name: "velocity", Order: 1}})
	require.NoError(t, err)
	assert.Equal(t, []float32{1.5, v, v, v}, mean, "the sign of a vector's mean is lost")
	none, err := s.Channels("rms", s.RMS, nil)
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestStatisticsChannelsErrors(t *testing.T) {
	table := map[string][]float64{"p": {1, 2}, "v": {1, 2, 3, 4}, "e": {}}
	for _, c := range []struct {
		field Field
		want  string
	}{
		{Field{Name: "q"}, `data: statistics: rms: expected field "q", which is missing`},
		{Field{Name: "p"}, `data: statistics: rms of "p": expected at most 1 components, got 2`},
		{Field{Name: "v", Order: 1}, `data: statistics: rms of "v": expected at most 3 components, got 4`},
		{Field{Name: "e"}, `data: statistics: rms of "e": expected one value per component, got none`},
	} {
		_, err := (&Statistics{}).Channels("rms", table, []Field{c.field})
		require.EqualError(t, err, c.want)
	}
}

// TestComputeStatistics: moments of values and of differences between frames, by hand.
func TestComputeStatistics(t *testing.T) {
	w := &Window{Name: "line", Grid: []int{2}, Boundaries: Boundaries{Both(Periodic)},
		Fields: []Field{{Name: "a"}, {Name: "v", Order: 1}, {Name: "k", Constant: true}},
		Frames: [][]float32{{1, 3, 0, 0}, {2, 6, 4, -4}}, Constants: []float32{5, 7}}
	ds, err := NewMemory("lines", []*Window{w, w})
	require.NoError(t, err)
	s, err := ComputeStatistics(context.Background(), ds)
	require.NoError(t, err)
	assert.Equal(t, map[string][]float64{"a": {3}, "v": {0}, "k": {6}}, s.Mean)
	assert.Equal(t, map[string][]float64{"a": {2}, "v": {0}}, s.MeanDelta)
	assert.InDeltaSlice(t, []float64{1, 4}, []float64{s.StdDelta["a"][0], s.StdDelta["v"][0]}, 1e-12)
	assert.InDelta(t, math.Sqrt(50./4), s.RMS["a"][0], 1e-12)
	assert.InDelta(t, 1, s.Std["k"][0], 1e-12)
	_, err = StatisticsOf(w.Fields, 2, make([]Moments, 2), make([]Moments, 2), nil)
	assert.ErrorContains(t, err, "field v: expected moments of 3 channels, got 2")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = ComputeStatistics(ended, ds)
	assert.ErrorIs(t, err, context.Canceled)
}

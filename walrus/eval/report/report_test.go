package report

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// sample is a forecast of a field on a grid.
func sample(grid []int) *Sample {
	w := &data.Window{Name: "w", Grid: grid, Fields: []data.Field{{Name: "density"}}}
	for range grid {
		w.Boundaries = append(w.Boundaries, data.Both(data.Periodic))
	}
	s := &Sample{Truth: w}
	for t := range 3 {
		frame, guess := make([]float32, w.Points()), make([]float32, w.Points())
		for i := range frame {
			frame[i], guess[i] = float32(i+t), float32(i)
		}
		w.Frames, s.Forecast = append(w.Frames, frame), append(s.Forecast, guess)
	}
	return s
}

func result() *eval.Result {
	score := func(v float64) eval.Score {
		return eval.Score{Median: v, Mean: v, Fields: map[string]float64{"density": v}}
	}
	return &eval.Result{Dataset: "flow", Constant: []string{"flat"}, Skipped: []eval.Horizon{{From: 21, To: 60}}, Horizons: []eval.HorizonResult{
		{Horizon: eval.Horizon{From: 1, To: 1}, To: 1, Windows: 4, Scores: map[string]eval.Score{"model": score(0.25), "linear": score(0.125)}},
		{Horizon: eval.Horizon{From: 1, To: 20}, To: 3, Windows: 4, Scores: map[string]eval.Score{"model": score(0.5), "linear": score(2)},
			Curves: map[string][]float64{"model": {0.25, 0.5, 0.75}, "linear": {0, 1, 2}}},
	}}
}

// TestWrite: tables in all forms, curves and pictures in the page, an animation.
func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	entries := []Entry{{Result: result(), Sample: sample([]int{12, 10})}, {Result: &eval.Result{Dataset: "volume"}, Sample: sample([]int{8, 8, 8})}, {Result: &eval.Result{Dataset: "line"}, Sample: sample([]int{9})}}
	require.NoError(t, Write(dir, "a <title>", []string{"model", "linear"}, entries))
	text := map[string]string{}
	for _, name := range []string{MarkdownFile, JSONFile, HTMLFile} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		text[name] = string(raw)
	}
	require.Contains(t, text[MarkdownFile], "| flow | 1 | 0.250 | **0.125** | 4 |")
	require.Contains(t, text[MarkdownFile], "| flow | 1:20 | **0.500** | 2.000 | 4 |")
	require.Contains(t, text[MarkdownFile], "flow: steps 1:20: scored up to step 3")
	require.Contains(t, text[MarkdownFile], "flow: not scored, as they do not vary over space: flat")
	require.Contains(t, text[HTMLFile], "<h1>a &lt;title&gt;</h1>")
	require.Equal(t, 3, strings.Count(text[HTMLFile], "data:image/png;base64,"), "curves, a plane and a volume")
	var parsed []map[string]any
	require.NoError(t, json.Unmarshal([]byte(text[JSONFile]), &parsed))
	require.Len(t, parsed, 3)
	for name, there := range map[string]bool{"flow.gif": true, "volume.gif": true, "line.gif": false} {
		if there {
			require.FileExists(t, filepath.Join(dir, name))
		} else {
			require.NoFileExists(t, filepath.Join(dir, name))
		}
	}
}

// TestWriteEnsembles: the page, the table and the JSON hold the scores of ensembles.
func TestWriteEnsembles(t *testing.T) {
	dir := t.TempDir()
	r := result()
	score := eval.EnsembleScore{Members: 5, CRPS: 0.125, FairCRPS: math.NaN(), SpreadSkill: 0.75, Coverage: 0.875}
	r.Horizons[1].Ensembles = map[string]eval.EnsembleResult{"five": {All: score, Steps: []eval.EnsembleScore{score}}}
	require.NoError(t, Write(dir, "title", []string{"model"}, []Entry{{Result: r}}))
	for _, name := range []string{MarkdownFile, HTMLFile} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		text := strings.NewReplacer("<td>", "| ", "</td>", " ", "<tr>", "", "</tr>", "|").Replace(string(raw))
		require.Contains(t, text, "| 1:20 | five | 5 | 0.125 | – | 0.000 | 0.750 | 87.5 % | 0.000 |", name)
	}
	raw, err := os.ReadFile(filepath.Join(dir, JSONFile))
	require.NoError(t, err)
	var parsed []struct {
		Horizons map[string]struct {
			Ensembles map[string]map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(raw, &parsed))
	require.Equal(t, 0.125, parsed[0].Horizons["1:20"].Ensembles["five"]["all"].(map[string]any)["crps"])
}

// TestWriteLong: the page and the table hold the long-term behaviour, the JSON all of it.
func TestWriteLong(t *testing.T) {
	dir := t.TempDir()
	r := result()
	r.Horizons[1].Long = map[string]eval.LongResult{"model": {Edges: []float64{0.1, 0.25, 0.5}, Fields: map[string]eval.LongField{"density": {
		Power: [][]float64{{1, 2}, {3, 4}}, TruePower: [][]float64{{1, 1}, {2, 0}}, Drift: []float64{0, 0.125}, TrueDrift: []float64{0, 0},
		Correlation: []float64{1, 0.5}, Decorrelation: 2, Blowup: math.Inf(1)}}}}
	require.NoError(t, Write(dir, "title", []string{"model"}, []Entry{{Result: r}}))
	for _, name := range []string{MarkdownFile, HTMLFile} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		text := strings.NewReplacer("<td>", "| ", "</td>", " ", "<tr>", "", "</tr>", "|", "<th>", "| ", "</th>", " ").Replace(string(raw))
		require.Contains(t, text, "| 1:20 | model | density | 0.125 | 0.000 | 0.500 | 2 | – |", name)
		require.Contains(t, text, "| forecast | field | step | 0.1–0.25 | 0.25–0.5 |", name)
		require.Contains(t, text, "| model | density | 2 | 1.500 | – |", name)
	}
	raw, err := os.ReadFile(filepath.Join(dir, JSONFile))
	require.NoError(t, err)
	require.Contains(t, string(raw), `"blowup": null`)
}

// TestWriteStaysInFolder: names of data sets, which come from files, neither leave the
// folder nor overwrite each other's animation.
func TestWriteStaysInFolder(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "out")
	var entries []Entry
	for range 2 {
		entries = append(entries, Entry{Result: &eval.Result{Dataset: "../../x"}, Sample: sample([]int{12, 10})})
	}
	require.NoError(t, Write(dir, "title", []string{"model"}, entries))
	var outside []string
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if !d.IsDir() && filepath.Dir(path) != dir {
			outside = append(outside, path)
		}
		return err
	}))
	require.Empty(t, outside)
	animations, err := filepath.Glob(filepath.Join(dir, "*.gif"))
	require.NoError(t, err)
	require.Len(t, animations, 2)
}

func TestWriteErrors(t *testing.T) {
	require.ErrorContains(t, Write(t.TempDir(), "", []string{"model"}, nil), "expected at least one data set")
	bad := sample([]int{12, 10})
	bad.Forecast = bad.Forecast[:2]
	require.ErrorContains(t, Write(t.TempDir(), "", []string{"model"}, []Entry{{Result: result(), Sample: bad}}), "report: flow")
}

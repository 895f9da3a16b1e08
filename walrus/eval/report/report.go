// Package report writes an evaluation as Markdown and JSON for programs and
// repositories, as one HTML file with curves and pictures for readers, and as an
// animation of truth, forecast and error of each data set.
//
// [Chart], [Bars] and [Curves] draw single charts, by gonum.org/v1/plot:
//
//	chart, err := report.Curves(&result.Horizons[0], []string{"model", "persistence"})
//	if err != nil { ... }
//	err = picture.PNG("vrmse.png", chart)
package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/slug"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
)

// Entry is a data set of a report.
type Entry struct {
	Result *eval.Result
	// Sample is a forecast to draw, or nil.
	Sample *Sample
}

// Sample is one forecast and its truth.
type Sample struct {
	// Truth holds the frames that were forecast.
	Truth    *data.Window
	Forecast [][]float32
}

// Names of the files of a report.
const (
	MarkdownFile = "report.md"
	JSONFile     = "report.json"
	HTMLFile     = "report.html"
)

// Write writes a report of several data sets into a folder. forecasters are the names
// of the columns in their order; the first is the evaluated one.
func Write(dir, title string, forecasters []string, entries []Entry) error {
	if len(entries) == 0 || len(forecasters) == 0 {
		return errors.New("report: expected at least one data set and one forecaster")
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	p := page{Title: title, Forecasters: forecasters}
	var files slug.Names
	for i, e := range entries {
		if e.Result == nil {
			return fmt.Errorf("report: data set %d: expected a result, got nil", i)
		}
		s, err := newSection(dir, &files, forecasters, e)
		if err != nil {
			return fmt.Errorf("report: %s: %w", e.Result.Dataset, err)
		}
		p.Sections = append(p.Sections, s)
	}
	for name, write := range map[string]func(io.Writer) error{
		MarkdownFile: p.markdown,
		HTMLFile:     func(w io.Writer) error { return htmlPage.Execute(w, p) },
		JSONFile:     func(w io.Writer) error { return writeJSON(w, entries) },
	} {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			return fmt.Errorf("report: %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o666); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}

// writeJSON writes all values of every result.
func writeJSON(w io.Writer, entries []Entry) error {
	type horizon struct {
		Windows   int                            `json:"windows"`
		Scores    map[string]eval.Score          `json:"scores"`
		Ensembles map[string]eval.EnsembleResult `json:"ensembles,omitempty"`
		Diverged  map[string]eval.Divergences    `json:"diverged,omitempty"`
		Long      map[string]eval.LongResult     `json:"long,omitempty"`
	}
	var out []any
	for _, e := range entries {
		horizons := map[string]horizon{}
		for _, h := range e.Result.Horizons {
			horizons[h.Horizon.String()] = horizon{h.Windows, h.Scores, h.Ensembles, h.Diverged, h.Long}
		}
		out = append(out, map[string]any{"dataset": e.Result.Dataset, "horizons": horizons, "not_scored": e.Result.Constant})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// page is the data of the templates.
type page struct {
	Title       string
	Forecasters []string
	Sections    []section
}

// section is the part of the page for a data set.
type section struct {
	Name  string
	Rows  []row
	Notes []string
	// Tables follow the table of scores.
	Tables []table
	// Animation is the name of a file next to the report; Curves and Picture are images
	// in the page.
	Animation       string
	Curves, Picture template.URL
}

// row is a horizon: scores are texts, and the lowest is marked.
type row struct {
	Steps  string
	Scores []string
	Best   int
	Spread string
	Places int
}

func newSection(dir string, files *slug.Names, forecasters []string, e Entry) (section, error) {
	s := section{Name: e.Result.Dataset}
	var longest *eval.HorizonResult
	for i, h := range e.Result.Horizons {
		r := row{Steps: h.Horizon.String(), Places: h.Windows}
		for k, name := range forecasters {
			score := h.Scores[name]
			r.Scores = append(r.Scores, fmt.Sprintf("%.3f", score.Median))
			if score.Median < h.Scores[forecasters[r.Best]].Median {
				r.Best = k
			}
		}
		first := h.Scores[forecasters[0]]
		r.Spread = fmt.Sprintf("%.3f ± %.3f", first.Mean, first.Std)
		s.Rows = append(s.Rows, r)
		for _, name := range slices.Sorted(maps.Keys(h.Diverged)) {
			d := h.Diverged[name]
			s.Notes = append(s.Notes, fmt.Sprintf("steps %v: %s diverged in %d of %d places, first at step %d", h.Horizon, name, d.Windows, h.Windows, d.FirstStep))
		}
		if h.To < h.Horizon.To {
			s.Notes = append(s.Notes, fmt.Sprintf("steps %v: scored up to step %d, as far as the longest trajectory reaches", h.Horizon, h.To))
		}
		if h.Horizon.From == 1 && h.To > 1 && (longest == nil || h.Horizon.To > longest.Horizon.To) {
			longest = &e.Result.Horizons[i]
		}
	}
	s.Tables = append(ensembleTables(e.Result), longTables(e.Result)...)
	for _, h := range e.Result.Skipped {
		s.Notes = append(s.Notes, fmt.Sprintf("steps %v: beyond the end of all trajectories", h))
	}
	if n := e.Result.Constant; len(n) > 0 {
		s.Notes = append(s.Notes, "not scored, as they do not vary over space: "+strings.Join(n, ", "))
	}
	var err error
	if longest != nil {
		c, err := Curves(longest, forecasters)
		if err != nil {
			return s, err
		}
		c.Title = "median VRMSE"
		if len(c.Lines) > 0 {
			if s.Curves, err = inline(c); err != nil {
				return s, err
			}
		}
	}
	if e.Sample != nil {
		err = s.draw(dir, files.File(s.Name, ".gif"), e.Sample)
	}
	return s, err
}

// inline returns a drawing as a data URL for the page.
func inline(d picture.Drawing) (template.URL, error) {
	var b bytes.Buffer
	if err := picture.EncodePNG(&b, d); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// draw draws a forecast: its last frame in the page, all frames as an animation in a file
// of dir. A forecast on one axis has no pictures.
func (s *section) draw(dir, animation string, sample *Sample) error {
	if sample.Truth != nil && len(sample.Truth.Grid) < 2 {
		return nil
	}
	panels, err := picture.Compare(sample.Truth, sample.Forecast, picture.Options{Title: s.Name})
	if err != nil {
		return err
	}
	if s.Picture, err = inline(panels[len(panels)-1]); err != nil {
		return err
	}
	s.Animation = animation
	return picture.GIF(filepath.Join(dir, s.Animation), panels, 250*time.Millisecond)
}

// markdown writes the tables.
func (p page) markdown(w io.Writer) error {
	fmt.Fprintf(w, "# %s\n\nVRMSE, median over places; the last column is mean ± standard deviation of %s.\n\n", p.Title, p.Forecasters[0])
	fmt.Fprintf(w, "| data set | steps | %s | places | spread |\n|---|---|%s---|---|\n", strings.Join(p.Forecasters, " | "), strings.Repeat("---|", len(p.Forecasters)))
	for _, s := range p.Sections {
		for _, r := range s.Rows {
			scores := slices.Clone(r.Scores)
			scores[r.Best] = "**" + scores[r.Best] + "**"
			fmt.Fprintf(w, "| %s | %s | %s | %d | %s |\n", s.Name, r.Steps, strings.Join(scores, " | "), r.Places, r.Spread)
		}
	}
	for _, s := range p.Sections {
		for _, t := range s.Tables {
			fmt.Fprintf(w, "\n%s: %s\n\n", s.Name, t.Title)
			t.markdown(w)
		}
	}
	var err error
	for _, s := range p.Sections {
		for _, n := range s.Notes {
			_, err = fmt.Fprintf(w, "\n%s: %s\n", s.Name, n)
		}
	}
	return err
}

var htmlPage = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{.Title}}</title>
<style>
body { font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 }
td, th { padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd }
td.best { font-weight: bold }
img { max-width: 100% }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>VRMSE, median over places: 0 is perfect, 1 is as good as the mean of the truth.</p>
{{range .Sections}}
<h2>{{.Name}}</h2>
<table>
<tr><th>steps</th>{{range $.Forecasters}}<th>{{.}}</th>{{end}}<th>mean ± std of {{index $.Forecasters 0}}</th><th>places</th></tr>
{{range .Rows}}{{$best := .Best}}<tr><td>{{.Steps}}</td>{{range $i, $s := .Scores}}<td{{if eq $i $best}} class="best"{{end}}>{{$s}}</td>{{end}}<td>{{.Spread}}</td><td>{{.Places}}</td></tr>
{{end}}</table>
{{range .Tables}}<p>{{.Title}}</p>
<table>
<tr>{{range .Head}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>
{{end}}{{range .Notes}}<p>{{.}}</p>{{end}}
{{with .Curves}}<p><img alt="error over the steps" src="{{.}}"></p>{{end}}
{{with .Picture}}<p><img alt="truth, forecast and error" src="{{.}}"></p>{{end}}
{{with .Animation}}<p><a href="{{.}}">animation</a></p>{{end}}
{{end}}
</body>
</html>
`))

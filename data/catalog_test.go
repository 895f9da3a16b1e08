package data_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
)

// TestCatalog: the 19 and 8 data sets have valid fields and boundaries, and the released
// weights know the channels of the 19.
func TestCatalog(t *testing.T) {
	registry := data.ReleasedRegistry()
	seen, known := map[string]bool{}, map[string]bool{}
	counts := map[bool]int{}
	for _, e := range data.Catalog() {
		counts[e.Downstream]++
		assert.False(t, seen[e.Name], e.Name)
		seen[e.Name] = true
		w := data.Window{Fields: e.Fields, Grid: e.Grid, Axes: e.Axes, Curvilinear: e.Curvilinear(), Boundaries: e.Boundaries}
		require.NoError(t, w.ValidateLayout(), e.Name)
		channels, err := e.Channels()
		require.NoError(t, err)
		for _, c := range channels {
			known[c] = true
		}
		if !e.Downstream {
			_, err := registry.Indices(channels)
			assert.NoError(t, err, e.Name)
		}
		found, ok := data.FindEntry(e.Name)
		assert.True(t, ok)
		assert.Equal(t, e, found)
	}
	assert.Equal(t, map[bool]int{false: 19, true: 8}, counts)
	_, ok := data.FindEntry("ether")
	assert.False(t, ok)
}

// TestCatalogGrids: the release's table has strides for the grids of all data sets; the
// network resizes post_neutron_star_merger first.
func TestCatalogGrids(t *testing.T) {
	for _, e := range data.Catalog() {
		if e.Name == "post_neutron_star_merger" { // resized before the strides are chosen (docs/reference.md §2)
			e.Grid = []int{192, 128, 64}
		}
		plan, err := csm.NewPlan(e.Grid, e.Boundaries, csm.Options{})
		require.NoError(t, err, e.Name)
		for i, a := range plan.Axes[:len(e.Grid)] {
			assert.True(t, a.Released, "%s axis %d", e.Name, i)
		}
	}
}

// TestCatalogHistory: 3D data sets have three frames and single windows, 2D data sets six
// and two (docs/reference.md §11).
func TestCatalogHistory(t *testing.T) {
	for _, e := range data.Catalog() {
		want := []int{6, 2}
		if len(e.Grid) == 3 {
			want = []int{3, 1}
		}
		assert.Equal(t, want, []int{e.History(), e.Batch()}, e.Name)
	}
	assert.Equal(t, 1, data.Downsample(1, 0.5))
}

// write makes TestCatalogTable write CATALOG.md.
var write = flag.Bool("write", false, "write CATALOG.md")

// TestCatalogTable: CATALOG.md is the table of the catalog.
func TestCatalogTable(t *testing.T) {
	want := catalogTable()
	if *write {
		require.NoError(t, os.WriteFile("CATALOG.md", []byte(want), 0o666))
	}
	got, err := os.ReadFile("CATALOG.md")
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "go test ./data -run CatalogTable -write writes the table")
}

// catalogTable returns the catalog as Markdown tables.
func catalogTable() string {
	var b strings.Builder
	b.WriteString("# The paper's data sets\n\nMade from `data.Catalog` by `go test ./data -run CatalogTable -write`: paper Tables 5 and 6, §C.1, and the descriptions of the sources.\n")
	for _, downstream := range []bool{false, true} {
		title := "Pretraining"
		if downstream {
			title = "Downstream"
		}
		fmt.Fprintf(&b, "\n## %s\n\n| data set | source | grid | frames | trajectories | fields | boundaries | transforms | history | batch | remarks |\n", title)
		b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
		for _, e := range data.Catalog() {
			if e.Downstream == downstream {
				b.WriteString(row(e))
			}
		}
	}
	return b.String()
}

// row returns an entry as one row of the table.
func row(e data.Entry) string {
	var axes, fields, bcs, transforms, remarks []string
	for i, a := range e.Axes {
		axes = append(axes, fmt.Sprintf("%s %d", a, e.Grid[i]))
		bcs = append(bcs, fmt.Sprintf("%s %s", a, e.Boundaries[i]))
	}
	for _, f := range e.Fields {
		text := f.Name + map[int]string{1: " (vector)", 2: " (tensor)"}[f.Order]
		if f.Constant {
			text += " (constant)"
		}
		fields = append(fields, text)
	}
	for _, t := range e.Transforms {
		transforms = append(transforms, t.Rename())
	}
	if e.Note != "" {
		remarks = append(remarks, e.Note)
	}
	if e.Unconfirmed != "" {
		remarks = append(remarks, "not confirmed: "+e.Unconfirmed)
	}
	steps := fmt.Sprint(e.Steps)
	if e.Steps == 0 {
		steps = "varies"
	}
	return fmt.Sprintf("| %s (%s) | %s | %s | %s | %d | %s | %s | %s | %d | %d | %s |\n", e.Name, e.ShortName, e.Source, strings.Join(axes, ", "), steps,
		e.Trajectories, strings.Join(fields, ", "), strings.Join(bcs, ", "), strings.Join(transforms, ", "), e.History(), e.Batch(), strings.Join(remarks, "; "))
}

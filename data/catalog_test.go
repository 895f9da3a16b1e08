package data_test

import (
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
	for _, e := range data.Catalog {
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
	for _, e := range data.Catalog {
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
	for _, e := range data.Catalog {
		want := []int{6, 2}
		if len(e.Grid) == 3 {
			want = []int{3, 1}
		}
		assert.Equal(t, want, []int{e.History(), e.Batch()}, e.Name)
	}
	assert.Equal(t, 1, data.Downsample(1, 0.5))
}

// TestCatalogTable: CATALOG.md equals the output of WriteCatalog.
func TestCatalogTable(t *testing.T) {
	var b strings.Builder
	require.NoError(t, data.WriteCatalog(&b))
	got, err := os.ReadFile("CATALOG.md")
	require.NoError(t, err)
	assert.Equal(t, b.String(), string(got), "write it anew with data.WriteCatalog")
}

package mapping_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/convert/mapping"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
)

// The files in testdata/data/arrays hold these systems in many layouts: density, a vector and
// a mask on a grid of 6×4 points, 2 trajectories of 5 steps. Each mapping has at most 20
// lines.
var layouts = map[string]string{
	"plain.npz": `
files: plain.npz
axes: trajectory, time, y, x
fields:
  density: rho
  velocity: {array: vel, axes: "trajectory, time, y, x, component", components: "y, x"}
  mask: {array: solid, axes: "y, x"}
coordinates: {x: x, y: y}
times: t
parameters: {viscosity: nu}
`,
	"packed.npz": `
files: packed.npz
axes: trajectory, time, y, x
fields:
  density: rho
  velocity: {x: "vel[c=1]", y: "vel[c=0]", axes: "trajectory, time, y, x, c"}
  mask: {array: solid, axes: "y, x"}
coordinates: {x: x, y: y}
times: t
parameters: {viscosity: nu}
`,
	"runs": `
files: "runs/nu{nu}_run{trajectory}.npz"
axes: time, y, x
fields:
  density: rho
  velocity: {array: u, axes: "time, component, x, y", components: "x, y"}
  mask: {array: "solid in plain.npz", axes: "y, x"}
coordinates: {x: x in plain.npz, y: y in plain.npz}
times: t
parameters: {viscosity: "{nu}"}
`,
	"classic.nc":   netCDF("classic.nc"),
	"offset64.nc":  netCDF("offset64.nc"),
	"data64.nc":    netCDF("data64.nc"),
	"four.nc":      netCDF("four.nc"),
	"xarray2.zarr": netCDF("xarray2.zarr"),
	"xarray3.zarr": netCDF("xarray3.zarr"),
	"plain.h5": `
files: plain.h5
axes: trajectory, time, y, x
fields:
  density: out/density
  velocity: {array: out/velocity, axes: "trajectory, time, component, x, y", components: [y, x]}
  mask: {array: out/solid, axes: "x, y"}
coordinates: {x: x in plain.npz, y: y in plain.npz}
times: time
parameters: {viscosity: nu in plain.npz}
`,
}

func netCDF(file string) string {
	return `
files: ` + file + `
axes: trajectory, time, y, x
fields:
  density: rho
  velocity: {x: u, y: v}
  mask: {array: solid, axes: "y, x"}
coordinates: {x: lon, y: lat}
times: time
parameters: {viscosity: nu in plain.npz}
`
}

const common = `name: fixture
boundaries: {x: periodic, y: wall/open}
split: {train: 0.5, valid: 0.5}
`

func parse(t *testing.T, text string) *mapping.Mapping {
	t.Helper()
	require.LessOrEqual(t, strings.Count(text, "\n"), 20, "lines")
	m, err := mapping.Parse([]byte(text), ndtest.Dir())
	require.NoError(t, err)
	return m
}

// TestLayouts: all layouts give the same windows, up to the rounding of those that store
// float32, and Write gives the same windows as Open.
func TestLayouts(t *testing.T) {
	ctx := context.Background()
	var want []*data.Window
	for _, name := range append([]string{"plain.npz"}, keys(layouts)...) {
		text := common + layouts[name]
		t.Run(name, func(t *testing.T) {
			m := parse(t, text)
			ds, err := m.Open(mapping.Options{})
			require.NoError(t, err)
			defer ds.Close()
			assert.Empty(t, ds.Notes())
			assert.Equal(t, map[string]int{"train": 1, "valid": 1}, ds.Splits())
			meta := ds.Metadata()
			assert.Equal(t, []string{"density", "velocity_x", "velocity_y", "velocity_z", "mask"}, meta.Channels())
			assert.Equal(t, []int{6, 4}, meta.Grid)
			require.Len(t, ds.Trajectories(), 2)
			var got []*data.Window
			for i := range 2 {
				w, err := ds.Read(ctx, data.Span{Trajectory: i, Stride: 1, Frames: 5}, nil)
				require.NoError(t, err)
				require.NoError(t, w.Validate())
				got = append(got, w)
			}
			if want == nil {
				want = got
			}
			for i, w := range got {
				assert.Equal(t, want[i].Coordinates, w.Coordinates)
				assert.Equal(t, want[i].Times, w.Times)
				assert.Equal(t, want[i].Scalars, w.Scalars)
				assert.Equal(t, want[i].Constants, w.Constants)
				assert.Equal(t, want[i].Frames, w.Frames)
			}
			sameWritten(t, m)
		})
	}
}

func keys(m map[string]string) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// sameWritten compares the windows of each split with those of the data set that Write
// makes.
func sameWritten(t *testing.T, m *mapping.Mapping) {
	t.Helper()
	ctx := context.Background()
	out := t.TempDir()
	frames := 0
	r, err := m.Write(ctx, mapping.WriteOptions{Out: out, Progress: func(done, total int) { frames = done }})
	require.NoError(t, err)
	assert.Equal(t, r.Frames, frames)
	assert.Equal(t, filepath.Join(out, m.Name), r.Dir)
	for split, n := range r.Trajectories {
		stored, err := well.Open(r.Dir, well.Options{Split: split})
		require.NoError(t, err)
		defer stored.Close()
		require.Len(t, stored.Trajectories(), n)
		require.NotNil(t, stored.Statistics())
		lazy, err := m.Open(mapping.Options{Split: split})
		require.NoError(t, err)
		defer lazy.Close()
		assert.Equal(t, lazy.Metadata(), stored.Metadata())
		for i, tr := range stored.Trajectories() {
			for _, span := range []data.Span{{Trajectory: i, Stride: 1, Frames: tr.Steps}, {Trajectory: i, Start: tr.Steps - 1, Stride: 2, Frames: 1}, {Trajectory: i, Stride: max(tr.Steps/2, 1), Frames: 2}} {
				if span.Start+(span.Frames-1)*span.Stride >= tr.Steps {
					continue
				}
				want, err := lazy.Read(ctx, span, nil)
				require.NoError(t, err)
				got, err := stored.Read(ctx, span, nil)
				require.NoError(t, err)
				want.Origin, want.Name, got.Origin, got.Name = data.Origin{}, "", data.Origin{}, ""
				assert.Equal(t, want, got)
			}
		}
	}
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	assert.Len(t, left, 1) // no temporary folder
	_, err = m.Write(ctx, mapping.WriteOptions{Out: out})
	assert.ErrorContains(t, err, "the folder exists")
}

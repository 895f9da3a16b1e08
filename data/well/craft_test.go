package well_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/hdf5"
)

// crafted describes a file that package well reads but does not write: fields that do not
// vary along every axis, chunks of several frames, masks over several axes.
type crafted struct {
	grid                []int
	trajectories, steps int
	fields              []craftedField
	boundaries          []craftedBoundary
	// coordinate returns the coordinate of point i of an axis; the last axis is time. nil
	// means i.
	coordinate func(axis, i int) float32
}

type craftedField struct {
	name         string
	order        int
	sample, time bool
	along        []bool // nil: all axes
	ones         bool   // axes without variation are stored with length 1
	chunk        []int  // nil: contiguous
}

type craftedBoundary struct {
	group, kind string
	axes        []string
	mask        []float32
}

// each calls do for every index of an array in row-major order.
func each(shape []int, do func(at []int)) {
	n := 1
	for _, x := range shape {
		n *= x
	}
	at := make([]int, len(shape))
	for i := range n {
		for a, rest := len(shape)-1, i; a >= 0; a-- {
			at[a], rest = rest%shape[a], rest/shape[a]
		}
		do(at)
	}
}

// value returns the value of a field at a point: an integer that depends only on the
// indices along the axes on which the field varies and differs between them.
func (c crafted) value(f craftedField, trajectory, step int, at []int, component int) float32 {
	v := len(f.name)
	if f.sample {
		v = v*7 + trajectory
	}
	if f.time {
		v = v*31 + step
	}
	for a, i := range at {
		if f.varies(a) {
			v = v*c.grid[a] + i
		}
	}
	return float32(v*9 + component)
}

func (f craftedField) varies(axis int) bool { return f.along == nil || f.along[axis] }

// shape returns the shape of the array and the meaning of its axes: -2 for the trajectory,
// -1 for time, then the axes of the grid, then components.
func (c crafted) shape(f craftedField) (shape, axes []int) {
	add := func(axis, n int) { axes, shape = append(axes, axis), append(shape, n) }
	if f.sample {
		add(-2, c.trajectories)
	}
	if f.time {
		add(-1, c.steps)
	}
	for a, n := range c.grid {
		switch {
		case f.varies(a):
			add(a, n)
		case f.ones:
			add(a, 1)
		}
	}
	for range f.order {
		add(len(c.grid), len(c.grid))
	}
	return shape, axes
}

// write creates the file and returns its path.
func (c crafted) write(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "crafted.hdf5")
	w, err := hdf5.Create(path)
	require.NoError(t, err)
	attributes := func(object string, pairs ...any) {
		for i := 0; i < len(pairs); i += 2 {
			require.NoError(t, w.Attribute(object, pairs[i].(string), pairs[i+1]))
		}
	}
	names := []string{"x", "y", "z"}[:len(c.grid)]
	attributes("/", "dataset_name", "crafted", "grid_type", "cartesian", "n_spatial_dims", int64(len(c.grid)), "n_trajectories", int64(c.trajectories))
	for _, g := range []string{"/dimensions", "/boundary_conditions", "/scalars", "/t0_fields", "/t1_fields", "/t2_fields"} {
		require.NoError(t, w.Group(g))
	}
	attributes("/dimensions", "spatial_dims", names)
	attributes("/scalars", "field_names", []string{})
	for a, n := range append(slices.Clone(c.grid), c.steps) {
		fill(t, w, "/dimensions/"+append(slices.Clone(names), "time")[a], driver.Spec{Type: "float32", Shape: []int{n}},
			func(at []int) float32 {
				if c.coordinate != nil {
					return c.coordinate(a, at[0])
				}
				return float32(at[0])
			})
	}
	listed := [3][]string{}
	for _, f := range c.fields {
		listed[f.order] = append(listed[f.order], f.name)
		c.writeField(t, w, f)
		along := make([]bool, len(c.grid))
		for a := range along {
			along[a] = f.varies(a)
		}
		attributes(fmt.Sprintf("/t%d_fields/%s", f.order, f.name), "dim_varying", along, "sample_varying", f.sample, "time_varying", f.time)
	}
	for order, list := range listed {
		attributes(fmt.Sprintf("/t%d_fields", order), "field_names", list)
	}
	for _, b := range c.boundaries {
		group := "/boundary_conditions/" + b.group
		require.NoError(t, w.Group(group))
		attributes(group, "bc_type", b.kind, "associated_dims", b.axes, "sample_varying", false, "time_varying", false)
		var shape []int
		for _, a := range b.axes {
			shape = append(shape, c.grid[slices.Index(names, a)])
		}
		i := -1
		fill(t, w, group+"/mask", driver.Spec{Type: "bool", Shape: shape}, func([]int) float32 { i++; return b.mask[i] })
	}
	require.NoError(t, w.Close())
	return path
}

func (c crafted) writeField(t testing.TB, w *hdf5.Writer, f craftedField) {
	shape, axes := c.shape(f)
	fill(t, w, fmt.Sprintf("/t%d_fields/%s", f.order, f.name), driver.Spec{Type: "float32", Shape: shape, Chunk: f.chunk, Deflate: min(len(f.chunk), 3)}, func(at []int) float32 {
		trajectory, step, component, place := 0, 0, 0, make([]int, len(c.grid))
		for i, axis := range axes {
			switch {
			case axis == -2:
				trajectory = at[i]
			case axis == -1:
				step = at[i]
			case axis < len(c.grid):
				place[axis] = at[i]
			default:
				component = component*len(c.grid) + at[i]
			}
		}
		return c.value(f, trajectory, step, place, component)
	})
}

// fill creates a dataset and writes it chunk by chunk.
func fill(t testing.TB, w *hdf5.Writer, path string, spec driver.Spec, value func(at []int) float32) {
	d, err := w.Dataset(path, spec)
	require.NoError(t, err)
	block := spec.Shape
	if spec.Chunk != nil {
		block = spec.Chunk
	}
	chunks := make([]int, len(block))
	for a, n := range block {
		chunks[a] = spec.Shape[a] / n
	}
	each(chunks, func(chunk []int) {
		offset := make([]int, len(block))
		for a := range offset {
			offset[a] = chunk[a] * block[a]
		}
		var values []float32
		each(block, func(in []int) {
			at := slices.Clone(offset)
			for a := range at {
				at[a] += in[a]
			}
			values = append(values, value(at))
		})
		require.NoError(t, d.Float32(values, offset, block))
	})
}

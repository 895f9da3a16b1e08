package well

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

// readBoundaries decodes the groups in /boundary_conditions. Each group has a type and a
// mask over the axes to which it applies; the type applies to the ends of those axes at
// which the mask is set. If the mask has several axes, a wall needs all points of the end
// to be set, the other types need one. Ends that no group sets are open. All this is as in
// the release; unlike the release, readBoundaries returns an error for groups that
// contradict each other, for masks of the wrong shape, and for axes that are periodic at
// one end only.
func readBoundaries(q *quota, f driver.File, axes []string, grid []int) (data.Boundaries, error) {
	const root = "/boundary_conditions"
	groups, err := f.Children(root)
	if err != nil {
		return nil, err
	}
	d := boundaryDecoder{q: q, f: f, axes: axes, grid: grid, out: make(data.Boundaries, len(axes)), by: map[string]string{}}
	for _, g := range groups {
		if err := d.group(root + "/" + g); err != nil {
			return nil, err
		}
	}
	for i, b := range d.out {
		if b.Low == data.BCUnset {
			d.out[i].Low = data.Open
		}
		if b.High == data.BCUnset {
			d.out[i].High = data.Open
		}
		if err := d.out[i].Validate(); err != nil {
			return nil, fmt.Errorf("%s: axis %s: %w", root, axes[i], err)
		}
	}
	return d.out, nil
}

type boundaryDecoder struct {
	q    *quota
	f    driver.File
	axes []string
	grid []int
	out  data.Boundaries
	by   map[string]string // "x low" → the group that set it
}

func (d *boundaryDecoder) group(path string) error {
	kind, err := attribute[string](d.f, path, "bc_type")
	if err != nil {
		return err
	}
	bc, err := data.ParseBC(strings.ToUpper(kind))
	if err != nil {
		return fmt.Errorf("%s: bc_type: expected PERIODIC, WALL or OPEN, got %q", path, kind)
	}
	for _, name := range []string{"sample_varying", "time_varying"} {
		varying, err := attribute[bool](d.f, path, name)
		if err != nil {
			return err
		}
		if varying {
			return fmt.Errorf("%s: %s: expected a boundary that is the same for all samples and times", path, name)
		}
	}
	names, err := attribute[[]string](d.f, path, "associated_dims")
	if err != nil {
		return err
	}
	var over []int
	for _, name := range names {
		a := slices.Index(d.axes, name)
		if a < 0 {
			return fmt.Errorf("%s: associated_dims: expected some of %v, got %q", path, d.axes, name)
		}
		over = append(over, a)
	}
	return d.mask(path, bc, over)
}

// mask sets the boundary condition at the ends where the mask of a group is set.
func (d *boundaryDecoder) mask(path string, bc data.BC, over []int) error {
	ds, err := d.f.Dataset(path + "/mask")
	if err != nil {
		return err
	}
	want := make([]int, len(over))
	for i, a := range over {
		want[i] = d.grid[a]
	}
	if !slices.Equal(ds.Shape(), want) {
		return fmt.Errorf("%s/mask: expected shape %v, the lengths of its axes, got %v", path, want, ds.Shape())
	}
	mask, err := whole(d.q, ds, path+"/mask")
	if err != nil {
		return err
	}
	for i, a := range over {
		if isSet(mask, want, i, 0, bc) {
			if err := d.set(&d.out[a].Low, d.axes[a]+" low", bc, path); err != nil {
				return err
			}
		}
		if isSet(mask, want, i, want[i]-1, bc) {
			if err := d.set(&d.out[a].High, d.axes[a]+" high", bc, path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *boundaryDecoder) set(end *data.BC, name string, bc data.BC, path string) error {
	if *end != data.BCUnset && *end != bc {
		return fmt.Errorf("%s: the %s end is %s here and %s in %s", path, name, bc, *end, d.by[name])
	}
	*end, d.by[name] = bc, path
	return nil
}

// isSet reports whether a mask is set at index at of an axis: at all points with that index
// for a wall, at one of them for other types.
func isSet(mask []float32, shape []int, axis, at int, bc data.BC) bool {
	inner := 1
	for _, n := range shape[axis+1:] {
		inner *= n
	}
	all, any := true, false
	for i, v := range mask {
		if i/inner%shape[axis] == at {
			all, any = all && v != 0, any || v != 0
		}
	}
	if bc == data.Wall {
		return all && any
	}
	return any
}

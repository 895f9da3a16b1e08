package well

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

// storedField is a field of a file. Its array has the axes
//
//	[trajectory] [time] grid… [component [component]]
//
// The array has the axes trajectory, time and each axis of the grid only if the field
// varies along them. An axis of the grid without variation may also have length 1.
type storedField struct {
	field data.Field
	path  string
	ds    driver.Dataset
	// perSample and not field.Constant say that the array has the axes trajectory and time.
	perSample bool
	// stored holds the length of each axis of the grid in the array, 1 if the field does
	// not vary along it.
	stored []int
	// axes is the number of grid axes in the array.
	axes       int
	components int
}

// varying holds the attributes that say which axes the array of a field has.
type varying struct{ sample, time bool }

func readVarying(f driver.File, path string) (v varying, err error) {
	if v.sample, err = attribute[bool](f, path, "sample_varying"); err != nil {
		return v, err
	}
	v.time, err = attribute[bool](f, path, "time_varying")
	return v, err
}

// openField opens a field and compares its shape with the header of the file.
func (h *header) openField(f driver.File, name string, order int) (*storedField, error) {
	path := fmt.Sprintf("/t%d_fields/%s", order, name)
	ds, err := f.Dataset(path)
	if err != nil {
		return nil, err
	}
	v, err := readVarying(f, path)
	if err != nil {
		return nil, err
	}
	along, err := attribute[[]bool](f, path, "dim_varying")
	if err != nil {
		return nil, err
	}
	if len(along) != len(h.grid) {
		return nil, fmt.Errorf("%s: dim_varying: expected one entry for each of the axes %v, got %v", path, h.axes, along)
	}
	s := &storedField{field: data.Field{Name: name, Order: order, Constant: !v.time}, path: path, ds: ds, perSample: v.sample}
	s.components = s.field.ComponentCount(len(h.grid))
	if err := s.setShape(h, along); err != nil {
		return nil, err
	}
	return s, nil
}

// setShape checks the shape of the array. along says along which axes of the grid the field
// varies.
func (s *storedField) setShape(h *header, along []bool) error {
	var head, short, full []int // short leaves out axes without variation
	if s.perSample {
		head = append(head, h.trajectories)
	}
	if !s.field.Constant {
		head = append(head, h.steps)
	}
	for i, n := range h.grid {
		if along[i] {
			short, full = append(short, n), append(full, n)
		} else {
			full = append(full, 1)
		}
	}
	s.stored = full
	tail := slices.Repeat([]int{len(h.grid)}, s.field.Order)
	for _, grid := range [][]int{full, short} {
		if slices.Equal(s.ds.Shape(), slices.Concat(head, grid, tail)) {
			s.axes = len(grid)
			return nil
		}
	}
	return fmt.Errorf("%s: expected shape %v (%s), got %v", s.path, slices.Concat(head, short, tail), s.axisNames(h, along), s.ds.Shape())
}

// axisNames returns the names of the array's axes: "trajectory, time, x, y, component".
func (s *storedField) axisNames(h *header, along []bool) string {
	var names []string
	if s.perSample {
		names = append(names, "trajectory")
	}
	if !s.field.Constant {
		names = append(names, "time")
	}
	for i, a := range h.axes {
		if along[i] {
			names = append(names, a)
		}
	}
	names = append(names, slices.Repeat([]string{"component"}, s.field.Order)...)
	return fmt.Sprint(names)
}

// points returns the number of stored points per frame.
func (s *storedField) points() int {
	n := 1
	for _, x := range s.stored {
		n *= x
	}
	return n
}

// block returns the offset and count of frames [step, step+frames) of a trajectory.
func (s *storedField) block(trajectory, step, frames int) (offset, count []int) {
	shape := s.ds.Shape()
	offset, count = make([]int, len(shape)), slices.Clone(shape)
	at := 0
	if s.perSample {
		offset[at], count[at] = trajectory, 1
		at++
	}
	if !s.field.Constant {
		offset[at], count[at] = step, frames
	}
	return offset, count
}

// framesPerChunk returns the number of frames in a chunk, or 1 if the array is not chunked.
func (s *storedField) framesPerChunk() int {
	at := 0
	if s.perSample {
		at = 1
	}
	if chunk := s.ds.Chunk(); chunk != nil && !s.field.Constant {
		return chunk[at]
	}
	return 1
}

// unpack converts a stored frame raw (components last, without repeated points) to dst
// (components first, all points of the grid): [components · points].
func (s *storedField) unpack(dst, raw []float32, grid []int) {
	if s.plain(grid) {
		if s.components == 1 {
			copy(dst, raw)
			return
		}
		points := len(dst) / s.components
		for c := range s.components {
			to := dst[c*points : (c+1)*points]
			for i := range to {
				to[i] = raw[i*s.components+c]
			}
		}
		return
	}
	s.tile(dst, raw, grid)
}

// plain reports whether the field varies along every axis of the grid.
func (s *storedField) plain(grid []int) bool { return slices.Equal(s.stored, grid) }

// tile repeats a frame along the grid axes on which it does not vary. (The release repeats
// the flattened array, which is correct only if those axes come first.)
func (s *storedField) tile(dst, raw []float32, grid []int) {
	points := len(dst) / s.components
	at := make([]int, len(grid))
	for p := range points {
		from := 0
		for a, n := range s.stored {
			from = from*n + min(at[a], n-1)
		}
		for c := range s.components {
			dst[c*points+p] = raw[from*s.components+c]
		}
		for a := len(grid) - 1; a >= 0; a-- {
			if at[a]++; at[a] < grid[a] {
				break
			}
			at[a] = 0
		}
	}
}

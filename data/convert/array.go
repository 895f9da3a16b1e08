package convert

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/hdf5"
)

// array is a dataset of a source file. axes has one letter per axis: n trajectory, t time,
// c channel, x y z space; for example "ntcxy".
type array struct {
	path string
	ds   driver.Dataset
	axes string
}

// openArray opens a dataset and checks the number of its axes.
func openArray(f *hdf5.File, path, axes string) (*array, error) {
	ds, err := f.Dataset(path)
	if err != nil {
		return nil, err
	}
	a := &array{path, ds, axes}
	if len(ds.Shape()) != len(axes) {
		return nil, fmt.Errorf("%s: expected %d axes (%s), got shape %v", path, len(axes), a.names(), ds.Shape())
	}
	return a, nil
}

// names returns the names of the axes for error messages.
func (a *array) names() string {
	words := map[rune]string{'n': "trajectory", 't': "time", 'c': "channel", 'x': "x", 'y': "y", 'z': "z"}
	var out []string
	for _, r := range a.axes {
		out = append(out, words[r])
	}
	return strings.Join(out, ", ")
}

// size returns the length of an axis, or 1 if the array does not have it.
func (a *array) size(axis rune) int {
	if i := strings.IndexRune(a.axes, axis); i >= 0 {
		return a.ds.Shape()[i]
	}
	return 1
}

// same returns an error unless a and b have the same trajectories, times and grid.
func (a *array) same(b *array) error {
	for _, axis := range "ntxyz" {
		if strings.ContainsRune(a.axes, axis) && strings.ContainsRune(b.axes, axis) && a.size(axis) != b.size(axis) {
			return fmt.Errorf("%s: expected the %s axis of %s (%d), got shape %v", a.path, string(axis), b.path, b.size(axis), a.ds.Shape())
		}
	}
	return nil
}

// read fills dst with one channel of one frame, in row-major order over x, y, z.
func (a *array) read(dst []float32, trajectory, step, channel int) error {
	shape := a.ds.Shape()
	offset, count := make([]int, len(shape)), slices.Clone(shape)
	for i, axis := range a.axes {
		if at, ok := map[rune]int{'n': trajectory, 't': step, 'c': channel}[axis]; ok {
			offset[i], count[i] = at, 1
		}
	}
	space := strings.Map(func(r rune) rune {
		if strings.ContainsRune("xyz", r) {
			return r
		}
		return -1
	}, a.axes)
	if slices.IsSorted([]rune(space)) {
		return a.ds.Float32(dst, offset, count)
	}
	raw := make([]float32, len(dst))
	if err := a.ds.Float32(raw, offset, count); err != nil {
		return err
	}
	if space != "yx" {
		return fmt.Errorf("%s: expected the spatial axes in the order x, y, z or y, x, got %s", a.path, space)
	}
	transpose(dst, raw, a.size('x'), a.size('y'))
	return nil
}

// transpose copies [y, x] to [x, y].
func transpose(dst, src []float32, nx, ny int) {
	for x := range nx {
		for y := range ny {
			dst[x*ny+y] = src[y*nx+x]
		}
	}
}

// list reads a dataset with one axis.
func list(f *hdf5.File, path string) ([]float32, error) {
	a, err := openArray(f, path, "x")
	if err != nil {
		return nil, err
	}
	if a.size('x') > 1<<24 {
		return nil, fmt.Errorf("%s: expected a list of coordinates, got %d elements", path, a.size('x'))
	}
	out := make([]float32, a.size('x'))
	return out, a.ds.Float32(out, []int{0}, []int{len(out)})
}

// channel selects one channel of an array.
type channel struct {
	from  *array
	index int
}

// channels returns a function that fills a frame from the listed channels. It checks that
// their arrays have the same shape.
func channels(list []channel) (func(trajectory, step int, dst []float32) error, error) {
	for _, c := range list {
		if err := c.from.same(list[0].from); err != nil {
			return nil, err
		}
		if c.index >= c.from.size('c') {
			return nil, fmt.Errorf("%s: expected at least %d channels, got shape %v", c.from.path, c.index+1, c.from.ds.Shape())
		}
	}
	return func(trajectory, step int, dst []float32) error {
		points := len(dst) / len(list)
		for i, c := range list {
			if err := c.from.read(dst[i*points:(i+1)*points], trajectory, step, c.index); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// counted returns 0, 1, 2, …, in place of coordinates or times that a file lacks.
func counted(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i)
	}
	return out
}

// growing reports whether x is strictly increasing.
func growing(x []float32) bool {
	for i := 1; i < len(x); i++ {
		if !(x[i] > x[i-1]) {
			return false
		}
	}
	return true
}

// open opens an HDF5 file and calls describe. It closes the file if describe fails.
func open(path string, describe func(f *hdf5.File, s *source) error) (*source, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	s := &source{close: f.Close}
	if err := describe(f, s); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

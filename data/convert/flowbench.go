package convert

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/npy"
)

// flowSkip is the number of frames at the start of a FlowBench file that are not part of
// the simulation, according to the collection.
const flowSkip = 2

// flow reads a FlowBench simulation: data [t, y, x, 3] with u, v, p in Re_*.npz.
type flow struct {
	path   string
	nx, ny int
	steps  int
	f      *npy.File
	data   driver.Dataset
	raw    []float32
	mask   []float32 // 1 where solid, [x, y]
}

// openFlowBench opens a simulation and the geometry file in the same folder.
func openFlowBench(path string) (*source, error) {
	fl := &flow{path: path}
	reynolds, err := strconv.ParseFloat(strings.TrimPrefix(stem(path), "Re_"), 64)
	if err != nil {
		return nil, fmt.Errorf("expected a name such as Re_100.npz, which gives the Reynolds number")
	}
	if fl.f, err = npy.Open(path); err != nil {
		return nil, err
	}
	s := &source{close: fl.f.Close}
	if err := fl.open(); err != nil {
		return nil, errors.Join(err, fl.f.Close())
	}
	if err := fl.geometry(s); err != nil {
		return nil, errors.Join(err, fl.f.Close())
	}
	h := &s.header
	h.Fields = []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}, {Name: data.MaskName, Constant: true}}
	h.Trajectories, h.Boundaries = 1, every(2, data.Open)
	h.Coordinates, h.Times = [][]float32{counted(fl.nx), counted(fl.ny)}, counted(fl.steps)
	h.Parameters = []well.Parameter{{Name: "Reynolds", Value: reynolds}}
	s.frame = fl.frame
	s.constants = func(_ int, dst []float32) error { copy(dst, fl.mask); return nil }
	s.note("the first %d frames are left out, as the collection says; times and points are counted from 0", flowSkip)
	s.note("the signed distance of the geometry is left out; mask is 1 where nothing flows")
	return s, nil
}

// open opens the array and checks its shape.
func (f *flow) open() (err error) {
	if f.data, err = f.f.Dataset("data"); err != nil {
		return err
	}
	s := f.data.Shape()
	if len(s) != 4 || s[3] != 3 || s[0] <= flowSkip {
		return fmt.Errorf("array data: expected shape [time, y, x, 3] with more than %d frames, got %v", flowSkip, s)
	}
	f.steps, f.ny, f.nx = s[0]-flowSkip, s[1], s[2]
	f.raw = make([]float32, 3*f.nx*f.ny)
	return nil
}

// frame fills dst with the pressure and velocity of a step.
func (f *flow) frame(_, step int, dst []float32) error {
	if err := f.data.Float32(f.raw, []int{step + flowSkip, 0, 0, 0}, []int{1, f.ny, f.nx, 3}); err != nil {
		return fmt.Errorf("array data: frame %d: %w", step+flowSkip, err)
	}
	for c, from := range []int{2, 0, 1} {
		for x := range f.nx {
			for y := range f.ny {
				dst[(c*f.nx+x)*f.ny+y] = f.raw[(y*f.nx+x)*3+from]
			}
		}
	}
	return nil
}

// geometry reads the mask [y, x] from input_geometry.npz. The collection does not say which
// of the two values is solid, so orient decides by the flow: the solid is where the
// velocity is small.
func (f *flow) geometry(s *source) error {
	path := filepath.Join(filepath.Dir(f.path), "input_geometry.npz")
	geometry, err := npy.Open(path)
	if err != nil {
		return err
	}
	defer geometry.Close()
	mask, err := geometry.Dataset("mask")
	if err != nil {
		return err
	}
	if !slices.Equal(mask.Shape(), []int{f.ny, f.nx}) {
		return fmt.Errorf("%s: mask: expected shape [%d %d], got %v", path, f.ny, f.nx, mask.Shape())
	}
	raw := make([]float32, f.nx*f.ny)
	if err := mask.Float32(raw, []int{0, 0}, mask.Shape()); err != nil {
		return fmt.Errorf("%s: mask: %w", path, err)
	}
	f.mask = make([]float32, len(raw))
	transpose(f.mask, raw, f.nx, f.ny)
	if err := f.orient(s); err != nil {
		return fmt.Errorf("%s: mask: %w", path, err)
	}
	return nil
}

// orient inverts the mask if the last frame moves where the mask is 1.
func (f *flow) orient(s *source) error {
	n := len(f.mask)
	frame := make([]float32, 3*n)
	if err := f.frame(0, f.steps-1, frame); err != nil {
		return err
	}
	var speed, points [2]float64
	for p, m := range f.mask {
		if m != 0 && m != 1 {
			return fmt.Errorf("expected 0 and 1, got %v", m)
		}
		speed[int(m)] += math.Hypot(float64(frame[n+p]), float64(frame[2*n+p]))
		points[int(m)]++
	}
	for v := range speed {
		speed[v] /= max(points[v], 1)
	}
	switch {
	case speed[0] > 20*speed[1]:
	case speed[1] > 20*speed[0]:
		for p, m := range f.mask {
			f.mask[p] = 1 - m
		}
		s.note("mask: turned round, as the fluid was 1")
	default:
		return fmt.Errorf("expected a mask with one value where the fluid is at rest, got mean speeds %.3g (0) and %.3g (1)", speed[0], speed[1])
	}
	return nil
}

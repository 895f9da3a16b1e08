package mapping

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

// plan reads the channels that come from one array: one block per frame covers all of them.
type plan struct {
	key      string // of the first component, for lines
	source   Source
	axes     []string
	constant bool
	parts    []part
	// low and high hold the range of the indices of the parts on each axis that has one.
	low, high map[string]int
}

// part is one channel.
type part struct {
	at      map[string]int
	channel int // among the variable or the constant channels
	of      Field
}

// convert applies scale and offset.
func (f Field) convert(values []float32) {
	if f.Scale == 0 {
		f.Scale = 1
	}
	if f.Scale == 1 && f.Offset == 0 {
		return
	}
	for i, v := range values {
		values[i] = float32(float64(v)*f.Scale + f.Offset)
	}
}

// plan adds a component of a field to the plan of its array.
func (s *schema) plan(f data.Field, of Field, key string, src Source) {
	kind := 0
	if f.Constant {
		kind = 1
	}
	channel := part{src.At, s.channels[kind], of}
	s.channels[kind]++
	axes := s.axesOf(src)
	for _, p := range s.plans {
		if p.source.Array == src.Array && p.source.File == src.File && p.constant == f.Constant && slices.Equal(p.axes, axes) && slices.Equal(keysOf(p.low), keysOf(src.At)) {
			p.parts = append(p.parts, channel)
			for axis, i := range src.At {
				p.low[axis], p.high[axis] = min(p.low[axis], i), max(p.high[axis], i)
			}
			return
		}
	}
	s.plans = append(s.plans, &plan{
		key: key, source: src, axes: axes, constant: f.Constant, parts: []part{channel},
		low: cloned(src.At), high: cloned(src.At),
	})
}

func cloned(m map[string]int) map[string]int {
	out := map[string]int{}
	maps.Copy(out, m)
	return out
}

// checkShape checks the shape of an array of a file: its rank, the indices and the axes of
// length 1.
func (s *schema) checkShape(key, file string, src Source, shape []int) error {
	axes := s.axesOf(src)
	if len(axes) != len(shape) {
		return s.fault(key, `expected %d axes (%v), got shape %v: give the array axes of its own, such as {array: %s, axes: "…"}`, len(axes), axes, shape, src.Array).of(file, src)
	}
	for i, axis := range axes {
		e := s.fault(key, "").of(file, src)
		e.Axis = axis
		at, fixed := src.At[axis]
		switch {
		case fixed && at >= shape[i]:
			e.Err = fmt.Errorf("expected an index below %d, got %d (shape %v)", shape[i], at, shape)
		case axis == "_" && shape[i] != 1:
			e.Err = fmt.Errorf(`expected the length 1 of an axis called "_", got %d (shape %v): name the axis`, shape[i], shape)
		case shape[i] == 0:
			e.Err = fmt.Errorf("expected at least one element, got none (shape %v)", shape)
		default:
			continue
		}
		return e
	}
	return nil
}

// box returns the block of an array that holds count steps from step on of a trajectory.
func (p *plan) box(shape []int, trajectory, step, count int) (offset, n []int) {
	offset, n = make([]int, len(shape)), slices.Clone(shape)
	for i, axis := range p.axes {
		if low, ok := p.low[axis]; ok {
			offset[i], n[i] = low, p.high[axis]-low+1
			continue
		}
		switch axis {
		case trajectoryName:
			offset[i], n[i] = trajectory, 1
		case timeName:
			offset[i], n[i] = step, count
		}
	}
	return offset, n
}

// stride returns the distance of neighbours along an axis in a block of the lengths n, 0 if
// the array does not have the axis or has an index on it.
func (p *plan) stride(axis string, n []int) int {
	i := slices.Index(p.axes, axis)
	if _, fixed := p.low[axis]; i < 0 || fixed {
		return 0
	}
	return product(n[i+1:])
}

func product(n []int) int {
	out := 1
	for _, x := range n {
		out *= x
	}
	return out
}

// read reads steps of a trajectory from an array. dst holds the channels of each step,
// [C·points]; grid the lengths and axes the names of the axes of the grid.
func (p *plan) read(d driver.Dataset, dst [][]float32, trajectory, step int, axes []string, grid []int, buffer *[]float32) error {
	offset, n := p.box(d.Shape(), trajectory, step, len(dst))
	block := sized(buffer, product(n))
	if err := d.Float32(block, offset, n); err != nil {
		return err
	}
	var strides, lengths [3]int
	for i := range lengths {
		lengths[i] = 1
		if k := i - (3 - len(grid)); k >= 0 {
			lengths[i], strides[i] = grid[k], p.stride(axes[k], n)
		}
	}
	perStep, points := p.stride(timeName, n), product(grid)
	for _, c := range p.parts {
		start := 0
		for axis, i := range c.at {
			start += (i - p.low[axis]) * product(n[slices.Index(p.axes, axis)+1:])
		}
		for k, frame := range dst {
			gather(frame[c.channel*points:(c.channel+1)*points], block[start+k*perStep:], lengths, strides)
		}
	}
	return nil
}

// gather copies a strided block of three axes to a row-major one.
func gather(dst, src []float32, lengths, strides [3]int) {
	to := 0
	for i := range lengths[0] {
		for j := range lengths[1] {
			from := i*strides[0] + j*strides[1]
			row := dst[to : to+lengths[2]]
			if strides[2] == 1 {
				copy(row, src[from:])
			} else {
				for k := range row {
					row[k] = src[from+k*strides[2]]
				}
			}
			to += lengths[2]
		}
	}
}

// sized returns a buffer of n elements.
func sized(buffer *[]float32, n int) []float32 {
	if cap(*buffer) < n {
		*buffer = make([]float32, n)
	}
	return (*buffer)[:n]
}

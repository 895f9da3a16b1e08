package dataset

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// Trajectory is one run of the solver.
type Trajectory struct {
	// Name is the split and the number, "test.0".
	Name string
	// Source is the file and the row of the run.
	Source string
	// Fields lists pressure, velocity, and the constant density and
	// speed_of_sound, in the order of the channels.
	Fields []data.Field
	// Boundaries are, per axis, a wall at the low and open at the high end.
	Boundaries data.Boundaries
	// Shape is the grid, [H, W]; x runs along H, y along W.
	Shape []int
	// X and Y are the coordinates of the cell centres, lengths H and W.
	X, Y []float32
	// Times holds one time per frame.
	Times []float32
	// Frames holds per time the varying channels, [channel][H*W] row major:
	// pressure, velocity_x, velocity_y.
	Frames [][]float32
	// Constants holds the constant channels, [channel][H*W] row major:
	// density, speed_of_sound.
	Constants []float32
}

func fields() []data.Field {
	return []data.Field{
		{Name: "pressure"},
		{Name: "velocity", Order: 1},
		{Name: "density", Constant: true},
		{Name: "speed_of_sound", Constant: true},
	}
}

// Window returns the frames [from, to) as a window of the library. It shares the
// arrays.
func (t Trajectory) Window(from, to int) *data.Window {
	return &data.Window{
		Name: fmt.Sprintf("%s frames %d to %d", t.Name, from, to-1), Fields: t.Fields, Grid: t.Shape,
		Boundaries: t.Boundaries, Frames: t.Frames[from:to], Constants: t.Constants, Times: t.Times[from:to],
	}
}

// Points returns H*W.
func (t Trajectory) Points() int { return t.Shape[0] * t.Shape[1] }

// ChannelNames returns the names of the varying channels, or of the constant
// ones.
func (t Trajectory) ChannelNames(constant bool) []string {
	var names []string
	for _, f := range t.Fields {
		if f.Constant == constant {
			names = append(names, f.Components(len(t.Shape))...)
		}
	}
	return names
}

// Channel returns one varying channel of one frame, [H*W] row major. It is a slice of
// Frames, not a copy.
func (t Trajectory) Channel(frame, channel int) []float32 {
	n := t.Points()
	return t.Frames[frame][channel*n : (channel+1)*n : (channel+1)*n]
}

func readTrajectory(f *safetensors.File, id string) (Trajectory, error) {
	t := Trajectory{Name: id, Source: f.Metadata()[id+".source"], Fields: fields()}
	var err error
	if t.Boundaries, err = readBoundaries(f); err != nil {
		return t, err
	}
	for _, axis := range []struct {
		name string
		dst  *[]float32
	}{{"x", &t.X}, {"y", &t.Y}, {"time", &t.Times}} {
		if *axis.dst, _, err = f.Float32(axis.name); err != nil {
			return t, err
		}
	}
	t.Shape = []int{len(t.X), len(t.Y)}
	want := []int{len(t.ChannelNames(true)), t.Shape[0], t.Shape[1]}
	if t.Constants, err = read(f, id+".constants", want); err != nil {
		return t, err
	}
	t.Frames, err = readFrames(f, id, []int{len(t.Times), len(t.ChannelNames(false)), t.Shape[0], t.Shape[1]})
	return t, err
}

// readFrames joins the low and the high byte of each count and multiplies by
// the channel's scale. The product is exact: scales are powers of two.
func readFrames(f *safetensors.File, id string, shape []int) ([][]float32, error) {
	scale, err := read(f, id+".scale", shape[1:2])
	if err != nil {
		return nil, err
	}
	var planes [2][]uint8
	for i, name := range []string{id + ".low", id + ".high"} {
		var got []int
		if planes[i], got, err = f.Uint8s(name); err != nil {
			return nil, err
		}
		if !slices.Equal(got, shape) {
			return nil, fmt.Errorf("%s: tensor %q: expected shape %v, got %v", fileName, name, shape, got)
		}
	}
	low, high := planes[0], planes[1]
	points := shape[2] * shape[3]
	size := shape[1] * points
	frames := make([][]float32, shape[0])
	for t := range frames {
		frames[t] = make([]float32, size)
		for i := range frames[t] {
			count := int16(uint16(low[t*size+i]) | uint16(high[t*size+i])<<8)
			frames[t][i] = float32(count) * scale[i/points]
		}
	}
	return frames, nil
}

// read reads a float32 tensor and checks its shape.
func read(f *safetensors.File, name string, shape []int) ([]float32, error) {
	v, got, err := f.Float32(name)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(got, shape) {
		return nil, fmt.Errorf("%s: tensor %q: expected shape %v, got %v", fileName, name, shape, got)
	}
	return v, nil
}

package sample

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// fields lists pressure, velocity, and the constant density and speed_of_sound, in the order
// of the channels.
func fields() []data.Field {
	return []data.Field{
		{Name: "pressure"},
		{Name: "velocity", Order: 1},
		{Name: "density", Constant: true},
		{Name: "speed_of_sound", Constant: true},
	}
}

// readTrajectory reads one run of the solver.
func readTrajectory(f *safetensors.File, id string) (*data.Window, error) {
	w := &data.Window{Name: id, Fields: fields(), Coordinates: make([][]float32, 2)}
	w.Origin = data.Origin{Dataset: Name, Stride: 1}
	source := f.Metadata()[id+".source"]
	if _, err := fmt.Sscanf(source, "%s trajectory %d", &w.Origin.File, &w.Origin.Trajectory); err != nil {
		return nil, fmt.Errorf("%s: metadata %s.source: expected a file and a trajectory, got %q", fileName, id, source)
	}
	var err error
	if w.Boundaries, err = readBoundaries(f); err != nil {
		return nil, err
	}
	for _, axis := range []struct {
		name string
		dst  *[]float32
	}{{"x", &w.Coordinates[0]}, {"y", &w.Coordinates[1]}, {"time", &w.Times}} {
		if *axis.dst, _, err = f.Float32(axis.name); err != nil {
			return nil, err
		}
	}
	w.Grid = []int{len(w.Coordinates[0]), len(w.Coordinates[1])}
	want := []int{len(w.Channels(true)), w.Grid[0], w.Grid[1]}
	if w.Constants, err = read(f, id+".constants", want); err != nil {
		return nil, err
	}
	w.Frames, err = readFrames(f, id, []int{len(w.Times), len(w.Channels(false)), w.Grid[0], w.Grid[1]})
	return w, err
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

package augment

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/golden"
)

// channelsFirst converts one frame from the release's layout, components last, to this
// library's.
func channelsFirst(values []float32, channels int) []float32 {
	points := len(values) / channels
	out := make([]float32, len(values))
	for p := range points {
		for c := range channels {
			out[c*points+p] = values[p*channels+c]
		}
	}
	return out
}

// codes decodes boundary codes [axes, 2].
func codes(t *testing.T, values []float32) data.Boundaries {
	var out data.Boundaries
	for i := 0; i < len(values); i += 2 {
		low, err := data.BCFromCode(int(values[i]))
		require.NoError(t, err)
		high, err := data.BCFromCode(int(values[i+1]))
		require.NoError(t, err)
		out = append(out, data.Boundary{Low: low, High: high})
	}
	return out
}

// TestGoldenRotations compares all 24 rotations of scalar, vector, tensor, constant field
// and boundaries with the release's.
func TestGoldenRotations(t *testing.T) {
	golden.Every(t, "o_rotations", func(t *testing.T, c golden.Case) {
		var header struct {
			Rotations []struct {
				Index                   int
				Permutation, Reflection [3]int
			}
		}
		c.Decode(t, &header)
		f := c.Open(t)
		rotations := Rotations()
		require.Len(t, header.Rotations, len(rotations))
		window := func(prefix string) *data.Window {
			s, shape := f.Float32(t, prefix+".s")
			v, _ := f.Float32(t, prefix+".v")
			d, _ := f.Float32(t, prefix+".D")
			constant, _ := f.Float32(t, prefix+".c")
			bc, _ := f.Float32(t, prefix+".bc")
			w := &data.Window{
				Fields: []data.Field{{Name: "s"}, {Name: "v", Order: 1}, {Name: "D", Order: 2}, {Name: "c", Constant: true}},
				Grid:   shape[1:4], Boundaries: codes(t, bc), Constants: constant,
			}
			n := w.Points()
			for i := range shape[0] {
				frame := append([]float32{}, s[i*n:(i+1)*n]...)
				frame = append(frame, channelsFirst(v[3*i*n:3*(i+1)*n], 3)...)
				w.Frames = append(w.Frames, append(frame, channelsFirst(d[9*i*n:9*(i+1)*n], 9)...))
			}
			return w
		}
		var still *data.Window
		for i, rotation := range rotations {
			if rotation == Identity() {
				still = window(fmt.Sprint(i))
			}
		}
		require.NotNil(t, still)
		for i, rotation := range rotations {
			want := header.Rotations[i]
			assert.Equal(t, want.Permutation, rotation.Axes)
			for a, flip := range rotation.Flip {
				assert.Equal(t, want.Reflection[a] == 1, flip)
			}
			got, err := rotation.Apply(still)
			require.NoError(t, err)
			assert.Equal(t, window(fmt.Sprint(i)), got, "rotation %d: %s", i, rotation)
		}
	})
}

type pipelineItem struct {
	Key      string
	Dataset  string
	Rotation *int           `json:"rotation_index"`
	Stride   int            `json:"dt_stride"`
	Input    int            `json:"n_steps_input"`
	Output   int            `json:"n_steps_output"`
	Samples  []int          `json:"sample_indices"`
	Len      int            `json:"dataset_len"`
	Registry map[string]int `json:"field_index_map"`
}

// TestGoldenPipeline performs the release's steps from files to batches: windows with a
// stride, density as its logarithm, embedding in 3D, a rotation.
func TestGoldenPipeline(t *testing.T) {
	golden.Every(t, "o_data_pipeline", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		for _, raw := range c.Items {
			var item pipelineItem
			require.NoError(t, json.Unmarshal(raw, &item))
			t.Run(item.Key, func(t *testing.T) { comparePipeline(t, f, item) })
		}
	})
}

func openGolden(t *testing.T, name string, transforms ...data.Transform) *well.Dataset {
	// The golden set has the files a.hdf5 in well/<name>/data/train.
	path := golden.Path(t, filepath.Join("well", name, "data", "train", "a.hdf5"))
	ds, err := well.Open(path, well.Options{Transforms: transforms})
	require.NoError(t, err)
	t.Cleanup(func() { ds.Close() })
	return ds
}

func comparePipeline(t *testing.T, f *golden.File, item pipelineItem) {
	var transforms []data.Transform
	if _, log := item.Registry["log10_density"]; log {
		transforms = append(transforms, data.Transform{Field: "density", Kind: data.Log10})
	}
	ds := openGolden(t, item.Dataset, transforms...)
	windows, err := data.NewWindows(ds, data.Cut{Input: item.Input, Output: item.Output, MinStride: item.Stride})
	require.NoError(t, err)
	require.Equal(t, item.Len, windows.Len())
	registry, err := data.NewRegistry(item.Registry)
	require.NoError(t, err)
	for b, index := range item.Samples {
		w, err := ds.Read(context.Background(), windows.Span(index, item.Stride), nil)
		require.NoError(t, err)
		w = transformLike(t, w, item)
		require.NoError(t, w.Validate())
		compareBatch(t, f, item, b, w, registry)
	}
}

// transformLike embeds and rotates a window as the item says. The golden set also rotates
// the sphere, by a quarter rotation in its two axes. Neither the release nor Apply rotates
// curvilinear data (docs/reference.md §11), so the rearrangement of arrays is tested on a
// window that is marked as Cartesian.
func transformLike(t *testing.T, w *data.Window, item pipelineItem) *data.Window {
	var err error
	if !w.Curvilinear {
		w, err = Embed(w)
		require.NoError(t, err)
		if item.Rotation != nil {
			w, err = Rotations()[*item.Rotation].Apply(w)
			require.NoError(t, err)
		}
		return w
	}
	if item.Rotation == nil {
		return w
	}
	quarter := Rotation{[3]int{1, 0, 2}, [3]bool{false, true, false}}
	_, err = quarter.Apply(w)
	require.ErrorContains(t, err, "expected Cartesian coordinates, got the axes [theta phi]")
	axes := w.Axes
	w.Curvilinear, w.Axes = false, nil
	w, err = quarter.Apply(w)
	require.NoError(t, err)
	w.Curvilinear, w.Axes = true, axes
	return w
}

func compareBatch(t *testing.T, f *golden.File, item pipelineItem, b int, w *data.Window, registry data.Registry) {
	sample := func(name string) []float32 {
		values, shape := f.Float32(t, item.Key+"."+name)
		n := len(values) / shape[0]
		return values[b*n : (b+1)*n]
	}
	v := w.Volume()
	channels := len(v.Variable)
	want := append(sample("input_fields"), sample("output_fields")...)
	n := channels * w.Points()
	require.Len(t, want, n*len(w.Frames))
	for i, frame := range w.Frames {
		golden.Compare(t, fmt.Sprintf("sample %d frame %d", b, i), frame, channelsFirst(want[i*n:(i+1)*n], channels), 1e-7)
	}
	if len(w.Constants) > 0 {
		assert.Equal(t, channelsFirst(sample("constant_fields"), len(v.Constant)), w.Constants)
	}
	assert.Equal(t, codes(t, sample("boundary_conditions")), w.Boundaries)
	times := append(sample("input_time_grid"), sample("output_time_grid")...)
	for i, x := range w.Times {
		assert.Equal(t, times[i], x-w.Times[0])
	}
	assert.Equal(t, sample("constant_scalars"), w.Scalars[0].Values)
	ids, err := v.IDs(registry)
	require.NoError(t, err)
	wantIDs, _ := f.Int32(t, item.Key+".field_indices")
	assert.Equal(t, wantIDs, ids)
	real, _ := f.Uint8(t, item.Key+".padded_field_mask")
	for i, r := range v.Real {
		assert.Equal(t, real[i] != 0, r, v.Variable[i])
	}
}

// TestGoldenFullTrajectory: whole trajectories, forecast from the first possible frame or
// from a given one.
func TestGoldenFullTrajectory(t *testing.T) {
	golden.Every(t, "o_full_trajectory", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		ds := openGolden(t, "demo2d")
		for i := range c.Items {
			var item struct {
				Start, Len int
				Output     int `json:"n_out"`
			}
			c.Item(t, i, &item)
			spans, err := data.FullTrajectories(ds, data.Horizon{Input: 6, Start: item.Start})
			require.NoError(t, err)
			require.Len(t, spans, item.Len)
			w, err := ds.Read(context.Background(), spans[0], nil)
			require.NoError(t, err)
			w, err = Embed(w)
			require.NoError(t, err)
			require.Len(t, w.Frames, 6+item.Output)
			key := fmt.Sprintf("start%d.", item.Start)
			in, _ := f.Float32(t, key+"input_fields")
			out, _ := f.Float32(t, key+"output_fields")
			want := append(in, out...)
			n := 13 * w.Points()
			for k, frame := range w.Frames {
				golden.Compare(t, fmt.Sprintf("%sframe %d", key, k), frame, channelsFirst(want[k*n:(k+1)*n], 13), 1e-7)
			}
		}
	})
}

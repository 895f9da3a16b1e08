package well_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// expectedTensor describes a tensor of The Well's loader: checksum of the little-endian
// bytes, shape and sum.
type expectedTensor struct {
	CRC32 uint32
	Shape []int
	Sum   float64
}

type expectedSplit struct {
	Files        []string
	Trajectories []int `json:"trajectories_per_file"`
	Steps        []int `json:"steps_per_file"`
	Len          int
	Windows      []map[string]expectedTensor
}

type expectedSet struct {
	Path     string
	Splits   map[string]expectedSplit
	Metadata struct {
		Name            string              `json:"dataset_name"`
		Dims            int                 `json:"n_spatial_dims"`
		Resolution      []int               `json:"spatial_resolution"`
		GridType        string              `json:"grid_type"`
		Fields          map[string][]string `json:"field_names"`
		ConstantFields  map[string][]string `json:"constant_field_names"`
		Scalars         []string            `json:"scalar_names"`
		ConstantScalars []string            `json:"constant_scalar_names"`
	}
}

// TestExpected compares every tensor of every window of every data set with the output of
// The Well's loader.
func TestExpected(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(dataDir(t), "expected", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		var set expectedSet
		require.NoError(t, json.Unmarshal(raw, &set))
		name := filepath.Base(set.Path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for tag, want := range set.Splits {
				t.Run(tag, func(t *testing.T) { compareSplit(t, filepath.Join(dataDir(t), name), tag, set, want) })
			}
		})
	}
}

func compareSplit(t *testing.T, path, tag string, set expectedSet, want expectedSplit) {
	split, mode, _ := strings.Cut(tag, "/")
	o := well.Options{Split: split}
	switch {
	case strings.HasSuffix(mode, "_zscore"):
		o.Normalization = well.ZScore
	case strings.HasSuffix(mode, "_rms"):
		o.Normalization = well.RMS
	}
	ds, err := well.Open(path, o)
	require.NoError(t, err)
	defer ds.Close()
	compareMetadata(t, ds, set, want)
	spans, input := spansOf(t, ds, mode)
	require.Len(t, spans, want.Len)
	require.Len(t, want.Windows, want.Len)
	w := new(data.Window)
	for i, span := range spans {
		w, err = ds.Read(context.Background(), span, w)
		require.NoError(t, err)
		require.NoError(t, w.Validate())
		got := wellTensors(w, input)
		assert.Len(t, got, len(want.Windows[i]))
		for key, tensor := range want.Windows[i] {
			compareTensor(t, fmt.Sprintf("window %d %s", i, key), tensor, got[key], o.Normalization != well.NoNormalization)
		}
	}
}

// spansOf returns the windows of a mode such as in3_out2_stride2 or in6_full, and the
// number of frames of history.
func spansOf(t *testing.T, ds data.Dataset, mode string) (spans []data.Span, input int) {
	if mode == "in6_full" {
		spans, err := data.FullTrajectories(ds, data.Horizon{Input: 6})
		require.NoError(t, err)
		return spans, 6
	}
	cut := data.Cut{Input: 6, Output: 1}
	if mode == "in3_out2_stride2" {
		cut = data.Cut{Input: 3, Output: 2, MinStride: 2}
	} else {
		require.True(t, strings.HasPrefix(mode, "in6_out1"), mode)
	}
	windows, err := data.NewWindows(ds, cut)
	require.NoError(t, err)
	for i := range windows.Len() {
		spans = append(spans, windows.Span(i, windows.Cut().MinStride))
	}
	return spans, cut.Input
}

func compareMetadata(t *testing.T, ds *well.Dataset, set expectedSet, want expectedSplit) {
	m := ds.Metadata()
	assert.Equal(t, set.Metadata.Name, m.Name)
	assert.Equal(t, set.Metadata.GridType, m.GridType)
	assert.Equal(t, set.Metadata.Resolution, m.Grid)
	assert.Len(t, m.Axes, set.Metadata.Dims)
	assert.ElementsMatch(t, set.Metadata.Scalars, m.Scalars)
	assert.ElementsMatch(t, set.Metadata.ConstantScalars, m.ConstantScalars)
	names := map[bool]map[string][]string{false: {"0": {}, "1": {}, "2": {}}, true: {"0": {}, "1": {}, "2": {}}}
	for _, f := range m.Fields {
		order := fmt.Sprint(f.Order)
		names[f.Constant][order] = append(names[f.Constant][order], f.ComponentsOf(m.Axes)...)
	}
	assert.Equal(t, set.Metadata.Fields, names[false])
	assert.Equal(t, set.Metadata.ConstantFields, names[true])
	for i, f := range ds.Files() {
		assert.Equal(t, want.Files[i], filepath.Base(f.Path))
		assert.Equal(t, want.Trajectories[i], f.Trajectories)
		assert.Equal(t, want.Steps[i], f.Steps)
	}
}

// compareTensor compares checksum and shape. Rescaled values may differ in the last bit, so
// it compares their sums instead.
func compareTensor(t *testing.T, what string, want expectedTensor, got []float32, rescaled bool) {
	n := 1
	for _, d := range want.Shape {
		n *= d
	}
	require.Len(t, got, n, what)
	if !rescaled {
		b := make([]byte, 0, 4*len(got))
		for _, v := range got {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		require.Equal(t, want.CRC32, crc32.ChecksumIEEE(b), what)
		return
	}
	sum, size := 0.0, 0.0
	for _, v := range got {
		sum += float64(v)
		size += math.Abs(float64(v))
	}
	require.InDelta(t, want.Sum, sum, 1e-7*size, what)
}

// wellTensors lays out a window as The Well's loader does: components last, history and
// forecast separate, times relative to the first.
func wellTensors(w *data.Window, input int) map[string][]float32 {
	out := map[string][]float32{}
	for i, frame := range w.Frames {
		key := "input_fields"
		if i >= input {
			key = "output_fields"
		}
		out[key] = append(out[key], componentsLast(frame, w.Points())...)
	}
	if len(w.Constants) > 0 {
		out["constant_fields"] = componentsLast(w.Constants, w.Points())
	}
	for i, t := range w.Times {
		key := "input_time_grid"
		if i >= input {
			key = "output_time_grid"
		}
		out[key] = append(out[key], t-w.Times[0])
	}
	for i := range w.Frames {
		for _, s := range w.Scalars {
			switch {
			case s.Constant && i == 0:
				out["constant_scalars"] = append(out["constant_scalars"], s.Values[0])
			case !s.Constant && i < input:
				out["input_scalars"] = append(out["input_scalars"], s.Values[i])
			case !s.Constant:
				out["output_scalars"] = append(out["output_scalars"], s.Values[i])
			}
		}
	}
	for _, b := range w.Boundaries {
		out["boundary_conditions"] = append(out["boundary_conditions"], float32(b.Low.Code()), float32(b.High.Code()))
	}
	at := make([]int, len(w.Grid))
	for range w.Points() {
		for a, i := range at {
			out["space_grid"] = append(out["space_grid"], w.Coordinates[a][i])
		}
		for a := len(at) - 1; a >= 0; a-- {
			if at[a]++; at[a] < w.Grid[a] {
				break
			}
			at[a] = 0
		}
	}
	return out
}

func componentsLast(values []float32, points int) []float32 {
	channels := len(values) / points
	out := make([]float32, len(values))
	for c := range channels {
		for p := range points {
			out[p*channels+c] = values[c*points+p]
		}
	}
	return out
}

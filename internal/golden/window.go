package golden

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/data"
)

// Batch is a batch of a golden case, tensors named "batch.…" in the layout [B, T, H, W,
// D, C], as one window per sample. Output frames follow input frames; Inputs is the
// number of input frames.
type Batch struct {
	Windows []*data.Window
	Inputs  int
	// Real reports for each variable channel whether it is a component, not padding.
	Real []bool
}

// Batch reads the batch of a case. The registry is the set's field map.
func (f *File) Batch(tb testing.TB, registry map[string]int) Batch {
	tb.Helper()
	input, shape := f.Float32(tb, "batch.input_fields")
	output, outShape := f.Float32(tb, "batch.output_fields")
	ids, _ := f.Int32(tb, "batch.field_indices")
	real, _ := f.Uint8(tb, "batch.padded_field_mask")
	codes, _ := f.Float32(tb, "batch.boundary_conditions")
	size, channels := shape[0], shape[5]
	grid := shape[2:5]
	names := names(tb, registry, ids)
	fields := append(vectors(names[:channels], false), vectors(names[channels:], true)...)
	var bcs [][2]int
	for a := range 3 {
		bcs = append(bcs, [2]int{int(codes[2*a]), int(codes[2*a+1])})
	}
	out := Batch{Inputs: shape[1]}
	for _, r := range real {
		out.Real = append(out.Real, r != 0)
	}
	for b := range size {
		w := &data.Window{Name: fmt.Sprintf("golden sample %d", b), Fields: fields, Grid: grid,
			Boundaries: Boundaries(tb, bcs, 3), Embedded: true}
		w.Frames = append(frames(input, shape, b), frames(output, outShape, b)...)
		if f.Has("batch.constant_fields") {
			v, s := f.Float32(tb, "batch.constant_fields")
			w.Constants = frames(v, append([]int{s[0], 1}, s[1:]...), b)[0]
		}
		out.Windows = append(out.Windows, w)
	}
	return out
}

// frames converts sample b of [B, T, H, W, D, C] to T arrays [C, H, W, D].
func frames(v []float32, shape []int, b int) [][]float32 {
	steps, channels := shape[1], shape[5]
	points := shape[2] * shape[3] * shape[4]
	out := make([][]float32, steps)
	for t := range out {
		out[t] = make([]float32, channels*points)
		from := v[(b*steps+t)*points*channels:]
		for p := range points {
			for c := range channels {
				out[t][c*points+p] = from[p*channels+c]
			}
		}
	}
	return out
}

// ChannelsLast converts one frame back: [C, H, W, D] to [H, W, D, C].
func ChannelsLast(frame []float32, channels int) []float32 {
	points := len(frame) / channels
	out := make([]float32, len(frame))
	for c := range channels {
		for p := range points {
			out[p*channels+c] = frame[c*points+p]
		}
	}
	return out
}

func names(tb testing.TB, registry map[string]int, ids []int32) []string {
	tb.Helper()
	byIndex := map[int]string{}
	for name, i := range registry {
		byIndex[i] = name
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		name, ok := byIndex[int(id)]
		if !ok {
			tb.Fatalf("golden: the field map has no index %d", id)
		}
		out[i] = name
	}
	return out
}

// vectors groups name_x, name_y, name_z into one field of order 1.
func vectors(names []string, constant bool) []data.Field {
	var out []data.Field
	for i := 0; i < len(names); i++ {
		base, isX := strings.CutSuffix(names[i], "_x")
		if isX && i+2 < len(names) && names[i+1] == base+"_y" && names[i+2] == base+"_z" {
			out = append(out, data.Field{Name: base, Order: 1, Constant: constant})
			i += 2
			continue
		}
		out = append(out, data.Field{Name: names[i], Constant: constant})
	}
	return out
}

package data_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// benchWindow returns frames of 256×256 points of a scalar and a vector.
func benchWindow(frames int) *data.Window {
	periodic := data.Both(data.Periodic)
	w := &data.Window{Name: "bench", Grid: []int{256, 256}, Boundaries: data.Boundaries{periodic, periodic},
		Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	for t := range frames {
		frame := make([]float32, 3*256*256)
		for i := range frame {
			frame[i] = float32((i*7+t)%101) / 101
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// BenchmarkLoader measures windows of 6+1 frames that pass the loader from memory.
func BenchmarkLoader(b *testing.B) {
	ds, err := data.NewMemory("bench", []*data.Window{benchWindow(16)})
	require.NoError(b, err)
	n := 0
	l := data.NewLoader(context.Background(), func() (data.Request, bool) {
		n++
		return data.Request{Dataset: ds, Span: data.Span{Start: n % 9, Stride: 1, Frames: 7}}, true
	}, data.LoaderOptions{})
	defer l.Close()
	b.SetBytes(7 * 3 * 256 * 256 * 4)
	for b.Loop() {
		w, _, err := l.Next()
		if err != nil {
			b.Fatal(err)
		}
		l.Release(w)
	}
}

// BenchmarkVolume measures the conversion of a frame to the channels of the network and back.
func BenchmarkVolume(b *testing.B) {
	w := benchWindow(1)
	v := w.Volume()
	spread := make([]float32, len(v.Variable)*v.Points())
	b.SetBytes(int64(4 * len(w.Frames[0])))
	for b.Loop() {
		if err := v.Spread(spread, w.Frames[0], v.Source); err != nil {
			b.Fatal(err)
		}
		if _, err := v.Gather(spread); err != nil {
			b.Fatal(err)
		}
	}
}

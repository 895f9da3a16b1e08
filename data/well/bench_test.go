package well_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// BenchmarkRead measures windows of 6+1 frames from files, and opening a data set.
func BenchmarkRead(b *testing.B) {
	path := filepath.Join("..", "..", "testdata", "data", "shear_flow")
	open := func() *well.Dataset {
		ds, err := well.Open(path, well.Options{Split: "train"})
		require.NoError(b, err)
		return ds
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			open().Close()
		}
	})
	b.Run("window", func(b *testing.B) {
		ds := open()
		defer ds.Close()
		w, at := &data.Window{}, 0
		for b.Loop() {
			span := data.Span{Trajectory: at % len(ds.Trajectories()), Start: at % 8, Stride: 1, Frames: 7}
			at++
			var err error
			if w, err = ds.Read(context.Background(), span, w); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(4 * 7 * len(w.Frames[0])))
	})
}

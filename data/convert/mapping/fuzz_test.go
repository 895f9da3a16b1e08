package mapping_test

import (
	"context"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/convert/mapping"
	"github.com/gowalrus/gowalrus/internal/ndarray/ndtest"
)

// FuzzParse reads a window by damaged mappings. Errors are allowed, panics are not.
func FuzzParse(f *testing.F) {
	for _, text := range layouts {
		f.Add(common + text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := mapping.Parse([]byte(text), ndtest.Dir())
		if err != nil || strings.Contains(m.Files, "..") || strings.HasPrefix(m.Files, "/") {
			return
		}
		ds, err := m.Open(mapping.Options{MemoryBytes: 1 << 20})
		if err != nil {
			return
		}
		if len(ds.Trajectories()) > 0 {
			_, _ = ds.Read(context.Background(), data.Span{Stride: 1, Frames: 2}, nil)
		}
		_ = ds.Close()
	})
}

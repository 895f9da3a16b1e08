package golden

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
)

// Boundaries converts the boundary codes of a case, (low, high) per axis, to
// data.Boundaries for a grid of the given number of axes.
func Boundaries(tb testing.TB, codes [][2]int, axes int) data.Boundaries {
	tb.Helper()
	if len(codes) < axes {
		tb.Fatalf("golden: boundary codes: expected %d axes, got %d", axes, len(codes))
	}
	out := make(data.Boundaries, axes)
	for i := range out {
		var err error
		if out[i].Low, err = data.BCFromCode(codes[i][0]); err != nil {
			tb.Fatalf("golden: axis %d: %v", i, err)
		}
		if out[i].High, err = data.BCFromCode(codes[i][1]); err != nil {
			tb.Fatalf("golden: axis %d: %v", i, err)
		}
	}
	return out
}

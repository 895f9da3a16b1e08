package well

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCoerce: attributes may have types other than those of h5py if the value is the same.
func TestCoerce(t *testing.T) {
	for _, c := range []struct{ got, wanted, out any }{
		{int64(3), int64(0), int64(3)},
		{3.0, int64(0), int64(3)},
		{3.5, int64(0), 3.5},
		{"3", int64(0), "3"},
		{int64(1), false, true},
		{int64(2), false, int64(2)},
		{[]float64{}, []string(nil), []string(nil)},
		{[]int64{}, []string(nil), []string(nil)},
		{[]bool{}, []string(nil), []string(nil)},
		{[]string{}, []string(nil), []string(nil)},
		{"x", []string(nil), []string{"x"}},
		{1.5, []string(nil), 1.5},
		{[]float64{1}, []string(nil), []float64{1}},
		{[]int64{0, 1}, []bool(nil), []bool{false, true}},
		{[]int64{0, 2}, []bool(nil), []int64{0, 2}},
	} {
		assert.Equal(t, c.out, coerce(c.got, c.wanted), "%v as %T", c.got, c.wanted)
	}
}

package train

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// On the Go backend, no training program computes an exponential, a logarithm or a cosine
// of a large tensor, including its backward pass; see the test of the same name in package
// walrus.
func TestStepAvoidsPackageMath(t *testing.T) {
	const few = 256 // elements, the number of tokens
	b := testbackend.New(t)
	if b.Name() != "Go Backend" {
		t.Skip("concerns the Go backend")
	}
	c := smallConfig()
	c.Tokens = [3]int{16, 16, 4}
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	defer w.Close()
	seen := 0
	tr, err := New(w, Options{Backend: testbackend.Watch(b, func(op string, size int) {
		seen++
		if size > few {
			t.Errorf("%s of %d elements", op, size)
		}
	})})
	require.NoError(t, err)
	defer tr.Close()
	grid := waves("plane", []int{64, 64}, data.Boundaries{periodic, walled}, 3)
	_, err = tr.Step(&Batch{Windows: []*data.Window{grid}}, 1e-4)
	require.NoError(t, err)
	require.Positive(t, seen, "expected the cosines of the rotations at least")
}

package walrus_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// On the Go backend, no program computes an exponential, a logarithm or a cosine of a
// large tensor: these go through package math, which is slow on some processors.
func TestEmulatorAvoidsPackageMath(t *testing.T) {
	const few = 256 // elements, the number of tokens
	b := testbackend.New(t)
	if b.Name() != "Go Backend" {
		t.Skip("concerns the Go backend")
	}
	c := smallConfig()
	c.Tokens = [3]int{16, 16, 4}
	w := livelyWeights(t, c)
	seen := 0
	b = testbackend.Watch(b, func(op string, size int) {
		seen++
		if size > few {
			t.Errorf("%s of %d elements", op, size)
		}
	})
	for name, o := range map[string]walrus.EmulatorOptions{
		"forecast": {Backend: b},
		"cached":   {Backend: b, Cache: &walrus.Cache{}},
	} {
		t.Run(name, func(t *testing.T) {
			em, err := walrus.NewEmulator(w, o)
			require.NoError(t, err)
			defer em.Close()
			window := flow([]int{64, 64}, data.Boundaries{periodic, walled}, 3)
			for _, err := range em.Rollout(context.Background(), window, 2) {
				require.NoError(t, err)
			}
		})
	}
	require.Positive(t, seen, "expected the cosines of the rotations at least")
}

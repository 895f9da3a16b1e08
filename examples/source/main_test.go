package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/solve"
)

// TestSource: the search comes closer to the source than the scan did.
func TestSource(t *testing.T) {
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "source.png")
	require.NoError(t, run(context.Background(), 1, 3, file, &out))
	require.FileExists(t, file)
	var scanned, misfit, found, left float64
	_, err := fmt.Sscanf(out.String(), "best of 9 places: %f from the source, misfit %f\nafter L-BFGS: %f, %f", &scanned, &misfit, &found, &left)
	require.NoError(t, err, out.String())
	require.Less(t, found, scanned)
	require.Less(t, left, misfit)
}

// TestPull compares with central differences of a sum over the frames.
func TestPull(t *testing.T) {
	system, err := solve.Lookup("advection_diffusion")
	require.NoError(t, err)
	r := &release{system, make([]float32, 2*system.Grid[0]*system.Grid[1])}
	for i := range r.flow[:len(r.flow)/2] {
		r.flow[i] = float32(math.Sin(2 * math.Pi * float64(i%system.Grid[1]) / float64(system.Grid[1])))
	}
	w, err := r.window(0.3, 0.6, history)
	require.NoError(t, err)
	sum := func(x, y float64) (total float64) {
		v, err := r.window(x, y, history)
		require.NoError(t, err)
		for i, frame := range v.Frames {
			for p, u := range frame {
				total += float64(u * w.Frames[i][p])
			}
		}
		return total
	}
	slope, err := r.pull(0.3, 0.6, w.Frames)
	require.NoError(t, err)
	const h = 0.002
	require.InDelta(t, (sum(0.3+h, 0.6)-sum(0.3-h, 0.6))/(2*h), slope[0], 0.5)
	require.InDelta(t, (sum(0.3, 0.6+h)-sum(0.3, 0.6-h))/(2*h), slope[1], 0.5)
}

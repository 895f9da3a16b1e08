package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAssimilation: a few iterations lower the error of the guess, of the window and of the
// forecast.
func TestAssimilation(t *testing.T) {
	observed, horizon = 1, 1
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "assimilation.png")
	require.NoError(t, run(context.Background(), "../../testdata/data/shear_flow", 4, file, &out))
	require.FileExists(t, file)
	found := regexp.MustCompile(`(\S+) +VRMSE of the window (\S+), of the forecast (\S+)`).FindAllStringSubmatch(out.String(), -1)
	require.Len(t, found, 3)
	number := func(line, column int) float64 {
		v, err := strconv.ParseFloat(found[line][column], 64)
		require.NoError(t, err)
		return v
	}
	require.Equal(t, []string{"guess", "interpolation", "4D-Var"}, []string{found[0][1], found[1][1], found[2][1]})
	require.Less(t, number(2, 2), number(0, 2), "window")
	require.Less(t, number(2, 3), number(0, 3), "forecast")
	require.ErrorIs(t, run(context.Background(), "nowhere", 1, file, &out), os.ErrNotExist)
}

package main

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSource: the source is found to within a few grid points, from a start that is further
// away.
func TestSource(t *testing.T) {
	steps = 1
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "source.png")
	require.NoError(t, run(context.Background(), 1, 2, 1, file, &out))
	require.FileExists(t, file)
	found := regexp.MustCompile(`, (\S+) grid points away`).FindStringSubmatch(out.String())
	require.Len(t, found, 2, out.String())
	away, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	require.Less(t, away, 5.)
}

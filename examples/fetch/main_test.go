package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
)

// TestRun fetches a data set from a local hub and opens it.
func TestRun(t *testing.T) {
	root := filepath.Join("..", "..", "testdata", "data", "burgers_3D")
	names := []string{"stats.yaml", "data/test/burgers_3D_0.hdf5"}
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/datasets/polymathic-ai/burgers_3D/tree/main") {
			var lines []string
			for _, name := range names {
				b, err := os.ReadFile(filepath.Join(root, name))
				assert.NoError(t, err)
				lines = append(lines, fmt.Sprintf(`{"type":"file","path":%q,"size":%d,"oid":"%x"}`, name, len(b), sha1.Sum(append([]byte(fmt.Sprintf("blob %d\x00", len(b))), b...))))
			}
			fmt.Fprintf(w, "[%s]", strings.Join(lines, ","))
			return
		}
		http.StripPrefix("/datasets/polymathic-ai/burgers_3D/resolve/main/", http.FileServer(http.Dir(root))).ServeHTTP(w, r)
	}))
	defer hub.Close()
	cache := t.TempDir()
	var out, bar bytes.Buffer
	args := []string{"-dataset", "burgers_3D", "-split", "test", "-out", cache, "-endpoint", hub.URL}
	require.NoError(t, run(context.Background(), args, &out, &bar))
	assert.Contains(t, bar.String(), "burgers_3D_0.hdf5")
	ds, err := well.Open(strings.TrimSpace(out.String()), well.Options{Split: "test"})
	require.NoError(t, err)
	defer ds.Close()
	assert.NotNil(t, ds.Statistics())
	hub.Close()
	require.NoError(t, run(context.Background(), append(args, "-offline"), &out, &bar))
}

func TestList(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"-list"}, &out, nil))
	assert.Contains(t, out.String(), "shear_flow: [256 512], 1120 trajectories\n")
	assert.NotContains(t, out.String(), "CE-RM")
}

func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"expected -dataset NAME or -weights":    {},
		"expected -dataset NAME or -weights, …": {"-weights", "-dataset", "x"},
		"flag provided but not defined: -data":  {"-data", "x"},
	} {
		err := run(context.Background(), args, &bytes.Buffer{}, &bytes.Buffer{})
		assert.ErrorIs(t, err, errUsage)
		assert.ErrorContains(t, err, strings.TrimSuffix(want, ", …"))
	}
}

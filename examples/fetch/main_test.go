package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

// newHub serves a folder as the repository of a data set. It refuses the first request
// for a file, as a busy hub does.
func newHub(t *testing.T, root string, names ...string) *httptest.Server {
	var lines []string
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		require.NoError(t, err)
		line := fmt.Sprintf(`{"type":"file","path":%q,"size":%d,"oid":"%x"`, name, len(b), sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(b), b)))
		if strings.HasSuffix(name, ".hdf5") {
			line += fmt.Sprintf(`,"lfs":{"oid":"%x","size":%d}`, sha256.Sum256(b), len(b))
		}
		lines = append(lines, line+"}")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/datasets/polymathic-ai/burgers_3D/tree/main", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "[%s]", strings.Join(lines, ","))
	})
	prefix := "/datasets/polymathic-ai/burgers_3D/resolve/main/"
	files := http.StripPrefix(prefix, http.FileServer(http.Dir(root)))
	var requests atomic.Int32
	mux.HandleFunc(prefix, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		files.ServeHTTP(w, r)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// quiet hides the tester's environment variables.
func quiet(t *testing.T) {
	for _, name := range []string{"HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"} {
		t.Setenv(name, "")
	}
}

// TestRun fetches a data set from a local hub, opens it, and finds it again offline.
func TestRun(t *testing.T) {
	quiet(t)
	hub := newHub(t, filepath.Join("..", "..", "testdata", "data", "burgers_3D"), "stats.yaml", "data/test/burgers_3D_0.hdf5", "data/valid/burgers_3D_0.hdf5")
	cache := t.TempDir()
	var out, screen bytes.Buffer
	args := []string{"-dataset", "burgers_3D", "-split", "test", "-out", cache, "-endpoint", hub.URL}
	require.NoError(t, run(context.Background(), args, &out, &screen))
	assert.Contains(t, screen.String(), "(100 %)")
	assert.Contains(t, screen.String(), "429 Too Many Requests")
	dir := strings.TrimSuffix(out.String(), "\n")
	ds, err := well.Open(dir, well.Options{Split: "test"})
	require.NoError(t, err)
	defer ds.Close()
	assert.NotNil(t, ds.Statistics())
	assert.Equal(t, 13, ds.Trajectories()[0].Steps)

	out.Reset()
	require.NoError(t, run(context.Background(), []string{"-list", "-dataset", "burgers_3D", "-out", cache, "-endpoint", hub.URL}, &out, nil))
	assert.Contains(t, out.String(), "        1079531  data/test/burgers_3D_0.hdf5\n")
	assert.Contains(t, out.String(), "  bytes in 3 files\n")

	hub.Close()
	out.Reset()
	require.NoError(t, run(context.Background(), append(args, "-offline"), &out, &screen))
	assert.Equal(t, dir+"\n", out.String())
	err = run(context.Background(), []string{"-dataset", "burgers_3D", "-out", cache, "-offline"}, &out, &screen)
	assert.ErrorContains(t, err, "the cache lacks 1 of 3 files: data/valid/burgers_3D_0.hdf5")
	err = run(context.Background(), []string{"-weights", "-out", cache, "-offline"}, &out, &screen)
	assert.ErrorContains(t, err, "hub: models/polymathic-ai/walrus@main: offline, and the cache has no list of its files")
}

func TestList(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"-list"}, &out, nil))
	assert.Contains(t, out.String(), "shear_flow: [256 512], 1120 trajectories\n")
	assert.NotContains(t, out.String(), "CE-RM")
}

func TestUsage(t *testing.T) {
	quiet(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "usage: expected -dataset NAME or -weights"},
		{[]string{"-weights", "-dataset", "x"}, "usage: expected -dataset NAME or -weights"},
		{[]string{"-list", "-weights", "-dataset", "x"}, "usage: expected -dataset NAME or -weights"},
		{[]string{"-weights", "-split", "test"}, "usage: -split goes with a data set that is downloaded"},
		{[]string{"-list", "-split", "test"}, "usage: -split goes with a data set that is downloaded"},
		{[]string{"shear_flow"}, `usage: expected flags only, got "shear_flow"`},
		{[]string{"-data", "x"}, "usage: flag provided but not defined: -data"},
	} {
		err := run(context.Background(), tt.args, nil, nil)
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.EqualError(t, err, tt.want)
	}
	var help bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"-h"}, &help, nil))
	assert.Contains(t, help.String(), "https://huggingface.co if empty")
}

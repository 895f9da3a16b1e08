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

// TestFetch fetches a data set from a local hub, opens it, and finds it again offline.
func TestFetch(t *testing.T) {
	quiet(t)
	hub := newHub(t, filepath.Join(dataDir, "burgers_3D"), "stats.yaml", "data/test/burgers_3D_0.hdf5", "data/valid/burgers_3D_0.hdf5")
	cache := t.TempDir()
	var out, screen bytes.Buffer
	args := []string{"fetch", "--dataset", "burgers_3D", "--split", "test", "--out", cache, "--endpoint", hub.URL}
	_, err := run(context.Background(), args, &out, &screen)
	require.NoError(t, err)
	assert.Contains(t, screen.String(), "(100 %)")
	assert.Contains(t, screen.String(), "429 Too Many Requests")
	dir := strings.TrimSuffix(out.String(), "\n")
	ds, err := well.Open(dir, well.Options{Split: "test"})
	require.NoError(t, err)
	defer ds.Close()
	assert.NotNil(t, ds.Statistics())
	assert.Equal(t, 13, ds.Trajectories()[0].Steps)

	list := output(t, "fetch", "--list", "--dataset", "burgers_3D", "--out", cache, "--endpoint", hub.URL)
	assert.Contains(t, list, "        1079531  data/test/burgers_3D_0.hdf5\n")
	assert.Contains(t, list, "  bytes in 3 files\n")

	hub.Close()
	assert.Equal(t, dir+"\n", output(t, append(args, "--offline")...))
	err = fails("fetch", "--dataset", "burgers_3D", "--out", cache, "--offline")
	assert.ErrorContains(t, err, "the cache lacks 1 of 3 files: data/valid/burgers_3D_0.hdf5")
	err = fails("fetch", "--weights", "--out", cache, "--offline")
	assert.ErrorContains(t, err, "hub: models/polymathic-ai/walrus@main: offline, and the cache has no list of its files")
}

func TestFetchList(t *testing.T) {
	out := output(t, "fetch", "--list")
	assert.Contains(t, out, "shear_flow: [256 512], 1120 trajectories\n")
	assert.NotContains(t, out, "CE-RM")
}

func TestFetchUsage(t *testing.T) {
	quiet(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "usage: expected one of --dataset NAME, --weights and --peer NAME"},
		{[]string{"--weights", "--dataset", "x"}, "usage: expected one of --dataset NAME, --weights and --peer NAME"},
		{[]string{"--list", "--weights", "--dataset", "x"}, "usage: expected one of --dataset NAME, --weights and --peer NAME"},
		{[]string{"--weights", "--split", "test"}, "usage: --split goes with a data set that is downloaded"},
		{[]string{"--list", "--split", "test"}, "usage: --split goes with a data set that is downloaded"},
		{[]string{"shear_flow"}, `usage: expected flags only, got ["shear_flow"]`},
		{[]string{"--data", "x"}, "usage: unknown flag: --data"},
	} {
		err := fails(append([]string{"fetch"}, tt.args...)...)
		assert.ErrorIs(t, err, command.ErrUsage)
		assert.EqualError(t, err, tt.want)
	}
	assert.Contains(t, output(t, "fetch", "-h"), "https://huggingface.co if empty")
}

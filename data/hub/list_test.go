package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestList(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	files, err := c.List(context.Background(), flow)
	require.NoError(t, err)
	require.Len(t, files, 5, "both pages, no folders")
	assert.Equal(t, "data/train/a.hdf5", files[2].Path)
	assert.Equal(t, int64(bigSize), files[2].Size)
	assert.Len(t, files[2].SHA256, 64)
	assert.Empty(t, files[2].Blob)
	// printf x | git hash-object --stdin
	assert.Equal(t, File{Path: "README.md", Size: 1, Blob: "c1b0730e0133447badcfd47fd144e254807b06e1"}, files[0])

	c.Offline = true
	kept, err := c.List(context.Background(), flow)
	require.NoError(t, err)
	assert.Equal(t, files, kept)
}

// answers returns a client of a hub that answers requests for a list with body.
func answers(t *testing.T, body func(n int, w http.ResponseWriter, r *http.Request)) *Client {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		body(n, w, r)
	}))
	t.Cleanup(s.Close)
	return &Client{Endpoint: s.URL + "/", Cache: t.TempDir(), Wait: time.Millisecond, Stall: 50 * time.Millisecond, Tries: 3}
}

// TestHostileLists: no entry leads out of the repository's folder or into .hub, and every
// file needs a checksum.
func TestHostileLists(t *testing.T) {
	sum := strings.Repeat("0", 40)
	for _, path := range []string{"../up", "/etc/passwd", `a\b`, `..\up`, "a/../../b", "a/../b", "a//b", "./a", "a/", "", ".", "..", ".hub/files.json", ".HUB/x", "a\x00b"} {
		c := answers(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode([]map[string]any{{"type": "file", "path": "good", "size": 1, "oid": sum}, {"type": "file", "path": path, "size": 1, "oid": sum}})
		})
		_, err := c.FetchAll(context.Background(), flow)
		assert.EqualError(t, err, fmt.Sprintf("hub: list of datasets/polymathic-ai/flow@main: the path %q leads out of the repository's folder", path))
		entries, err := os.ReadDir(c.Cache)
		require.NoError(t, err)
		assert.Empty(t, entries)
	}
	for text, want := range map[string]string{
		`[{"type":"file","path":"a","size":1}]`:                                                   `a: expected a size and a checksum of 40 hexadecimal digits, got 1 and ""`,
		`[{"type":"file","path":"a","size":-1,"oid":"` + sum + `"}]`:                              `a: expected a size and a checksum of 40 hexadecimal digits, got -1 and "` + sum + `"`,
		`[{"type":"file","path":"a","size":1,"oid":"` + sum + `","lfs":{"oid":"12","size":1}}]`:   `a: expected a size and a checksum of 64 hexadecimal digits, got 1 and "12"`,
		`[{"type":"file","path":"a","size":1,"oid":"` + strings.Replace(sum, "0", "g", 1) + `"}]`: `hexadecimal digits, got 1 and "g0`,
		`<html>sign in</html>`: "got 20 bytes of something else",
		``:                     "got 0 bytes of something else",
		`{"error":"x"}`:        "got 13 bytes of something else",
	} {
		c := answers(t, func(_ int, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
		_, err := c.List(context.Background(), flow)
		assert.ErrorContains(t, err, "hub: list of datasets/polymathic-ai/flow@main: ")
		assert.ErrorContains(t, err, want)
	}
}

// TestListAgain: requests for a list that is truncated, refused temporarily or stalls are
// repeated; an endless chain of pages is an error.
func TestListAgain(t *testing.T) {
	c := answers(t, func(n int, w http.ResponseWriter, r *http.Request) {
		switch n {
		case 1:
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "[{")
		case 2:
			<-r.Context().Done()
		default:
			fmt.Fprint(w, "[]")
		}
	})
	files, err := c.List(context.Background(), flow)
	require.NoError(t, err)
	assert.Empty(t, files)

	c = answers(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", `<`+r.URL.Path+`?page=2>; rel="next"`)
		fmt.Fprint(w, "[]")
	})
	_, err = c.List(context.Background(), flow)
	assert.ErrorContains(t, err, "/tree/main?page=2 again")

	_, err = c.WellDataset(context.Background(), "flow")
	assert.Error(t, err)
	c = answers(t, func(_ int, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") })
	_, err = c.WellDataset(context.Background(), "flow")
	assert.EqualError(t, err, "hub: datasets/polymathic-ai/flow@main: expected files data/<split>/…, got none among 0")
}

// TestSpoiltCache: a damaged or hostile list in the cache is an error.
func TestSpoiltCache(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	_, err := c.List(context.Background(), flow)
	require.NoError(t, err)
	dir, err := c.folder(flow)
	require.NoError(t, err)
	c.Offline = true
	for text, want := range map[string]string{`[{`: "the cache has no list of its files: ", `[{"path":"../x"}]`: `the path "../x" leads out`} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, inner, "files.json"), []byte(text), 0o600))
		_, err = c.List(context.Background(), flow)
		assert.ErrorContains(t, err, want)
	}
}

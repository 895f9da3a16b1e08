package hub

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flow is the repository of the test server's data set.
var flow = Dataset("flow")

// fault may answer the n-th request (from 1) of a file. It returns false to let the server
// answer.
type fault func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool

// server is a hub with one data set and the weights.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string][]byte // of both repositories, by path
	fault    fault
	requests int // number of requests for files
	sent     int // bytes of files sent
	tokens   []string
}

// content returns n random bytes.
func content(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// Sizes of the two large files.
const (
	bigSize   = 300_000
	smallSize = 100_000
)

func newServer(t *testing.T) *server {
	s := &server{files: map[string][]byte{
		"README.md": []byte("x"), "data/test/b c.hdf5": content(smallSize, 2), "data/train/a.hdf5": content(bigSize, 1),
		"data/train/empty.hdf5": {}, "stats.yaml": []byte("mean:\n  p: 1.0\n"),
		"extended_config.yaml": []byte("model: {}\n"), "walrus.pt": content(5000, 3),
		"config.json": []byte("{}"), "model.safetensors": content(3000, 4), "model_Ti.pth": content(2000, 5), "model_S.pth": content(100, 6),
	}}
	memory.Clear() // other tests read the same files
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

// client returns a client with short pauses.
func (s *server) client(t *testing.T) *Client {
	return &Client{Endpoint: s.URL, Cache: t.TempDir(), Wait: time.Millisecond, Stall: 2 * time.Second}
}

func (s *server) spoil(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.requests, s.sent = f, 0, 0
}

func (s *server) put(path string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = body
}

func (s *server) counts() (requests, sent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.sent
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.tokens = append(s.tokens, r.Header.Get("Authorization"))
	s.mu.Unlock()
	for _, repo := range []Repo{flow, Weights(), {Kind: ModelKind, Name: "camlab-ethz/Poseidon-T"}, {Kind: ModelKind, Name: "hzk17/DPOT"}} {
		if strings.HasPrefix(r.URL.Path, fmt.Sprintf("/api/%s/%s/tree/main", repo.Kind, repo.Name)) {
			s.list(w, r, repo)
			return
		}
		if path, ok := strings.CutPrefix(r.URL.Path, strings.TrimSuffix(repo.fileURL("", "x"), "x")); ok {
			s.file(w, r, path)
			return
		}
	}
	http.NotFound(w, r)
}

func (s *server) file(w http.ResponseWriter, r *http.Request, path string) {
	s.mu.Lock()
	body, known := s.files[path]
	s.requests++
	n, fault := s.requests, s.fault
	s.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha1.Sum(body)))
	if fault != nil && fault(n, w, r, body) {
		return
	}
	http.ServeContent(counter{w, s}, r, "", time.Time{}, bytes.NewReader(body))
}

// counter counts the bytes of files that are sent.
type counter struct {
	http.ResponseWriter
	s *server
}

func (c counter) Write(b []byte) (int, error) {
	c.s.mu.Lock()
	c.s.sent += len(b)
	c.s.mu.Unlock()
	return c.ResponseWriter.Write(b)
}

// list sends the list in two pages, as the hub does with long lists.
func (s *server) list(w http.ResponseWriter, r *http.Request, repo Repo) {
	names := []string{"README.md", "data/test/b c.hdf5", "data/train/a.hdf5", "data/train/empty.hdf5", "stats.yaml"}
	switch repo.Name {
	case Weights().Name:
		names = []string{"extended_config.yaml", "walrus.pt"}
	case "camlab-ethz/Poseidon-T":
		names = []string{"README.md", "config.json", "model.safetensors"}
	case "hzk17/DPOT":
		names = []string{"README.md", "model_S.pth", "model_Ti.pth"}
	}
	half := 2
	if r.URL.Query().Get("cursor") == "" {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?recursive=true&cursor=2>; rel="next"`, s.URL, r.URL.EscapedPath()))
		names = names[:half]
	} else {
		names = names[half:]
	}
	lines := []map[string]any{{"type": "directory", "path": "data", "size": 0, "oid": "0"}}
	for _, name := range names {
		s.mu.Lock()
		body := s.files[name]
		s.mu.Unlock()
		lines = append(lines, line(name, body))
	}
	_ = json.NewEncoder(w).Encode(lines)
}

// line returns an entry of the list, with the checksums of git and Git LFS.
func line(name string, body []byte) map[string]any {
	blob := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(body), body))
	out := map[string]any{"type": "file", "path": name, "size": len(body), "oid": fmt.Sprintf("%x", blob)}
	if len(body) > 1000 {
		out["lfs"] = map[string]any{"oid": fmt.Sprintf("%x", sha256.Sum256(body)), "size": len(body), "pointerSize": 130}
	}
	return out
}

// check compares files in the cache with those of the server.
func (s *server) check(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(s.files[name], got), name)
	}
}

// big downloads the largest file and checks it.
func (s *server) big(t *testing.T, c *Client) error {
	t.Helper()
	path, err := c.Fetch(context.Background(), flow, "data/train/a.hdf5")
	if err == nil {
		dir := filepath.Join(filepath.Dir(path), "..", "..")
		s.check(t, dir, "data/train/a.hdf5")
		assert.NoFileExists(t, newSlot(dir, "data/train/a.hdf5").part)
	}
	return err
}

package hub

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
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

// server is a hub with one data set and one model, whose every answer can be
// spoilt.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	// spoil may answer the n-th request of a file itself.
	spoil    func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool
	requests int
	bytes    int
	auth     []string
}

func content(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func newServer(t *testing.T) *server {
	s := &server{files: map[string][]byte{
		"data/train/a.hdf5": content(300_000, 1), "data/test/b.hdf5": content(100_000, 2), "stats.yaml": []byte("mean:\n  p: 1.0\n"), "README.md": []byte("x"),
	}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.auth = append(s.auth, r.Header.Get("Authorization"))
	s.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/api/datasets/polymathic-ai/flow/tree/main") {
		s.list(w, r)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/datasets/polymathic-ai/flow/resolve/main/")
	body, known := s.files[path]
	if !ok || !known {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	s.requests++
	n := s.requests
	s.mu.Unlock()
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha1.Sum(body)))
	if s.spoil != nil && s.spoil(n, w, r, body) {
		return
	}
	http.ServeContent(counter{w, s}, r, "", time.Time{}, bytes.NewReader(body))
}

// counter counts the bytes of files.
type counter struct {
	http.ResponseWriter
	s *server
}

func (c counter) Write(b []byte) (int, error) {
	c.s.mu.Lock()
	c.s.bytes += len(b)
	c.s.mu.Unlock()
	return c.ResponseWriter.Write(b)
}

// list answers in two pages.
func (s *server) list(w http.ResponseWriter, r *http.Request) {
	var lines []string
	for _, name := range []string{"README.md", "stats.yaml", "data/test/b.hdf5", "data/train/a.hdf5"} {
		body := s.files[name]
		line := fmt.Sprintf(`{"type":"file","path":%q,"size":%d,"oid":"%x"`, name, len(body), sha1.Sum(append([]byte(fmt.Sprintf("blob %d\x00", len(body))), body...)))
		if strings.HasSuffix(name, ".hdf5") {
			sum := sha256.Sum256(body)
			line += fmt.Sprintf(`,"lfs":{"oid":%q,"size":%d}`, hex.EncodeToString(sum[:]), len(body))
		}
		lines = append(lines, line+"}")
	}
	if r.URL.Query().Get("cursor") == "" {
		w.Header().Set("Link", fmt.Sprintf(`<%s/api/datasets/polymathic-ai/flow/tree/main?cursor=2>; rel="next"`, s.URL))
		lines = append(lines[:2], `{"type":"directory","path":"data","size":0,"oid":"x"}`)
	} else {
		lines = lines[2:]
	}
	fmt.Fprintf(w, "[%s]", strings.Join(lines, ","))
}

func (s *server) client(t *testing.T) *Client {
	return &Client{Endpoint: s.URL, Cache: t.TempDir(), Wait: time.Millisecond, Stall: 200 * time.Millisecond}
}

func (s *server) check(t *testing.T, dir string, names ...string) {
	for _, name := range names {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		require.NoError(t, err)
		assert.Equal(t, s.files[name], got, name)
	}
}

func TestWellDataset(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	var last int64
	c.Progress = func(path string, done, total int64) {
		assert.LessOrEqual(t, done, total)
		last = done
	}
	dir, err := c.WellDataset(context.Background(), "flow", "train")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(c.Cache, "datasets", "polymathic-ai", "flow", "main"), dir)
	s.check(t, dir, "data/train/a.hdf5", "stats.yaml")
	assert.NoFileExists(t, filepath.Join(dir, "README.md"))
	assert.NoDirExists(t, filepath.Join(dir, "data", "test"))
	assert.Equal(t, int64(300_000), last)
	before := s.requests
	_, err = c.WellDataset(context.Background(), "flow", "train")
	require.NoError(t, err)
	assert.Equal(t, before, s.requests, "nothing is fetched twice")

	// Offline the cache serves, and says what it lacks.
	s.Close()
	c.Offline = true
	_, err = c.WellDataset(context.Background(), "flow", "train")
	require.NoError(t, err)
	_, err = c.WellDataset(context.Background(), "flow")
	assert.ErrorContains(t, err, "datasets/polymathic-ai/flow@main: offline, and the cache has no data/test/b.hdf5")
	_, err = c.Walrus(context.Background())
	assert.ErrorContains(t, err, "models/polymathic-ai/walrus@main: offline, and the cache has no list of its files")
}

// TestCutConnections: connections that break off at random are continued, not
// begun again.
func TestCutConnections(t *testing.T) {
	s := newServer(t)
	rng := rand.New(rand.NewPCG(1, 1))
	s.spoil = func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		var at int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &at)
		part := 1 + rng.IntN(40_000)
		if len(body)-at <= part {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)-at))
		if at > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(body)-1, len(body)))
			w.WriteHeader(http.StatusPartialContent)
		}
		counter{w, s}.Write(body[at : at+part])
		panic(http.ErrAbortHandler)
	}
	c := s.client(t)
	dir, err := c.WellDataset(context.Background(), "flow")
	require.NoError(t, err)
	s.check(t, dir, "data/train/a.hdf5", "data/test/b.hdf5")
	assert.Greater(t, s.requests, 10)
	assert.Less(t, s.bytes, 500_000, "hardly a byte comes twice")
}

// TestResumeAcrossProcesses: a cancelled download leaves a part that the next one
// continues; a part of another version is dropped.
func TestResumeAcrossProcesses(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.spoil = func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		if n > 1 || len(body) < 200_000 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		counter{w, s}.Write(body[:150_000])
		w.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
		cancel()
		<-r.Context().Done()
		return true
	}
	c := s.client(t)
	files, err := c.List(context.Background(), Dataset("flow"))
	require.NoError(t, err)
	require.Len(t, files, 4)
	big := files[3]
	_, err = c.Fetch(ctx, Dataset("flow"), big)
	require.ErrorIs(t, err, context.Canceled)
	path, err := c.Fetch(context.Background(), Dataset("flow"), big)
	require.NoError(t, err)
	s.check(t, filepath.Dir(filepath.Dir(filepath.Dir(path))), big.Path)
	assert.Less(t, s.bytes, 310_000)

	// The same part beside another version on the server.
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path+".part", content(1000, 9), 0o600))
	require.NoError(t, os.WriteFile(path+".part.etag", []byte(`"old"`), 0o600))
	_, err = c.Fetch(context.Background(), Dataset("flow"), big)
	require.NoError(t, err)
	s.check(t, filepath.Dir(filepath.Dir(filepath.Dir(path))), big.Path)
}

// TestDamage: wrong bytes are fetched again once; twice is an error that says what
// was expected, and leaves no part.
func TestDamage(t *testing.T) {
	for name, spoil := range map[string]func(w http.ResponseWriter, body []byte){
		"wrong bytes": func(w http.ResponseWriter, body []byte) { w.Write(content(len(body), 99)) },
		"too long":    func(w http.ResponseWriter, body []byte) { w.Write(append(body[:len(body):len(body)], 'x', 'y')) },
	} {
		s := newServer(t)
		bad := 1
		s.spoil = func(n int, w http.ResponseWriter, _ *http.Request, body []byte) bool {
			if n <= bad {
				spoil(w, body)
			}
			return n <= bad
		}
		c := s.client(t)
		files, err := c.List(context.Background(), Dataset("flow"))
		require.NoError(t, err)
		path, err := c.Fetch(context.Background(), Dataset("flow"), files[2])
		require.NoError(t, err, name)
		require.NoError(t, os.Remove(path))
		bad, s.requests = 5, 0
		_, err = c.Fetch(context.Background(), Dataset("flow"), files[2])
		require.ErrorContains(t, err, "data/test/b.hdf5", name)
		assert.ErrorContains(t, err, "expected ")
		assert.ErrorContains(t, err, ", twice")
		assert.Equal(t, 2, s.requests)
		assert.NoFileExists(t, path)
		assert.NoFileExists(t, path+".part")
	}
}

// TestUnwilling: a busy hub is asked again, one that stalls or forgets ranges does
// no harm, refusals are explained at once.
func TestUnwilling(t *testing.T) {
	s := newServer(t)
	s.spoil = func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		switch n {
		case 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		case 3: // a part, then silence
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.Write(body[:5000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case 4: // ranges are not known here
			w.Write(body)
		default:
			return false
		}
		return true
	}
	c := s.client(t)
	files, err := c.List(context.Background(), Dataset("flow"))
	require.NoError(t, err)
	path, err := c.Fetch(context.Background(), Dataset("flow"), files[2])
	require.NoError(t, err)
	s.check(t, filepath.Dir(filepath.Dir(filepath.Dir(path))), files[2].Path)
	assert.Equal(t, 4, s.requests)

	for code, want := range map[int]string{401: "may need a token", 403: "may need a token", 404: "no such repository"} {
		n := 0
		s.spoil = func(_ int, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			n++
			w.WriteHeader(code)
			return true
		}
		_, err := c.Fetch(context.Background(), Dataset("flow"), files[3])
		assert.ErrorContains(t, err, want)
		assert.Equal(t, 1, n)
	}
	c.Tries = 3
	n := 0
	s.spoil = func(_ int, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		n++
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	_, err = c.Fetch(context.Background(), Dataset("flow"), files[3])
	assert.ErrorContains(t, err, "given up after 3 tries: the hub answers 503")
	assert.Equal(t, 3, n)
}

// TestToken: the token goes to the hub and not to where it redirects.
func TestToken(t *testing.T) {
	s := newServer(t)
	other := newServer(t)
	s.spoil = func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) bool {
		http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+r.URL.Path, http.StatusFound)
		return true
	}
	c := s.client(t)
	c.Token = "secret"
	dir, err := c.WellDataset(context.Background(), "flow", "test")
	require.NoError(t, err)
	s.check(t, dir, "data/test/b.hdf5")
	assert.Contains(t, s.auth, "Bearer secret")
	assert.NotEmpty(t, other.auth)
	assert.NotContains(t, other.auth, "Bearer secret")
}

// TestTwoAtOnce: several downloads of one file share the work.
func TestTwoAtOnce(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	files, err := c.List(context.Background(), Dataset("flow"))
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			_, err := c.Fetch(context.Background(), Dataset("flow"), files[3])
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Equal(t, 1, s.requests)
}

func TestPathsStayInside(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	for _, path := range []string{"../up", "/etc/passwd", `a\b`, "a/../../b", ""} {
		_, err := c.Fetch(context.Background(), Dataset("flow"), File{Path: path, Size: 1, Blob: "x"})
		assert.ErrorContains(t, err, "leads out of the repository", path)
	}
	_, err := c.List(context.Background(), Repo{Kind: DatasetKind, Name: "../../etc"})
	assert.ErrorContains(t, err, "expected a kind, a name and a revision that stay inside the cache")
	s.files["stats.yaml"] = nil
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `[{"type":"file","path":"../../x","size":1,"oid":"1"}]`)
	}))
	defer hostile.Close()
	c.Endpoint = hostile.URL
	_, err = c.List(context.Background(), Dataset("flow"))
	assert.ErrorContains(t, err, `the path "../../x" leads out of the repository`)
}

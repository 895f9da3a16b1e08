package hub

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flowAddress is the address of the test server's data set.
const flowAddress = "hf://datasets/polymathic-ai/flow"

// bigName is its largest file.
const bigName = "data/train/a.hdf5"

// far returns a client with blocks of 10 000 bytes.
func (s *server) far(t *testing.T) *Client {
	c := s.client(t)
	c.Block = 10_000
	return c
}

// tree opens an address. The tree is closed at the end of the test.
func openTree(t *testing.T, c *Client, address string) (*Tree, string) {
	t.Helper()
	tree, name, err := c.Open(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, tree.Close()) })
	return tree, name
}

// openFar opens a file of the data set.
func openFar(t *testing.T, c *Client, name string) *RemoteFile {
	t.Helper()
	tree, _ := openTree(t, c, flowAddress)
	f, err := tree.Open(name)
	require.NoError(t, err)
	return f.(*RemoteFile)
}

// folder serves files as net/http.FileServer does, with an ETag, and counts requests.
type folder struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string]string
	requests int
	fault    func(n int, w http.ResponseWriter, r *http.Request) bool
}

func newFolder(t *testing.T, files map[string]string) *folder {
	f := &folder{files: files}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests++
	n, fault, all := f.requests, f.fault, fstest.MapFS{}
	for name, text := range f.files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	f.mu.Unlock()
	if file, ok := all[strings.TrimPrefix(r.URL.Path, "/")]; ok {
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha1.Sum(file.Data)))
	}
	if fault != nil && fault(n, w, r) {
		return
	}
	http.FileServerFS(all).ServeHTTP(w, r)
}

func text(n int, seed byte) string { return string(content(n, seed)) }

// TestTreeAddresses: addresses name a repository or a server, and a file or folder.
func TestTreeAddresses(t *testing.T) {
	for address, want := range map[string][2]string{
		"hf://datasets/o/n":                              {"hf://datasets/o/n", "."},
		"hf://datasets/o/n/":                             {"hf://datasets/o/n", "."},
		"hf://datasets/o/n@v1/data/train/a b.hdf5":       {"hf://datasets/o/n@v1", "data/train/a b.hdf5"},
		"hf://datasets/o/n@refs%2Fpr%2F1/data":           {"hf://datasets/o/n@refs%2Fpr%2F1", "data"},
		"https://h:8/":                                   {"https://h:8", "."},
		"http://user:secret@h/a%20b/../c%25/x.hdf5?sig=": {"http://h", "c%/x.hdf5"},
	} {
		l, err := parseAddress(address)
		require.NoError(t, err)
		assert.Equal(t, want, [2]string{l.base, l.name}, address)
		assert.True(t, IsAddress(address))
		again, err := parseAddress(l.address(l.name)) // what messages show is an address
		require.NoError(t, err)
		assert.Equal(t, l.name, again.name)
	}
	l, err := parseAddress("hf://datasets/o/n@refs%2Fpr%2F1/data")
	require.NoError(t, err)
	assert.Equal(t, Repo{DatasetKind, "o/n", "refs/pr/1"}, l.repo)
	for address, want := range map[string]string{
		"hf://o/n":                     "expected an address such as hf://datasets/OWNER/NAME",
		"hf://datasets/o":              "expected an address such as",
		"hf://models/o/n":              "expected an address such as",
		"hf://datasets/o/n@../x":       "expected a branch, tag or commit",
		"hf://datasets/.o/n":           "expected a name such as polymathic-ai/shear_flow",
		"hf://datasets/o/n/a/../../..": "expected the path of a file or a folder",
		"https:///x":                   "expected an address such as",
		"https://h/a%2Fb":              "expected an address such as",
		"ftp://h/a":                    "expected an address such as",
		"https://h:port/?sig=secret":   "expected an address such as",
	} {
		_, _, err := (&Client{Cache: t.TempDir()}).Open(t.Context(), address)
		assert.ErrorContains(t, err, want, address)
		assert.NotContains(t, err.Error(), "secret")
	}
	for _, path := range []string{"data", "C:/data", "/hf://", "hf:/x", "s3://b/x"} {
		assert.False(t, IsAddress(path), path)
	}
}

// TestTreeFS: both kinds of trees behave as file systems.
func TestTreeFS(t *testing.T) {
	s := newServer(t)
	tree, name := openTree(t, s.far(t), flowAddress+"/data/train")
	assert.Equal(t, "data/train", name)
	require.NoError(t, fstest.TestFS(tree, "README.md", "data/test/b c.hdf5", bigName, "data/train/empty.hdf5", "stats.yaml"))
	assert.Equal(t, flowAddress+"/"+bigName, tree.Address(bigName))

	web := newFolder(t, map[string]string{"x/stats.yaml": "a", "x/data/train/a b.hdf5": text(3000, 1), "x/data/train/50%.h5": text(100, 2), "x/data/train/empty.hdf5": ""})
	c := s.client(t)
	c.Block = 1000
	tree, name = openTree(t, c, web.URL+"/x")
	assert.Equal(t, "x", name)
	require.NoError(t, fstest.TestFS(tree, "x/stats.yaml", "x/data/train/a b.hdf5", "x/data/train/50%.h5", "x/data/train/empty.hdf5"))
	assert.Equal(t, web.URL+"/x/data/train/a%20b.hdf5", tree.Address("x/data/train/a b.hdf5"))
}

// TestMissing: errors for files and folders that are not there name the address, and are
// fs.ErrNotExist.
func TestMissing(t *testing.T) {
	s := newServer(t)
	tree, _ := openTree(t, s.far(t), flowAddress)
	_, err := tree.Open("data/none")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.EqualError(t, err, "open "+flowAddress+"/data/none: no such file or folder in datasets/polymathic-ai/flow@main: file does not exist")

	web := newFolder(t, map[string]string{"x/a.hdf5": "1234", "x/index.html": "no links"})
	web.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/closed/":
			http.Error(w, "", http.StatusForbidden)
		case "/json/":
			w.Header().Set("Content-Type", "application/json")
		default:
			return false
		}
		return true
	}
	host := strings.TrimPrefix(web.URL, "http://")
	tree, _ = openTree(t, s.client(t), web.URL)
	_, err = tree.Stat("x/stats.yaml")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.EqualError(t, err, "stat "+web.URL+"/x/stats.yaml: "+host+" answers 404 Not Found: no such file or folder")
	const hint = ": a folder can be read if the server has a page that lists its files: else give the address of a file"
	for name, want := range map[string]string{"closed": host + " answers 403 Forbidden" + hint, "json": `expected a page of type text/html, got "application/json"` + hint} {
		_, err = tree.ReadDir(name)
		assert.EqualError(t, err, "readdir "+web.URL+"/"+name+": "+want)
	}
	list, err := tree.ReadDir("x")
	assert.NoError(t, err)
	assert.Empty(t, list)
}

// TestIndex: links lead to files and folders of the folder; others are ignored.
func TestIndex(t *testing.T) {
	page := `<html><a href="../">up</a> <A HREF='a.hdf5'>a</A><a class="x" href="/x/b%20c.hdf5">b</a> <a href="sub/">s</a>
<a href="a.hdf5">again</a><a href="?C=M;O=A">sort</a><a href="sub/deep.hdf5">deep</a><a href="https://else/x/c.hdf5">c</a>
<a href="https://h/x/d&amp;e.hdf5">d</a><a href="x%2Fy.hdf5">f</a><a href="">self</a>`
	base, err := url.Parse("https://h/x/")
	require.NoError(t, err)
	var got []string
	for _, e := range new(Tree).links("x", base, page) {
		got = append(got, fmt.Sprint(e))
	}
	assert.Equal(t, []string{"- a.hdf5", "- b c.hdf5", "- d&e.hdf5", "d sub/"}, got)
}

// TestBlocksOnce: every block is requested once, also after a restart, and offline reads use
// the cache alone.
func TestBlocksOnce(t *testing.T) {
	s := newServer(t)
	c := s.far(t)
	want := s.files[bigName]
	f := openFar(t, c, bigName)
	s.spoil(nil)
	got := make([]byte, 5)
	_, err := f.ReadAt(got, 123_456)
	require.NoError(t, err)
	assert.Equal(t, want[123_456:123_461], got)
	requests, sent := s.counts()
	assert.Equal(t, [2]int{1, 10_000}, [2]int{requests, sent})

	all, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, all))
	_, sent = s.counts()
	assert.Equal(t, bigSize, sent)
	require.NoError(t, f.Close())
	_, err = f.ReadAt(got, 0)
	assert.ErrorIs(t, err, fs.ErrClosed)

	memory.Clear()
	again := *c
	again.Offline = true
	all, err = fs.ReadFile(mustTree(t, &again), bigName)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, all))
	_, err = fs.ReadFile(mustTree(t, &again), "data/test/b c.hdf5")
	assert.EqualError(t, err, "read "+flowAddress+"/data/test/b c.hdf5: offline, and the cache lacks this part of the file")
	_, sent = s.counts()
	assert.Equal(t, bigSize, sent)
	_, _, err = again.Open(t.Context(), "https://h/x.hdf5")
	assert.ErrorContains(t, err, "hub: https://h/x.hdf5: offline")
}

func mustTree(t *testing.T, c *Client) *Tree {
	tree, _ := openTree(t, c, flowAddress)
	return tree
}

// TestFetchedFile: a file that was downloaded whole is read without a request.
func TestFetchedFile(t *testing.T) {
	s := newServer(t)
	c := s.far(t)
	require.NoError(t, s.big(t, c))
	s.spoil(nil)
	all, err := fs.ReadFile(mustTree(t, c), bigName)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(s.files[bigName], all))
	requests, _ := s.counts()
	assert.Zero(t, requests)
}

// TestBlockDamage: a damaged block in the cache is requested again.
func TestBlockDamage(t *testing.T) {
	s := newServer(t)
	c := s.far(t)
	_, err := fs.ReadFile(mustTree(t, c), bigName)
	require.NoError(t, err)
	damaged := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(c.Cache, "blocks"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(d.Name(), "3") {
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			raw[len(raw)/2] ^= 1
			require.NoError(t, os.WriteFile(path, raw, 0o644))
			damaged++
		}
		return err
	}))
	require.Positive(t, damaged)
	memory.Clear()
	s.spoil(nil)
	all, err := fs.ReadFile(mustTree(t, c), bigName)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(s.files[bigName], all))
	_, sent := s.counts()
	assert.Equal(t, damaged*10_000, sent)
}

// TestBlockCacheBound: the cache keeps its bound, and a file larger than it can be read.
func TestBlockCacheBound(t *testing.T) {
	s := newServer(t)
	c := s.far(t)
	c.BlockCache = 100_000
	for range 2 {
		memory.Clear()
		all, err := fs.ReadFile(mustTree(t, c), bigName)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(s.files[bigName], all))
		var size int64
		require.NoError(t, filepath.WalkDir(filepath.Join(c.Cache, "blocks"), func(path string, d fs.DirEntry, err error) error {
			if info, err := d.Info(); err == nil && !d.IsDir() {
				size += info.Size()
			}
			return err
		}))
		assert.LessOrEqual(t, size, c.BlockCache)
	}
	t.Setenv("GOWALRUS_BLOCK_CACHE", "2GiB")
	assert.EqualValues(t, 2<<30, FromEnvironment().BlockCache)
	t.Setenv("GOWALRUS_BLOCK_CACHE", "much")
	_, _, err := FromEnvironment().Open(t.Context(), flowAddress)
	assert.ErrorContains(t, err, "the environment variable GOWALRUS_BLOCK_CACHE holds a size such as 50GiB")
}

// TestChecksum: once all blocks of a file are there, it is compared with the hub's checksum.
func TestChecksum(t *testing.T) {
	s := newServer(t)
	c := s.far(t)
	wrong := bytes.Clone(s.files[bigName])
	wrong[77_777] ^= 4
	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) bool {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(wrong))
		return true
	})
	f := openFar(t, c, bigName)
	_, err := io.ReadAll(f)
	require.ErrorContains(t, err, flowAddress+"/"+bigName+": checksum: expected ")
	_, err = f.ReadAt(make([]byte, 1), 0)
	require.ErrorContains(t, err, "the blocks were removed, open the file again")
	s.spoil(nil)
	all, err := fs.ReadFile(mustTree(t, c), bigName)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(s.files[bigName], all))
}

// lies are answers of a server that does not keep to the protocol.
var lies = []struct {
	name string
	lie  func(w http.ResponseWriter, r *http.Request, body []byte) bool
	want string // error of a server that always lies
}{
	{"200", func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
		_, _ = w.Write(body)
		return true
	}, "got 200: the server does not send parts of this file: download it, or give another address"},
	{"other range", func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 1-10000/%d", len(body)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(body[1:10001])
		return true
	}, `range: expected bytes 0-9999/300000, got "bytes 1-10000/300000"`},
	{"no range", func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(body[:10000])
		return true
	}, `range: expected bytes 0-9999/300000, got ""`},
	{"other size", func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
		w.Header().Set("Content-Range", "bytes 0-9999/300001")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(body[:10000])
		return true
	}, `got "bytes 0-9999/300001": if the file has changed, open it again`},
	{"too long", func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		first, last := wanted(r)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(body)))
		w.Header().Set("Content-Length", fmt.Sprint(last-first+11))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(make([]byte, last-first+11))
		return true
	}, "range: expected 10000 bytes, got 10010"},
	{"416", func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return true
	}, "size: expected 300000 bytes, got a file without the bytes 0-9999"},
	{"other tag", func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, rand.Int()))
		return false
	}, "the file has changed, open it again"},
	{"other checksum", func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("X-Linked-Etag", `"5"`)
		return false
	}, "as in the hub's list, got 5: the file has changed, open it again"},
}

// wanted returns the first and last byte of a request.
func wanted(r *http.Request) (first, last int) {
	_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last)
	return first, last
}

// TestLies: a server that always gives wrong answers is asked three times; one that gives
// them once is asked again.
func TestLies(t *testing.T) {
	s := newServer(t)
	for _, tt := range lies {
		var first sync.Once
		s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, body []byte) bool {
			answered := false
			first.Do(func() { answered = tt.name == "other tag" }) // the first answer says the version
			return !answered && tt.lie(w, r, body)
		})
		memory.Clear()
		f := openFar(t, s.far(t), bigName)
		if tt.name == "other tag" {
			_, err := f.ReadAt(make([]byte, 1), bigSize-1)
			require.NoError(t, err)
		}
		_, err := f.ReadAt(make([]byte, 10), 5)
		assert.ErrorContains(t, err, tt.want, tt.name)
		assert.ErrorContains(t, err, "read "+flowAddress+"/"+bigName+": ", tt.name)
		requests, _ := s.counts()
		assert.LessOrEqual(t, requests, 4, tt.name)

		var mu sync.Mutex
		lied := map[int]bool{}
		s.spoil(func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
			_, last := wanted(r)
			mu.Lock()
			again := lied[last]
			lied[last] = true
			mu.Unlock()
			return n > 1 && !again && tt.lie(w, r, body)
		})
		memory.Clear()
		all, err := io.ReadAll(openFar(t, s.far(t), bigName))
		require.NoError(t, err, tt.name)
		assert.True(t, bytes.Equal(s.files[bigName], all), tt.name)
	}
}

// TestServerLies: of a server without a list of sizes, wrong first answers are errors, too.
func TestServerLies(t *testing.T) {
	web := newFolder(t, map[string]string{"a.hdf5": text(bigSize, 1), "small.yaml": "mean"})
	c := &Client{Cache: t.TempDir(), Wait: time.Millisecond, Block: 10_000}
	for _, tt := range []struct {
		lie  func(w http.ResponseWriter)
		want string
	}{
		{func(w http.ResponseWriter) { _, _ = io.WriteString(w, text(bigSize, 1)) }, "got 200: "},
		{func(w http.ResponseWriter) {
			w.Header().Set("Content-Range", "bytes 0-0/*")
			w.WriteHeader(http.StatusPartialContent)
		}, `size: expected the range bytes 0-0/SIZE, got "bytes 0-0/*"`},
		{func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) }, `size: expected the first byte, got the range ""`},
		{func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }, "answers 403 Forbidden"},
	} {
		web.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			tt.lie(w)
			return true
		}
		tree, name := openTree(t, c, web.URL+"/a.hdf5")
		_, err := tree.Open(name)
		assert.ErrorContains(t, err, "open "+web.URL+"/a.hdf5: ")
		assert.ErrorContains(t, err, tt.want)
	}
	// A small file may come whole.
	web.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Range")
		return false
	}
	tree, _ := openTree(t, c, web.URL)
	got, err := fs.ReadFile(tree, "small.yaml")
	require.NoError(t, err)
	assert.Equal(t, "mean", string(got))
}

// TestChangedFile: a file that changes while it is read is an error; opened again, it is read
// with its new content, also from a cache with the old one.
func TestChangedFile(t *testing.T) {
	web := newFolder(t, map[string]string{"a.hdf5": text(50_000, 1)})
	c := &Client{Cache: t.TempDir(), Wait: time.Millisecond, Block: 10_000}
	tree, name := openTree(t, c, web.URL+"/a.hdf5")
	f, err := tree.Open(name)
	require.NoError(t, err)
	_, err = f.(*RemoteFile).ReadAt(make([]byte, 10), 25_000)
	require.NoError(t, err)
	web.mu.Lock()
	web.files["a.hdf5"] = text(50_000, 2)
	web.mu.Unlock()
	_, err = io.ReadAll(f)
	require.ErrorContains(t, err, "the file has changed, open it again")
	tree, _ = openTree(t, c, web.URL)
	got, err := fs.ReadFile(tree, name)
	require.NoError(t, err)
	assert.True(t, text(50_000, 2) == string(got))
}

// TestNoVersion: blocks of a file whose server names no version are not used again.
func TestNoVersion(t *testing.T) {
	web := newFolder(t, map[string]string{"a.hdf5": text(5_000, 1)})
	web.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		w.Header().Del("ETag")
		return false
	}
	c := &Client{Cache: t.TempDir(), Wait: time.Millisecond}
	for seed := byte(1); seed < 3; seed++ {
		web.files["a.hdf5"] = text(5_000, seed)
		tree, name := openTree(t, c, web.URL+"/a.hdf5")
		got, err := fs.ReadFile(tree, name)
		require.NoError(t, err)
		assert.True(t, text(5_000, seed) == string(got))
	}
}

// TestQuery: a query belongs to one file, and messages do not show it.
func TestQuery(t *testing.T) {
	web := newFolder(t, map[string]string{"x/a.hdf5": text(5_000, 1), "x/stats.yaml": "1"})
	web.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.RawQuery != "sig=secret" {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	}
	c := &Client{Cache: t.TempDir(), Wait: time.Millisecond}
	tree, name := openTree(t, c, web.URL+"/x/a.hdf5?sig=secret")
	got, err := fs.ReadFile(tree, name)
	require.NoError(t, err)
	assert.True(t, text(5_000, 1) == string(got))
	for _, other := range []string{"x/stats.yaml", "x"} {
		_, err = tree.Stat(other)
		assert.ErrorIs(t, err, fs.ErrNotExist)
		assert.NotContains(t, err.Error(), "secret")
	}
	tree, name = openTree(t, c, web.URL+"/x/a.hdf5?sig=wrong-secret")
	_, err = tree.Open(name)
	assert.ErrorContains(t, err, "answers 403 Forbidden")
	assert.NotContains(t, err.Error(), "secret")
}

// TestStorage: blocks come from the storage to which the hub redirects. The hub is asked once
// until the storage refuses, and only it receives the token.
func TestStorage(t *testing.T) {
	s := newServer(t)
	var expired atomic.Bool
	var tokens atomic.Int32
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			tokens.Add(1)
		}
		if expired.Load() && r.URL.RawQuery == "signature=1" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("ETag", `"storage"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.files[bigName]))
	}))
	defer storage.Close()
	s.spoil(func(n int, w http.ResponseWriter, r *http.Request, _ []byte) bool {
		http.Redirect(w, r, fmt.Sprintf("%s/blob?signature=%d", storage.URL, n), http.StatusFound)
		return true
	})
	c := s.far(t)
	c.Token = "t"
	f := openFar(t, c, bigName)
	for i := range int64(5) {
		_, err := f.ReadAt(make([]byte, 10), 50_000*i)
		require.NoError(t, err)
	}
	requests, _ := s.counts()
	assert.Equal(t, 1, requests)
	expired.Store(true)
	all, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(s.files[bigName], all))
	assert.Zero(t, tokens.Load())
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Equal(t, "Bearer t", s.tokens[len(s.tokens)-1])
}

// slow answers every request after a pause, and records how many are answered at a time.
type slow struct {
	now, most atomic.Int32
	pause     time.Duration
}

func (s *slow) fault(int, http.ResponseWriter, *http.Request, []byte) bool {
	n := s.now.Add(1)
	for {
		most := s.most.Load()
		if n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	time.Sleep(s.pause)
	s.now.Add(-1)
	return false
}

// TestReadAhead: sequential reads, and reads and prefetches of several blocks, make requests
// in parallel; single reads at random places request nothing else.
func TestReadAhead(t *testing.T) {
	s := newServer(t)
	want := s.files[bigName]
	for _, tt := range []struct {
		name string
		read func(f *RemoteFile) error
	}{
		{"sequential", func(f *RemoteFile) error {
			p := make([]byte, 2500)
			for at := int64(0); at < bigSize; at += 2500 {
				if _, err := f.ReadAt(p, at); err != nil || !bytes.Equal(want[at:at+2500], p) {
					return fmt.Errorf("at %d: %w", at, err)
				}
			}
			return nil
		}},
		{"whole", func(f *RemoteFile) error {
			p := make([]byte, bigSize)
			_, err := f.ReadAt(p, 0)
			assert.True(t, bytes.Equal(want, p))
			return err
		}},
		{"windows", func(f *RemoteFile) error {
			var all sync.WaitGroup
			for i := range int64(4) {
				all.Go(func() { assert.NoError(t, f.Prefetch(t.Context(), 70_000*i, 60_000)) })
			}
			all.Wait()
			requests, _ := s.counts()
			_, err := f.ReadAt(make([]byte, 60_000), 140_000)
			after, _ := s.counts()
			assert.Equal(t, requests, after, "prefetched")
			return err
		}},
	} {
		memory.Clear()
		slow := &slow{pause: 5 * time.Millisecond}
		f := openFar(t, s.far(t), bigName)
		s.spoil(slow.fault)
		require.NoError(t, tt.read(f), tt.name)
		assert.GreaterOrEqual(t, slow.most.Load(), int32(2), tt.name)
		assert.LessOrEqual(t, slow.most.Load(), int32(defaultRequests), tt.name)
	}

	memory.Clear()
	f := openFar(t, s.far(t), bigName)
	s.spoil(nil)
	for _, block := range []int64{3, 20, 9, 27, 1} {
		_, err := f.ReadAt(make([]byte, 100), 10_000*block+50)
		require.NoError(t, err)
	}
	requests, sent := s.counts()
	assert.Equal(t, [2]int{5, 50_000}, [2]int{requests, sent})

	// A range that follows another one is a sequential read.
	memory.Clear()
	f = openFar(t, s.far(t), bigName)
	s.spoil(nil)
	require.NoError(t, f.Prefetch(t.Context(), 0, 35_000))
	require.NoError(t, f.Prefetch(t.Context(), 35_000, 35_000))
	require.Eventually(t, func() bool {
		_, sent := s.counts()
		return sent == 110_000 // blocks 0 to 3, 4 to 6 and, ahead, 7 to 10
	}, 5*time.Second, time.Millisecond)
}

// TestCancel: a prefetch ends with its context, reads end with the tree, and other reads of
// the same block go on.
func TestCancel(t *testing.T) {
	s := newServer(t)
	hold := make(chan struct{})
	arrived := make(chan struct{}, 100)
	s.spoil(func(int, http.ResponseWriter, *http.Request, []byte) bool {
		arrived <- struct{}{}
		<-hold
		return false
	})
	c := s.far(t)
	tree, _, err := c.Open(t.Context(), flowAddress)
	require.NoError(t, err)
	file, err := tree.Open(bigName)
	require.NoError(t, err)
	f := file.(*RemoteFile)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	assert.ErrorIs(t, f.Prefetch(ctx, 0, 10), context.Canceled)
	ends := make(chan error)
	go func() {
		_, err := f.ReadAt(make([]byte, 10), 200_000)
		ends <- err
	}()
	<-arrived
	closed := make(chan error)
	go func() { closed <- tree.Close() }()
	assert.ErrorIs(t, <-ends, context.Canceled)
	assert.NoError(t, <-closed)
	_, err = f.ReadAt(make([]byte, 10), 100_000)
	assert.ErrorIs(t, err, fs.ErrClosed)
	close(hold)
}

// TestFarProperty: reads from a server that fails at random return the bytes of the file.
func TestFarProperty(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		readSpoiled(t, rng)
	}
}

// FuzzFar is TestFarProperty for other seeds.
func FuzzFar(f *testing.F) {
	f.Add(uint64(7))
	f.Fuzz(func(t *testing.T, seed uint64) { readSpoiled(t, rand.New(rand.NewPCG(seed, 2))) })
}

// readSpoiled reads at random places, from several goroutines, from a server that cuts
// connections, refuses and lies.
func readSpoiled(t *testing.T, rng *rand.Rand) {
	s := newServer(t)
	size := 1 + rng.IntN(400_000)
	s.put(bigName, content(size, byte(rng.Uint32())))
	want := s.files[bigName]
	var mu sync.Mutex
	draws := rand.New(rand.NewPCG(rng.Uint64(), 3))
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return draws.IntN(n)
	}
	lied := map[int]int{} // by the end of the range
	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		switch draw(8) {
		case 0:
			w.WriteHeader([]int{429, 500, 502, 503, 408}[draw(5)])
			return true
		case 1: // cut off
			first, last := wanted(r)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(body)))
			w.Header().Set("Content-Length", fmt.Sprint(last-first+1))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(body[first : first+draw(last-first+1)])
			return true
		case 2:
			// Reads end with an error after three lies in a row. They do, too, if the first
			// answer names another version.
			_, last := wanted(r)
			mu.Lock()
			lied[last]++
			n := lied[last]
			mu.Unlock()
			if l := lies[draw(len(lies))]; n < maxStrikes && l.name != "other tag" && len(body) > 20_000 {
				return l.lie(w, r, body)
			}
		case 3:
			time.Sleep(time.Duration(draw(3)) * time.Millisecond)
		}
		return false
	})
	c := s.client(t)
	c.Wait, c.Tries = time.Microsecond, 40
	c.Block = int64(1000 + rng.IntN(60_000))
	c.BlockCache = int64(10_000 + rng.IntN(size))
	c.Parallel = 1 + rng.IntN(6)
	memory.Clear()
	f := openFar(t, c, bigName)
	var all sync.WaitGroup
	for range 4 {
		seed := rng.Uint64()
		all.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 4))
			at := 0
			for range 25 {
				if rng.IntN(2) == 0 {
					at = rng.IntN(size)
				}
				n := 1 + rng.IntN(1+rng.IntN(size))
				if rng.IntN(3) == 0 {
					if err := f.Prefetch(t.Context(), int64(at), int64(n)); err != nil {
						t.Errorf("prefetch: %v", err)
					}
				}
				p := make([]byte, n)
				got, err := f.ReadAt(p, int64(at))
				end := min(at+n, size)
				if end < at+n != (err == io.EOF) || err != nil && err != io.EOF || !bytes.Equal(want[at:end], p[:got]) {
					t.Errorf("%d bytes at %d of %d: got %d, %v", n, at, size, got, err)
					return
				}
				if at = end; at == size {
					at = 0
				}
			}
		})
	}
	all.Wait()
}

package well_test

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/data/well"
)

// sets is the folder of the data sets that the test server has.
var sets = filepath.Join("..", "..", "testdata", "data")

// farServer serves the folder of data sets as a web server, below /web/, and as the hub,
// where each folder is a repository of the owner o. faulty makes it fail at random.
type farServer struct {
	*httptest.Server
	mu     sync.Mutex
	faulty *rand.Rand
	sent   map[string]int64 // bytes of each file
}

func newFarServer(t testing.TB, root string) *farServer {
	if runtime.GOOS == "js" {
		t.Skip("the cache needs file locks, which js/wasm does not have")
	}
	s := &farServer{sent: map[string]int64{}}
	files := http.FileServer(http.Dir(root))
	mux := http.NewServeMux()
	mux.Handle("/web/", http.StripPrefix("/web", s.spoiled(files)))
	mux.HandleFunc("/api/datasets/o/{name}/tree/main", func(w http.ResponseWriter, r *http.Request) {
		list := listing(filepath.Join(root, r.PathValue("name")))
		if list == nil {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(list)
	})
	mux.HandleFunc("/datasets/o/{name}/resolve/main/{path...}", func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/" + r.PathValue("name") + "/" + r.PathValue("path")
		s.spoiled(files).ServeHTTP(w, r)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// listing returns the hub's list of the files in a folder.
func listing(dir string) (out []map[string]any) {
	_ = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(filepath.Join(dir, path))
		entry := map[string]any{"type": "file", "path": path, "size": len(body), "oid": fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(body), body)))}
		if strings.HasSuffix(path, ".hdf5") {
			entry["lfs"] = map[string]any{"oid": fmt.Sprintf("%x", sha256.Sum256(body)), "size": len(body)}
		}
		out = append(out, entry)
		return err
	})
	return out
}

// spoiled counts the bytes that h sends. If the server is faulty, one answer in four is an
// error, a connection that is cut off, or the whole file.
func (s *farServer) spoiled(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		draw := 100
		if s.faulty != nil {
			draw = s.faulty.IntN(16)
		}
		s.mu.Unlock()
		c := &cutter{ResponseWriter: w, s: s, path: r.URL.Path, left: math.MaxInt64}
		switch draw {
		case 0:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case 1:
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case 2:
			c.left = 3000
		}
		h.ServeHTTP(c, r)
	})
}

// cutter sends some of the bytes and ends the connection.
type cutter struct {
	http.ResponseWriter
	s    *farServer
	path string
	left int
}

func (c *cutter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b[:min(len(b), c.left)])
	c.left -= n
	c.s.mu.Lock()
	c.s.sent[c.path] += int64(n)
	c.s.mu.Unlock()
	if n < len(b) {
		return n, errors.Join(err, errors.New("cut off"))
	}
	return n, err
}

// sum returns the number of bytes sent of files whose path contains a word.
func (s *farServer) sum(word string) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, sent := range s.sent {
		if strings.Contains(path, word) {
			n += sent
		}
	}
	return n
}

// client returns a client of the server with small blocks.
func (s *farServer) client(t testing.TB) *hub.Client {
	return &hub.Client{Endpoint: s.URL, Cache: t.TempDir(), Wait: time.Microsecond, Tries: 30, Block: 20_000}
}

// equalWindows compares windows to the bit, but not the names of their files.
func equalWindows(t *testing.T, want, got *data.Window) {
	t.Helper()
	bits := func(w *data.Window) any {
		var all [][]uint32
		for _, values := range append(append([][]float32{w.Constants, w.Times}, w.Coordinates...), w.Frames...) {
			row := make([]uint32, len(values))
			for i, v := range values {
				row[i] = math.Float32bits(v)
			}
			all = append(all, row)
		}
		for _, s := range w.Scalars {
			all = append(all, []uint32{uint32(len(s.Values))})
		}
		return all
	}
	require.Equal(t, bits(want), bits(got))
	require.Equal(t, want.Fields, got.Fields)
	require.Equal(t, want.Boundaries, got.Boundaries)
	require.Equal(t, want.Scalars, got.Scalars)
}

// spans returns random windows of a data set.
func spans(rng *rand.Rand, ds data.Dataset, n int) (out []data.Span) {
	for range n {
		trajectory := rng.IntN(len(ds.Trajectories()))
		steps := ds.Trajectories()[trajectory].Steps
		s := data.Span{Trajectory: trajectory, Stride: 1 + rng.IntN(3), Frames: 1 + rng.IntN(6), Start: rng.IntN(steps)}
		s.Frames = min(s.Frames, (steps-1-s.Start)/s.Stride+1)
		out = append(out, s)
	}
	return out
}

// TestFar: data sets at addresses are those on this machine, to the bit, whatever the server
// does.
func TestFar(t *testing.T) {
	for i, name := range []string{"shear_flow", "acoustic_obstacle_mask", "burgers_3D", "shear_flow_tensor"} {
		s := newFarServer(t, sets)
		local, err := well.Open(filepath.Join(sets, name), well.Options{Split: "train"})
		require.NoError(t, err)
		defer local.Close()
		for k, address := range []string{"hf://datasets/o/" + name, s.URL + "/web/" + name} {
			s.faulty = rand.New(rand.NewPCG(uint64(i), uint64(k)))
			o := well.Options{Split: "train", Hub: s.client(t)}
			if k == 1 {
				o.Hub.BlockCache = 300_000 // less than the files
			}
			far, err := well.Open(address, o)
			require.NoError(t, err)
			assert.Equal(t, local.Metadata(), far.Metadata())
			assert.Equal(t, local.Statistics(), far.Statistics())
			require.Len(t, far.Files(), len(local.Files()))
			for i, f := range far.Files() {
				assert.Equal(t, address+"/data/train/"+filepath.Base(local.Files()[i].Path), f.Path)
				assert.Equal(t, local.Files()[i].Bytes, f.Bytes)
			}
			var all sync.WaitGroup
			for g := range uint64(3) {
				all.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(i), g))
					for _, span := range spans(rng, local, 8) {
						want, err := local.Read(t.Context(), span, nil)
						assert.NoError(t, err)
						got, err := far.Read(t.Context(), span, nil)
						if assert.NoError(t, err) {
							equalWindows(t, want, got)
						}
					}
				})
			}
			all.Wait()
			require.NoError(t, far.Check(t.Context(), nil)) // in sequence
			require.NoError(t, far.Close())
		}
	}
}

// TestFarParts: a window of a data set needs a part of its files, once.
func TestFarParts(t *testing.T) {
	root := t.TempDir()
	big := well.Header{Dataset: "big", Coordinates: [][]float32{ramp(128), ramp(128)}, Times: ramp(60), Trajectories: 1,
		Fields: []data.Field{{Name: "a"}, {Name: "b"}}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}}
	path := filepath.Join(root, "big", "data", "train", "big.hdf5")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
	w, err := well.Create(path, big, well.WriteOptions{})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1)) // another file in every run, since blocks stay in memory
	for step := range 60 {
		frame := make([]float32, 2*128*128)
		for i := range frame {
			frame[i] = rng.Float32()
		}
		require.NoError(t, w.Frame(0, step, frame))
	}
	require.NoError(t, w.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	s := newFarServer(t, root)
	o := well.Options{Hub: s.client(t)}
	local, err := well.Open(path, well.Options{})
	require.NoError(t, err)
	defer local.Close()
	span := data.Span{Start: 30, Stride: 1, Frames: 3}
	want, err := local.Read(t.Context(), span, nil)
	require.NoError(t, err)
	for _, offline := range []bool{false, true} {
		o.Hub.Offline = offline
		far, err := well.Open("hf://datasets/o/big/data/train/big.hdf5", o)
		require.NoError(t, err)
		got, err := far.Read(t.Context(), span, nil)
		require.NoError(t, err)
		equalWindows(t, want, got)
		if offline {
			_, err = far.Read(t.Context(), data.Span{Stride: 1, Frames: 1}, nil)
			assert.ErrorContains(t, err, "well: trajectory 0: hdf5: hf://datasets/o/big/data/train/big.hdf5: /t0_fields/")
			assert.ErrorContains(t, err, "offline, and the cache lacks this part of the file")
		}
		require.NoError(t, far.Close())
		window := int64(4 * 128 * 128 * 2 * 3) // before compression, which keeps more than half of noise
		assert.Greater(t, s.sum("big.hdf5"), window/2)
		assert.Less(t, s.sum("big.hdf5"), window+10*o.Hub.Block, "of %d bytes", info.Size())
	}
}

// ramp returns 0, 1, …
func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	return x
}

// TestFarErrors: errors name the address and the fault.
func TestFarErrors(t *testing.T) {
	s := newFarServer(t, sets)
	o := well.Options{Hub: s.client(t)}
	for address, want := range map[string]string{
		"hf://datasets/o/shear_flow":                  "well: hf://datasets/o/shear_flow: expected one of the splits [test train valid], got \"\"",
		"hf://datasets/o/nowhere":                     "well: hub: list of datasets/o/nowhere@main: ",
		"hf://datasets/o/shear_flow/data/none":        "well: stat hf://datasets/o/shear_flow/data/none: no such file or folder in datasets/o/shear_flow@main",
		s.URL + "/web/none":                           "well: stat " + s.URL + "/web/none: ",
		s.URL + "/web/none.hdf5":                      "well: stat " + s.URL + "/web/none.hdf5: 127.0.0.1",
		s.URL + "/web/shear_flow/stats.yaml":          "well: hdf5: " + s.URL + "/web/shear_flow/stats.yaml: not an HDF5 file",
		s.URL + "/web/broken/01_truncated_half.hdf5":  "well: hdf5: " + s.URL + "/web/broken/01_truncated_half.hdf5: ",
		"hf://models/o/n":                             "expected an address such as hf://datasets/OWNER/NAME",
		s.URL + "/web/sources/PDEArena":               "well: ",
		"hf://datasets/o/broken/11_nan_frames.hdf5/x": "no such file or folder",
	} {
		_, err := well.Open(address, o)
		assert.ErrorContains(t, err, want, address)
	}
	foreign, ok := errors.AsType[*well.ForeignError](second(well.Open(s.URL+"/web/shear_flow/stats.yaml", o)))
	require.True(t, ok)
	assert.Equal(t, s.URL+"/web/shear_flow/stats.yaml", foreign.Path)

	t.Setenv("HF_ENDPOINT", s.URL)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, f := range []func() error{
		func() error { return well.UpdateStatistics(t.Context(), "hf://datasets/o/shear_flow") },
		func() error { return second(well.CreateStatistics(t.Context(), "hf://datasets/o/shear_flow")) },
	} {
		assert.ErrorContains(t, f(), "well: statistics: expected the folder of a data set on this machine, got hf://datasets/o/shear_flow")
	}
}

func second[T any](_ T, err error) error { return err }

// TestFarFunctions: the functions that take paths take addresses.
func TestFarFunctions(t *testing.T) {
	s := newFarServer(t, sets)
	t.Setenv("HF_ENDPOINT", s.URL)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, root := range []string{"hf://datasets/o/shear_flow", s.URL + "/web/shear_flow"} {
		splits, err := well.Splits(root)
		require.NoError(t, err)
		assert.Equal(t, []string{"test", "train", "valid"}, splits)
		want, err := well.Audit(t.Context(), filepath.Join(sets, "shear_flow"))
		require.NoError(t, err)
		got, err := well.Audit(t.Context(), root)
		require.NoError(t, err)
		assert.Equal(t, root, got.Path)
		want.Path = root
		assert.Equal(t, want, got)
		found, err := well.Find(root)
		require.NoError(t, err)
		assert.Equal(t, []string{root}, found)
	}
	found, err := well.Find(s.URL + "/web")
	require.NoError(t, err)
	assert.Contains(t, found, s.URL+"/web/shear_flow")
	ds, err := well.Open(filepath.Join(sets, "shear_flow"), well.Options{Split: "test", Normalization: well.RMS, Statistics: s.URL + "/web/shear_flow/stats.yaml"})
	require.NoError(t, err)
	require.NoError(t, ds.Close())
	out := filepath.Join(t.TempDir(), "few")
	_, err = well.Copy(t.Context(), []string{"hf://datasets/o/shear_flow"}, well.CopyOptions{Out: out, To: 2})
	require.NoError(t, err)
	ds, err = well.Open(out, well.Options{Split: "test"})
	require.NoError(t, err)
	require.NoError(t, ds.Close())
}

// TestFarCancel: a read that waits for the server ends with its context.
func TestFarCancel(t *testing.T) {
	s := newFarServer(t, sets)
	o := well.Options{Hub: s.client(t)}
	o.Hub.Block = 19_999 // blocks that no other test has read
	far, err := well.Open("hf://datasets/o/burgers_3D/data/train", o)
	require.NoError(t, err)
	defer far.Close()
	s.Config.Handler.(*http.ServeMux).HandleFunc("/datasets/o/burgers_3D/resolve/main/{path...}", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	last := far.Trajectories()[len(far.Trajectories())-1]
	_, err = far.Read(ctx, data.Span{Trajectory: len(far.Trajectories()) - 1, Start: last.Steps - 1, Stride: 1, Frames: 1}, nil)
	assert.Equal(t, context.DeadlineExceeded, err)
}

package hub

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWellDataset(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	dir, err := c.WellDataset(context.Background(), "flow", "train")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(c.Cache, "datasets", "polymathic-ai", "flow", "main"), dir)
	s.check(t, dir, "data/train/a.hdf5", "data/train/empty.hdf5", "stats.yaml")
	assert.NoFileExists(t, filepath.Join(dir, "README.md"))
	assert.NoDirExists(t, filepath.Join(dir, "data", "test"))
	entries, err := os.ReadDir(filepath.Join(dir, "data", "train"))
	require.NoError(t, err)
	assert.Len(t, entries, 2, "nothing but the files lies beside them")

	before, _ := s.counts()
	_, err = c.WellDataset(context.Background(), "flow", "train", "train")
	require.NoError(t, err)
	after, _ := s.counts()
	assert.Equal(t, before, after, "nothing is fetched twice")

	_, err = c.WellDataset(context.Background(), "flow")
	require.NoError(t, err)
	s.check(t, dir, "data/test/b c.hdf5")

	_, err = c.WellDataset(context.Background(), "flow", "train", "tset")
	assert.EqualError(t, err, `hub: datasets/polymathic-ai/flow@main: expected splits of [test train], got "tset"`)
	_, err = c.WellDataset(context.Background(), "nowhere")
	assert.ErrorContains(t, err, "hub: list of datasets/polymathic-ai/nowhere@main: ")
	assert.ErrorContains(t, err, "404 Not Found: no such repository, revision or file")
}

func TestWalrus(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	dir, err := c.Walrus(context.Background())
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(c.Cache, "models", "polymathic-ai", "walrus", "main"), dir)
	s.check(t, dir, "walrus.pt", "extended_config.yaml")
}

func TestFetchAll(t *testing.T) {
	s := newServer(t)
	for _, tt := range []struct {
		patterns []string
		want     []string
		err      string
	}{
		{nil, []string{"README.md", "data/test/b c.hdf5", "data/train/a.hdf5", "data/train/empty.hdf5", "stats.yaml"}, ""},
		{[]string{"data/test/"}, []string{"data/test/b c.hdf5"}, ""},
		{[]string{"data/*/[ab]*.hdf5", "*.md", "data/test/"}, []string{"README.md", "data/test/b c.hdf5", "data/train/a.hdf5"}, ""},
		{[]string{"*.md", "*.hdf5"}, nil, `hub: datasets/polymathic-ai/flow@main: expected files that match "*.hdf5", got none among 5`},
		{[]string{"[", "*"}, nil, `hub: datasets/polymathic-ai/flow@main: pattern "[": syntax error in pattern`},
	} {
		c := s.client(t)
		dir, err := c.FetchAll(context.Background(), flow, tt.patterns...)
		if tt.err != "" {
			assert.EqualError(t, err, tt.err)
			continue
		}
		require.NoError(t, err)
		s.check(t, dir, tt.want...)
		var got []string
		for name := range s.files {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				got = append(got, name)
			}
		}
		assert.ElementsMatch(t, tt.want, got)
	}
	_, err := s.client(t).Fetch(context.Background(), flow, "data/test")
	assert.EqualError(t, err, `hub: datasets/polymathic-ai/flow@main: expected file "data/test", got 5 files with other names`)
}

// TestProgress: the reported bytes grow to the size of each file and of all files.
func TestProgress(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	var seen []Progress
	c.Progress = func(p Progress) { seen = append(seen, p) } // the race detector finds concurrent calls
	for range 2 {                                            // from the hub, then from the cache
		seen = nil
		_, err := c.FetchAll(context.Background(), flow)
		require.NoError(t, err)
		done := map[string]int64{}
		for _, p := range seen {
			assert.Equal(t, int64(len(s.files[p.Path])), p.Size)
			assert.LessOrEqual(t, done[p.Path], p.Done)
			done[p.Path] = p.Done
			sum := int64(0)
			for _, n := range done {
				sum += n
			}
			assert.Equal(t, sum, p.AllDone)
		}
		assert.Len(t, done, 5)
		last := seen[len(seen)-1]
		assert.Equal(t, last.AllSize, last.AllDone)
		assert.Equal(t, int64(bigSize+smallSize+len(s.files["README.md"])+len(s.files["stats.yaml"])), last.AllSize)
	}
}

// TestOffline: the cache suffices, and errors name the missing files.
func TestOffline(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	dir, err := c.WellDataset(context.Background(), "flow", "train")
	require.NoError(t, err)
	s.Close()
	c.Offline = true
	got, err := c.WellDataset(context.Background(), "flow", "train")
	require.NoError(t, err)
	assert.Equal(t, dir, got)
	_, err = c.Fetch(context.Background(), flow, "data/train/a.hdf5")
	require.NoError(t, err)
	_, err = c.FetchAll(context.Background(), flow)
	assert.EqualError(t, err, "hub: datasets/polymathic-ai/flow@main: offline, and the cache lacks 2 of 5 files: README.md, data/test/b c.hdf5")
	_, err = c.Walrus(context.Background())
	assert.ErrorContains(t, err, "hub: models/polymathic-ai/walrus@main: offline, and the cache has no list of its files: ")

	// A file that was copied by hand is verified.
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "data", "test"), 0o755))
	byHand := filepath.Join(dir, "data", "test", "b c.hdf5")
	require.NoError(t, os.WriteFile(byHand, content(smallSize, 99), 0o600))
	_, err = c.WellDataset(context.Background(), "flow", "test")
	assert.ErrorContains(t, err, "the cache lacks 1 of 2 files: data/test/b c.hdf5")
	require.NoError(t, os.WriteFile(byHand, s.files["data/test/b c.hdf5"], 0o600))
	_, err = c.WellDataset(context.Background(), "flow", "test")
	require.NoError(t, err)

	// Without its inner folder the cache has no list.
	require.NoError(t, os.RemoveAll(filepath.Join(dir, inner)))
	_, err = c.WellDataset(context.Background(), "flow", "test")
	assert.ErrorContains(t, err, "the cache has no list of its files")
}

// TestFailureStopsOthers: if the hub refuses one of several files, the error names it and
// the other downloads stop.
func TestFailureStopsOthers(t *testing.T) {
	s := newServer(t)
	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		if len(body) == bigSize {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		if len(body) == smallSize {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return true
		}
		return false
	})
	c := s.client(t)
	c.Stall = time.Hour
	_, err := c.FetchAll(context.Background(), flow)
	require.ErrorContains(t, err, "hub: datasets/polymathic-ai/flow@main: data/train/a.hdf5: ")
	assert.ErrorContains(t, err, "403 Forbidden: it needs a token")
}

// TestOneWriter: concurrent downloads of one file by several clients transfer it once.
func TestOneWriter(t *testing.T) {
	s := newServer(t)
	cache := t.TempDir()
	s.spoil(func(_ int, _ http.ResponseWriter, _ *http.Request, _ []byte) bool {
		time.Sleep(20 * time.Millisecond)
		return false
	})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			c := Client{Endpoint: s.URL, Cache: cache}
			assert.NoError(t, s.big(t, &c))
		})
	}
	group.Wait()
	requests, sent := s.counts()
	assert.Equal(t, 1, requests)
	assert.Equal(t, bigSize, sent)
}

// TestLock: nothing is written while another process holds the lock; a lock file that a
// dead process left does not matter.
func TestLock(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	slot := newSlot(filepath.Join(c.Cache, "datasets", "polymathic-ai", "flow", "main"), "data/train/a.hdf5")
	require.NoError(t, os.MkdirAll(filepath.Dir(slot.guard), 0o755))
	lock := flock.New(slot.guard)
	require.NoError(t, lock.Lock())
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Fetch(ctx, flow, "data/train/a.hdf5")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	requests, _ := s.counts()
	assert.Zero(t, requests)
	require.NoError(t, lock.Unlock())
	require.FileExists(t, slot.guard)
	require.NoError(t, s.big(t, c))
}

func ExampleDataset() {
	fmt.Println(Dataset("shear_flow"))
	fmt.Println(Weights())
	// Output:
	// datasets/polymathic-ai/shear_flow@main
	// models/polymathic-ai/walrus@main
}

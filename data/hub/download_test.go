package hub

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cutAfter sends the first n bytes of the requested body or range and closes the
// connection. Without ranges it ignores the requested range.
func (s *server) cutAfter(n int, ranges bool, w http.ResponseWriter, r *http.Request, body []byte) {
	at := 0
	if ranges {
		_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &at)
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)-at))
	if at > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(body)-1, len(body)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = counter{w, s}.Write(body[at:min(at+n, len(body))])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// TestCutConnections: downloads continue after any number of broken connections, and few
// bytes are sent twice.
func TestCutConnections(t *testing.T) {
	for seed := range uint64(3) {
		s := newServer(t)
		var mu sync.Mutex
		rng := rand.New(rand.NewPCG(seed, 1))
		s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, body []byte) bool {
			mu.Lock()
			n := 1 + rng.IntN(60_000)
			mu.Unlock()
			assert.Equal(t, r.Header.Get("Range") != "", r.Header.Get("If-Range") == w.Header().Get("ETag"))
			at := 0
			_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &at)
			if len(body)-at > n {
				s.cutAfter(n, true, w, r, body)
			}
			return false
		})
		c := s.client(t)
		c.Tries = 2
		var log bytes.Buffer
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		dir, err := c.WellDataset(context.Background(), "flow")
		require.NoError(t, err)
		s.check(t, dir, "data/train/a.hdf5", "data/test/b c.hdf5")
		requests, sent := s.counts()
		assert.Greater(t, requests, 8)
		assert.Less(t, sent, bigSize+smallSize+1000)
		assert.Contains(t, log.String(), "what=data/train/a.hdf5")
	}
}

// TestNoRanges: a server without ranges sends the whole file each time; if every attempt
// breaks, the result is an error, not an endless loop.
func TestNoRanges(t *testing.T) {
	s := newServer(t)
	s.spoil(func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		if n <= 3 {
			s.cutAfter(50_000*n, false, w, r, body)
		}
		_, _ = w.Write(body)
		return true
	})
	require.NoError(t, s.big(t, s.client(t)))

	rng := rand.New(rand.NewPCG(1, 1))
	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		s.cutAfter(1+rng.IntN(len(body)-1), false, w, r, body)
		return true
	})
	assert.ErrorContains(t, s.big(t, s.client(t)), "gave up after 8 attempts in a row without progress: the connection broke off after ")
}

// TestResumeLater: a cancelled download leaves a part, which the next client continues.
func TestResumeLater(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := s.client(t)
	c.Progress = func(p Progress) {
		if p.Done == bigSize/2 {
			cancel()
		}
	}
	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = counter{w, s}.Write(body[:bigSize/2])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	_, err := c.Fetch(ctx, flow, "data/train/a.hdf5")
	require.ErrorIs(t, err, context.Canceled)
	assert.EqualError(t, err, "hub: datasets/polymathic-ai/flow@main: context canceled")

	s.spoil(nil)
	again := Client{Endpoint: s.URL, Cache: c.Cache}
	first := int64(-1)
	again.Progress = func(p Progress) {
		if first < 0 {
			first = p.Done
		}
	}
	require.NoError(t, s.big(t, &again))
	assert.Equal(t, int64(bigSize/2), first, "progress goes on where it stopped")
	requests, sent := s.counts()
	assert.Equal(t, 1, requests)
	assert.Equal(t, bigSize/2, sent)
}

// TestKilled: a process that dies between the last byte and the verification leaves a part
// that needs no second download.
func TestKilled(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	require.NoError(t, s.big(t, c))
	f, slot := s.slot(t, c)
	require.NoError(t, os.Rename(slot.path, slot.part))
	require.NoError(t, writeJSON(slot.note, state{File: f, ETag: `"x"`}))
	s.spoil(nil)
	require.NoError(t, s.big(t, c))
	requests, _ := s.counts()
	assert.Zero(t, requests)
}

// slot returns the largest file and its slot in the cache.
func (s *server) slot(t *testing.T, c *Client) (File, slot) {
	files, err := c.List(context.Background(), flow)
	require.NoError(t, err)
	require.Equal(t, "data/train/a.hdf5", files[2].Path)
	dir, err := c.folder(flow)
	require.NoError(t, err)
	return files[2], newSlot(dir, files[2].Path)
}

// TestChangedOnHub: a file that changes is downloaded again, and no bytes of the old
// version, complete or part, get into the new one.
func TestChangedOnHub(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	require.NoError(t, s.big(t, c))
	s.put("data/train/a.hdf5", content(bigSize, 11))
	require.NoError(t, s.big(t, c), "same size, other bytes")

	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		s.cutAfter(30_000, true, w, r, body)
		return true
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.Progress = func(p Progress) {
		if p.Done > 100_000 {
			cancel()
		}
	}
	s.put("data/train/a.hdf5", content(bigSize, 12))
	_, err := c.Fetch(ctx, flow, "data/train/a.hdf5")
	require.ErrorIs(t, err, context.Canceled)
	_, slot := s.slot(t, c)
	require.Greater(t, slot.have(), int64(100_000))
	s.put("data/train/a.hdf5", content(bigSize, 13))
	c.Progress = nil
	s.spoil(nil)
	require.NoError(t, s.big(t, c))
	_, sent := s.counts()
	assert.Equal(t, bigSize, sent, "the part of the old version is not continued")

}

// TestChangedInTheMiddle: a file that changes between the list and the end of the download
// is an error; the next call reads the new list.
func TestChangedInTheMiddle(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	s.spoil(func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		if n == 1 {
			s.put("data/train/a.hdf5", content(bigSize, 14))
			s.cutAfter(1000, true, w, r, body)
		}
		return false
	})
	err := s.big(t, c)
	require.ErrorContains(t, err, "data/train/a.hdf5: checksum: expected ")
	require.ErrorContains(t, err, "if the file has just changed on the hub, list it again")
	require.NoError(t, s.big(t, c))
}

// TestWithoutETag: ranges are requested from a server that sends no ETag or a weak one, and
// the checksum decides.
func TestWithoutETag(t *testing.T) {
	for _, tag := range []string{"", `W/"1"`} {
		s := newServer(t)
		s.spoil(func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
			w.Header().Del("ETag")
			if tag != "" {
				w.Header().Set("ETag", tag)
			}
			assert.Empty(t, r.Header.Get("If-Range"))
			if n == 1 {
				s.cutAfter(1000, true, w, r, body)
			}
			return false
		})
		c := s.client(t)
		require.NoError(t, s.big(t, c))
		_, sent := s.counts()
		assert.Equal(t, bigSize, sent)

		// A part of another version is dropped nevertheless.
		_, slot := s.slot(t, c)
		require.NoError(t, os.Rename(slot.path, slot.part))
		require.NoError(t, os.Truncate(slot.part, 1000))
		s.put("data/train/a.hdf5", content(bigSize, 21))
		s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) bool {
			w.Header().Del("ETag")
			assert.Empty(t, r.Header.Get("Range"))
			return false
		})
		require.NoError(t, s.big(t, c))
		requests, _ := s.counts()
		assert.Equal(t, 1, requests)
	}
}

// TestStall: a connection that stops sending, before or after the first byte, is closed and
// the download continued; a slow connection is not closed.
func TestStall(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	c.Stall = 100 * time.Millisecond
	s.spoil(func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
		switch n {
		case 1: // nothing
			<-r.Context().Done()
		case 2: // a part, then nothing
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = counter{w, s}.Write(body[:5000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case 3: // takes longer than Stall in total, without long pauses
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 5000-%d/%d", len(body)-1, len(body)))
			w.WriteHeader(http.StatusPartialContent)
			for at := 5000; at < len(body); at += 29_500 {
				_, _ = counter{w, s}.Write(body[at : at+29_500])
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}
		return true
	})
	require.NoError(t, s.big(t, c))
	requests, sent := s.counts()
	assert.Equal(t, 3, requests)
	assert.Equal(t, bigSize, sent)

	c = s.client(t)
	c.Stall, c.Tries = 20*time.Millisecond, 2
	s.spoil(func(_ int, _ http.ResponseWriter, r *http.Request, _ []byte) bool {
		<-r.Context().Done()
		return true
	})
	assert.ErrorContains(t, s.big(t, c), "gave up after 2 attempts in a row without progress: no data for 20ms")
}

// TestDisk: an error of the file system is returned at once and names the path.
func TestDisk(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	f, slot := s.slot(t, c)
	require.NoError(t, os.MkdirAll(filepath.Join(slot.part, "in the way"), 0o755))
	require.NoError(t, writeJSON(slot.note, state{File: f}))
	err := s.big(t, c)
	assert.ErrorContains(t, err, "data/train/a.hdf5: open "+slot.part)
	requests, _ := s.counts()
	assert.Equal(t, 1, requests)

	c.Cache = filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(c.Cache, nil, 0o600))
	assert.ErrorContains(t, s.big(t, c), "not a directory")
}

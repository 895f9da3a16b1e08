package hub

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDamage: a file that does not match its checksum is downloaded once more. The second
// mismatch is an error that states the expected checksum, and no part remains.
func TestDamage(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(w http.ResponseWriter, body []byte)
		want  string
	}{
		"wrong bytes": {func(w http.ResponseWriter, body []byte) { _, _ = w.Write(content(len(body), 99)) }, "checksum: expected SUM, got "},
		"too long":    {func(w http.ResponseWriter, body []byte) { _, _ = w.Write(append(bytes.Clone(body), "xy"...)) }, "size: expected 300000 bytes, got 300001"},
		"other length": {func(w http.ResponseWriter, body []byte) {
			w.Header().Set("Content-Length", "7")
			_, _ = w.Write(body[:7])
		}, "size: expected 300000 bytes, got 7"},
		"no content": {func(w http.ResponseWriter, _ []byte) { w.WriteHeader(http.StatusOK) }, "size: expected 300000 bytes, got 0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			c := s.client(t)
			bad := 1
			spoil := func(n int, w http.ResponseWriter, _ *http.Request, body []byte) bool {
				if n <= bad {
					tt.spoil(w, body)
				}
				return n <= bad
			}
			s.spoil(spoil)
			require.NoError(t, s.big(t, c))
			f, slot := s.slot(t, c)
			require.NoError(t, os.Remove(slot.path))
			bad = 9
			s.spoil(spoil)
			err := s.big(t, c)
			require.ErrorContains(t, err, "hub: datasets/polymathic-ai/flow@main: data/train/a.hdf5: "+strings.ReplaceAll(tt.want, "SUM", f.SHA256))
			assert.ErrorContains(t, err, ", twice")
			requests, _ := s.counts()
			assert.Equal(t, 2, requests)
			assert.NoFileExists(t, slot.path)
			assert.NoFileExists(t, slot.part)
		})
	}
}

// TestDamagedBlob: small files are verified by git's SHA-1.
func TestDamagedBlob(t *testing.T) {
	s := newServer(t)
	s.spoil(func(_ int, w http.ResponseWriter, _ *http.Request, body []byte) bool {
		_, _ = w.Write(bytes.ToUpper(body))
		return true
	})
	_, err := s.client(t).Fetch(context.Background(), flow, "stats.yaml")
	// printf 'mean:\n  p: 1.0\n' | git hash-object --stdin
	assert.ErrorContains(t, err, "stats.yaml: checksum: expected ae811649412c0ada5873942f10371ba7f8e66b3b, got ")
}

// TestWrongRanges: an answer with another range than the requested one is not appended.
func TestWrongRanges(t *testing.T) {
	for _, header := range []string{"bytes 0-299999/300000", "bytes 1000-299999/300001", "bytes 1000-299999/*", "nonsense", ""} {
		s := newServer(t)
		s.spoil(func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
			switch n {
			case 1:
				s.cutAfter(1000, true, w, r, body)
			case 2:
				w.Header().Set("Content-Range", header)
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(body)
			}
			return n == 2
		})
		require.NoError(t, s.big(t, s.client(t)), header)
		requests, _ := s.counts()
		assert.Equal(t, 3, requests)
	}

	// If the server has no bytes after the part, the client requests the whole file.
	for _, always := range []bool{false, true} {
		s := newServer(t)
		s.spoil(func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
			if n == 1 {
				s.cutAfter(1000, true, w, r, body)
			}
			if n == 2 || always {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			}
			return n == 2 || always
		})
		if err := s.big(t, s.client(t)); always {
			assert.ErrorContains(t, err, "416 Requested Range Not Satisfiable")
		} else {
			assert.NoError(t, err)
		}
	}
}

// TestAnswered: the offset of the body according to the header of the answer.
func TestAnswered(t *testing.T) {
	d := download{c: &Client{}, f: File{Path: "a", Size: 300}, slot: newSlot(t.TempDir(), "a")}
	for _, tt := range []struct {
		code   int
		length int64
		header string
		at     int64
		want   string
	}{
		{200, 300, "", 0, ""},
		{200, -1, "", 0, ""},
		{200, 200, "", 0, "size: expected 300 bytes, got 200"},
		{206, 200, "bytes 100-299/300", 100, ""},
		{206, 200, "bytes 0-299/300", 0, `range: expected bytes 100-299/300, got "bytes 0-299/300"`},
		{206, 200, "bytes 100-299/301", 0, `range: expected bytes 100-299/300, got "bytes 100-299/301"`},
		{206, 200, "", 0, `range: expected bytes 100-299/300, got ""`},
		{416, 0, "", 0, "size: expected 300 bytes, got at most the 100 of the part"},
	} {
		at, err := d.answered(&http.Response{StatusCode: tt.code, ContentLength: tt.length, Header: http.Header{"Content-Range": {tt.header}}}, 100)
		assert.Equal(t, tt.at, at)
		if tt.want == "" {
			assert.NoError(t, err)
			continue
		}
		var bad *damaged
		assert.ErrorAs(t, err, &bad)
		assert.EqualError(t, err, tt.want)
	}
}

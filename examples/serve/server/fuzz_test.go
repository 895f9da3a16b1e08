package server

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/nano"
)

func marshal(tb testing.TB, v any) []byte {
	tb.Helper()
	raw, err := json.Marshal(v)
	require.NoError(tb, err)
	return raw
}

// fuzzServer is a server that only reads requests.
func fuzzServer(f *testing.F) (*Server, *Model) {
	manifest, err := nano.Manifest()
	require.NoError(f, err)
	m, err := NewModel("fuzz", manifest.Config, nil, nil)
	require.NoError(f, err)
	s, err := New(Options{MaxPoints: 4096})
	require.NoError(f, err)
	return s, m
}

// FuzzRequests: no body makes the readers of requests panic, and the frames of an
// accepted body have the right size.
func FuzzRequests(f *testing.F) {
	s, m := fuzzServer(f)
	f.Add(marshal(f, body(nil)))
	f.Add([]byte(`{"system": "acoustics", "grid": [8, 8], "initial": "AAAAAA==", "boundaries": ["wall", "open/wall"], "steps": 3}`))
	f.Add([]byte(`{"grid": [99999999999], "frames": [null], "boundaries": [""]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if j, err := s.forecastJob(m, text, nil); err == nil {
			assert.NoError(t, j.ready.window.Validate())
		}
		_, _ = s.simulateJob(m, text, nil)
		var q startRequest
		_ = decode(text, &q)
	})
}

// FuzzRecords: no record makes its reader panic, and a record that was read is written
// back unchanged.
func FuzzRecords(f *testing.F) {
	s, m := fuzzServer(f)
	var raw bytes.Buffer
	require.NoError(f, writeRecord(&raw, record{kind: "x", meta: map[string]any{"steps": 1}, arrays: []array{{"frames", []float32{1, 2}}}}))
	f.Add(raw.Bytes())
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		header, arrays, err := splitRecord(text)
		if err != nil {
			return
		}
		total := 0
		for _, a := range arrays {
			total += 4 * len(a)
		}
		assert.Equal(t, len(text), 8+len(header)+total)
		_, _ = s.forecastJob(m, header, arrays)
		_, _ = s.simulateJob(m, header, arrays)
	})
}

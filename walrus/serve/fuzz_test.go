package serve

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
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
	m, err := NewModel("fuzz", manifest.Config, &fake{})
	require.NoError(f, err)
	s, err := New(nil, Options{MaxPoints: 4096})
	require.NoError(f, err)
	return s, m
}

// bodyOf returns an input that reads a body.
func (s *Server) bodyOf(tb testing.TB, kind string, text []byte) (*input, error) {
	r := httptest.NewRequest("POST", "http://localhost/v1/forecast", bytes.NewReader(text))
	r.Header.Set("Content-Type", kind)
	l := s.budget.lease("fuzz")
	tb.Cleanup(l.release)
	return s.open(httptest.NewRecorder(), r, l)
}

// FuzzRequests: no body makes the readers of requests panic or take more memory than a
// request may, and the frames of an accepted body have the right size. The first byte
// chooses between JSON and the binary form.
func FuzzRequests(f *testing.F) {
	s, m := fuzzServer(f)
	for _, text := range [][]byte{
		marshal(f, body(nil)),
		[]byte(`{"system": "acoustics", "grid": [8, 8], "initial": "AAAAAA==", "boundaries": ["wall", "open/wall"], "steps": 3}`),
		[]byte(`{"grid": [99999999999], "frames": [null], "boundaries": [""]}`),
		[]byte(`{"fields":[` + strings.Repeat("{},", 1000) + `{}]}`),
		[]byte(`{"frames":[` + strings.Repeat(`"",`, 1000) + `""]}`),
		[]byte(`{"parameters":{` + strings.Repeat(`"a":1,`, 1000) + `"b":1}}`),
		[]byte(strings.Repeat("[", 1000)),
	} {
		f.Add(append([]byte("J"), text...))
	}
	var raw bytes.Buffer
	require.NoError(f, writeRecord(&raw, record{kind: "x", meta: map[string]any{"steps": 1}, arrays: []array{{"frames", []float32{1, 2}}}}))
	f.Add(append([]byte("B"), raw.Bytes()...))
	f.Add(append([]byte("B"), packRequest(f, body(nil), array{"frames", ramp(128, 0)})...))
	f.Add([]byte{'B', 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 {
			return
		}
		kind := "application/json"
		if text[0] == 'B' {
			kind = mediaType
		}
		for _, make := range []maker{s.forecastJob, s.simulateJob, func(_ *Model, in *input) (*job, error) {
			_, err := in.startRequest()
			return nil, err
		}} {
			in, err := s.bodyOf(t, kind, text[1:])
			if err != nil {
				continue
			}
			j, err := make(m, in)
			assert.LessOrEqual(t, in.lease.held, int64(1<<16+8*len(text)))
			if err == nil && j != nil && j.ready != nil {
				assert.NoError(t, j.ready.window.Validate())
			}
		}
	})
}

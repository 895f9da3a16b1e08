package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// fake forecasts persistence. Its steps wait for gate, if it is set.
type fake struct {
	gate   chan struct{}
	panics bool
	closed atomic.Int32
	steps  atomic.Int32
}

func (f *fake) Close() { f.closed.Add(1) }

// History returns the numbers of an emulator.
func (f *fake) History(axes int) int { return (*walrus.Emulator)(nil).History(axes) }

// Rollout checks the context before every step, as an emulator does.
func (f *fake) Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[walrus.Frame, error] {
	return func(yield func(walrus.Frame, error) bool) {
		for k := range steps {
			if f.gate != nil {
				select {
				case <-f.gate:
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				yield(walrus.Frame{}, context.Cause(ctx))
				return
			}
			if f.panics && k == 1 {
				panic("a bug")
			}
			f.steps.Add(1)
			if !yield(walrus.Frame{Step: k + 1, Values: clone(w.Frames[len(w.Frames)-1])}, nil) {
				return
			}
		}
	}
}

// clone copies a frame, which the caller of an emulator owns.
func clone(v []float32) []float32 { return append([]float32(nil), v...) }

// serve starts a server with a forecaster. It ends with the test.
func serve(t *testing.T, f walrus.Forecaster, o Options) (*Server, string) {
	t.Helper()
	manifest, err := nano.Manifest()
	require.NoError(t, err)
	m, err := NewModel("fake", manifest.Config, f)
	require.NoError(t, err)
	s, err := New(m, o)
	require.NoError(t, err)
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		if f, ok := f.(*fake); ok && f.gate != nil {
			close(f.gate)
		}
		s.Close()
		h.Close()
	})
	return s, h.URL
}

// real returns an emulator of walrus-nano.
func real(t *testing.T) *walrus.Emulator {
	t.Helper()
	em, err := nano.Load(walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 1})
	require.NoError(t, err)
	t.Cleanup(em.Close)
	return em
}

// body returns a valid request for a small forecast, changed by a function.
func body(change func(map[string]any)) map[string]any {
	b := map[string]any{
		"fields": []any{map[string]any{"name": "concentration"}}, "grid": []int{8, 8}, "boundaries": []string{"periodic", "wall/open"},
		"frames": []any{ramp(64, 0), ramp(64, 1)}, "steps": 2,
	}
	if change != nil {
		change(b)
	}
	return b
}

// ramp returns n different values.
func ramp(n int, add float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i%13)/7 + add
	}
	return out
}

// post sends JSON and returns status, header and body of the answer.
func post(t *testing.T, url, accept string, request any) (int, http.Header, []byte) {
	t.Helper()
	text, ok := request.(string)
	if !ok {
		raw, err := json.Marshal(request)
		require.NoError(t, err)
		text = string(raw)
	}
	return send(t, url, "application/json", accept, []byte(text))
}

func send(t *testing.T, url, kind, accept string, text []byte) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequest("POST", url, bytes.NewReader(text))
	require.NoError(t, err)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", accept)
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	return a.StatusCode, a.Header, raw
}

// open starts a stream and leaves it open.
func open(t *testing.T, ctx context.Context, url string, request any) *http.Response {
	t.Helper()
	raw, err := json.Marshal(request)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(raw))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { a.Body.Close() })
	return a
}

// event is one server-sent event.
type event struct {
	kind string
	data map[string]any
}

// events reads the events of a stream until its end.
func events(t *testing.T, from io.Reader) []event {
	t.Helper()
	var out []event
	scan := bufio.NewScanner(from)
	scan.Buffer(nil, 1<<24)
	for scan.Scan() {
		line := scan.Text()
		if kind, ok := strings.CutPrefix(line, "event: "); ok {
			out = append(out, event{kind: kind})
		}
		if text, ok := strings.CutPrefix(line, "data: "); ok {
			require.NoError(t, json.Unmarshal([]byte(text), &out[len(out)-1].data))
		}
	}
	return out
}

// array of an event.
func (e event) array(t *testing.T, name string) []float32 {
	t.Helper()
	raw, err := json.Marshal(e.data[name])
	require.NoError(t, err)
	values, err := newJSON(bytes.NewReader(raw), nil).values(name, len(raw))
	require.NoError(t, err)
	return values
}

// kinds lists the events.
func kinds(list []event) string {
	var out []string
	for _, e := range list {
		out = append(out, e.kind)
	}
	return strings.Join(out, " ")
}

// fault decodes the problem in an answer.
func fault(t *testing.T, raw []byte) problem {
	t.Helper()
	var p struct{ Error problem }
	require.NoError(t, json.Unmarshal(raw, &p), string(raw))
	return p.Error
}

// readRecord reads one record of a stream.
func readRecord(r io.Reader) (header map[string]any, arrays map[string][]float32, err error) {
	n, bytes, err := readLengths(r)
	if err != nil {
		return nil, nil, err
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, nil, err
	}
	var list struct{ Arrays []section }
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, nil, err
	}
	arrays = map[string][]float32{}
	for _, s := range list.Arrays {
		v := valueList{field: s.Name, most: int(bytes)}
		if err := v.read(io.LimitReader(r, 4*s.Count)); err != nil {
			return nil, nil, err
		}
		arrays[s.Name] = v.list
	}
	return header, arrays, json.Unmarshal(text, &header)
}

// eventually waits for a condition of a server.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, 2*time.Millisecond, what)
}

// count reads a metric.
func count(t *testing.T, s *Server, name string) float64 {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			require.NoError(t, err)
			return v
		}
	}
	return 0
}

package serve

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestQueueFull: a full queue answers 429 with Retry-After, a client's full share
// earlier. Places that are released can be used again.
func TestQueueFull(t *testing.T) {
	f := &fake{gate: make(chan struct{})}
	s, url := serve(t, f, Options{Queue: 3, Share: 2, Workers: 1, Proxy: true})
	as := func(client string) *http.Response {
		r := httptest.NewRequest("POST", url+"/v1/forecast", nil)
		w := httptest.NewRecorder()
		r.RemoteAddr, r.Header = "10.0.0.1:5", http.Header{"X-Forwarded-For": {client}, "Content-Type": {"application/json"}}
		r.Body = io.NopCloser(bytes.NewReader(marshal(t, body(nil))))
		s.ServeHTTP(w, r)
		return w.Result()
	}
	ends := make(chan int, 3)
	for i, client := range []string{"7.0.0.1", "7.0.0.1", "7.0.0.2"} {
		go func() { ends <- as(client).StatusCode }()
		eventually(t, "admission", func() bool { return s.queue.stats().admitted == i+1 })
		if i == 1 {
			a := as("7.0.0.1")
			assert.Equal(t, http.StatusTooManyRequests, a.StatusCode)
			raw, _ := io.ReadAll(a.Body)
			assert.Contains(t, fault(t, raw).Message, "expected at most 2 forecasts of one client at once")
		}
	}
	a := as("7.0.0.3")
	assert.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	after, err := strconv.Atoi(a.Header.Get("Retry-After"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, after, 1)
	raw, _ := io.ReadAll(a.Body)
	assert.Equal(t, "queue_full", fault(t, raw).Code)
	assert.Equal(t, 1.0, count(t, s, `walrus_refused_total{reason="queue_full"}`))
	assert.Equal(t, 1.0, count(t, s, `walrus_refused_total{reason="share_used_up"}`))
	for range 6 {
		f.gate <- struct{}{}
	}
	for range 3 {
		assert.Equal(t, http.StatusOK, <-ends)
	}
	go func() { ends <- as("7.0.0.3").StatusCode }()
	f.gate <- struct{}{}
	f.gate <- struct{}{}
	assert.Equal(t, http.StatusOK, <-ends)
}

// TestClientLeaves: a client leaves during a step, while waiting for a worker, or after
// half an answer. Its place and worker are released, and no more steps are computed.
func TestClientLeaves(t *testing.T) {
	f := &fake{gate: make(chan struct{})}
	s, url := serve(t, f, Options{Workers: 1})
	long := body(with("steps", 200))
	ctx, leave := context.WithCancel(context.Background())
	first := open(t, ctx, url+"/v1/forecast", long) // headers arrive at once, steps wait
	require.Equal(t, http.StatusOK, first.StatusCode)
	f.gate <- struct{}{}
	second, leaveToo := context.WithCancel(context.Background())
	open(t, second, url+"/v1/forecast", long)
	eventually(t, "one works, one waits", func() bool { return s.queue.stats() == load{2, 1, 1} })
	leaveToo()
	eventually(t, "who waited is gone", func() bool { return s.queue.stats() == load{1, 0, 1} })
	leave()
	eventually(t, "who worked is gone", func() bool { return s.queue.stats() == load{} })
	eventually(t, "both are counted", func() bool { return count(t, s, `walrus_forecasts_total{end="client"}`) == 2 })
	assert.EqualValues(t, 1, f.steps.Load())
}

// TestClientLeavesBetweenSteps: a client leaves while another's step holds the only
// worker.
func TestClientLeavesBetweenSteps(t *testing.T) {
	f := &fake{gate: make(chan struct{})}
	s, url := serve(t, f, Options{Workers: 1})
	ctx, leave := context.WithCancel(context.Background())
	open(t, ctx, url+"/v1/forecast", body(with("steps", 200)))
	eventually(t, "one works", func() bool { return s.queue.stats() == load{1, 0, 1} })
	open(t, context.Background(), url+"/v1/forecast", body(with("steps", 200)))
	eventually(t, "one waits", func() bool { return s.queue.stats() == load{2, 1, 1} })
	f.gate <- struct{}{} // the first client's step; now the second works and the first waits
	eventually(t, "they change places", func() bool { return f.steps.Load() == 1 && s.queue.stats() == load{2, 1, 1} })
	leave()
	eventually(t, "the first is gone", func() bool { return s.queue.stats() == load{1, 0, 1} })
	assert.Zero(t, count(t, s, "walrus_panics_total"))
}

// TestSlowReader: a client that does not read the answer loses its place.
func TestSlowReader(t *testing.T) {
	s, url := serve(t, &fake{}, Options{WriteTimeout: 100 * time.Millisecond, MaxBody: 1 << 24})
	big := body(func(b map[string]any) {
		b["grid"], b["frames"], b["steps"] = []int{128, 128}, []any{packed(ramp(128*128, 0))}, 200
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	text := marshal(t, big)
	_, err = conn.Write([]byte("POST /v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nContent-Length: " + strconv.Itoa(len(text)) + "\r\n\r\n"))
	require.NoError(t, err)
	_, err = conn.Write(text)
	require.NoError(t, err)
	eventually(t, "it is counted as gone", func() bool { return count(t, s, `walrus_forecasts_total{end="client"}`) == 1 })
	assert.Equal(t, load{}, s.queue.stats())
}

// TestTimeout: the timeout is reported in both forms of answers.
func TestTimeout(t *testing.T) {
	s, url := serve(t, &fake{gate: make(chan struct{})}, Options{Timeout: 80 * time.Millisecond})
	status, _, raw := post(t, url+"/v1/forecast", "application/json", body(nil))
	assert.Equal(t, http.StatusGatewayTimeout, status)
	assert.Equal(t, "timeout", fault(t, raw).Code)
	_, _, raw = post(t, url+"/v1/forecast", "text/event-stream", body(nil))
	list := events(t, bytes.NewReader(raw))
	require.Equal(t, "start error", kinds(list))
	assert.Equal(t, "timeout", list[1].data["error"].(map[string]any)["code"])
	assert.Equal(t, 2.0, count(t, s, `walrus_forecasts_total{end="timeout"}`))
}

// TestDrain: no forecast is admitted any more, running forecasts may end.
func TestDrain(t *testing.T) {
	f := &fake{gate: make(chan struct{})}
	s, url := serve(t, f, Options{})
	a := open(t, context.Background(), url+"/v1/forecast", body(nil))
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(context.Background()) }()
	ready := func() int {
		a, err := http.Get(url + "/readyz")
		require.NoError(t, err)
		a.Body.Close()
		return a.StatusCode
	}
	eventually(t, "not ready", func() bool { return ready() == http.StatusServiceUnavailable })
	status, header, raw := post(t, url+"/v1/forecast", "application/json", body(nil))
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "10", header.Get("Retry-After"))
	assert.Equal(t, "draining", fault(t, raw).Code)
	f.gate <- struct{}{}
	f.gate <- struct{}{}
	assert.Equal(t, "start frame frame end", kinds(events(t, a.Body)))
	assert.NoError(t, <-drained)
	s.Close()
	s.Close()
	assert.Zero(t, f.closed.Load(), "the model is the caller's")
}

// TestDrainCancels: a client whose forecast takes too long gets an error.
func TestDrainCancels(t *testing.T) {
	f := &fake{gate: make(chan struct{})}
	s, url := serve(t, f, Options{Workers: 1})
	working := open(t, context.Background(), url+"/v1/forecast", body(nil))
	waiting := open(t, context.Background(), url+"/v1/forecast", body(nil))
	eventually(t, "one works, one waits", func() bool { return s.queue.stats() == load{2, 1, 1} })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, s.Drain(ctx), context.DeadlineExceeded)
	for _, a := range []*http.Response{working, waiting} {
		list := events(t, a.Body)
		require.Equal(t, "start error", kinds(list))
		assert.Equal(t, "shutdown", list[1].data["error"].(map[string]any)["code"])
	}
	assert.Equal(t, 2.0, count(t, s, `walrus_forecasts_total{end="shutdown"}`))
}

// TestLoading: requests before the network is loaded get 503.
func TestLoading(t *testing.T) {
	s, err := New(nil, Options{})
	require.NoError(t, err)
	defer s.Close()
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 503, "/v1/model": 503, "/v1/systems": 503, "/": 200, "/metrics": 200} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
		assert.Equal(t, status, w.Code, path)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("POST", "http://localhost/v1/forecast", nil))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "loading", fault(t, w.Body.Bytes()).Code)
	assert.Equal(t, "2", w.Header().Get("Retry-After"))
}

// TestPanic: a panic fails one request and affects no other.
func TestPanic(t *testing.T) {
	s, url := serve(t, &fake{panics: true}, Options{Workers: 1})
	status, _, raw := post(t, url+"/v1/forecast", "application/json", body(nil))
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Equal(t, "failed", fault(t, raw).Code)
	a := open(t, context.Background(), url+"/v1/forecast", body(nil))
	_, err := io.ReadAll(a.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "half an answer must not look whole")
	status, _, _ = post(t, url+"/v1/forecast", "application/json", body(with("steps", 1)))
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, 2.0, count(t, s, "walrus_panics_total"))
	assert.Equal(t, load{}, s.queue.stats())
}

// TestConcurrent: many concurrent clients of all kinds get the answers that each would
// get alone, and no goroutine or place remains in use.
func TestConcurrent(t *testing.T) {
	s, url := serve(t, real(t), Options{Queue: 100, Share: 100})
	var want []string
	request := func(k int) map[string]any {
		return body(func(b map[string]any) { b["frames"] = []any{ramp(64, float32(k)), ramp(64, float32(k)+0.5)} })
	}
	forecasts := func(raw []byte) string {
		var out strings.Builder
		for _, e := range events(t, bytes.NewReader(raw)) {
			text, _ := e.data["forecast"].(string)
			out.WriteString(text)
		}
		return out.String()
	}
	for k := range 3 {
		_, _, raw := post(t, url+"/v1/forecast", "text/event-stream", request(k))
		want = append(want, forecasts(raw))
	}
	before := runtime.NumGoroutine()
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			switch i % 4 {
			case 0:
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
				defer cancel()
				r, _ := http.NewRequestWithContext(ctx, "POST", url+"/v1/forecast", bytes.NewReader(marshal(t, request(0))))
				r.Header.Set("Content-Type", "application/json")
				if a, err := http.DefaultClient.Do(r); err == nil {
					a.Body.Close()
				}
			case 1:
				status, _, _ := post(t, url+"/v1/forecast", "", body(with("steps", -1)))
				assert.Equal(t, http.StatusUnprocessableEntity, status)
			default:
				_, _, raw := post(t, url+"/v1/forecast", "text/event-stream", request(i%3))
				assert.Equal(t, want[i%3], forecasts(raw))
			}
		})
	}
	group.Wait()
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "all places are given back", func() bool { return s.queue.stats() == load{} })
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	assert.Zero(t, count(t, s, "walrus_panics_total"))
}

// TestClientNames: requests are counted in the share of the right client.
func TestClientNames(t *testing.T) {
	plain, err := New(nil, Options{})
	require.NoError(t, err)
	proxied, err := New(nil, Options{Proxy: true})
	require.NoError(t, err)
	for _, c := range []struct {
		s            *Server
		remote, list string
		want         string
	}{
		{plain, "1.2.3.4:55", "9.9.9.9", "1.2.3.4"}, {proxied, "1.2.3.4:55", "8.8.8.8, 9.9.9.9", "9.9.9.9"}, {proxied, "1.2.3.4:55", "", "1.2.3.4"},
		{plain, "[2001:db8:1:2:3::4]:55", "", "2001:db8:1:2::/64"}, {plain, "[::ffff:1.2.3.4]:55", "", "1.2.3.4"}, {plain, "pipe", "", "pipe"}, {proxied, "1.2.3.4:55", "junk", "junk"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.list != "" {
			r.Header.Set("X-Forwarded-For", c.list)
		}
		assert.Equal(t, c.want, c.s.client(r))
	}
}

// TestOptions: invalid options are refused.
func TestOptions(t *testing.T) {
	assert.NoError(t, Options{}.Validate())
	_, err := New(nil, Options{Workers: -1})
	assert.EqualError(t, err, "serve: options: Workers: expected a positive number, got -1")
	_, err = New(nil, Options{Queue: 4, Share: 5})
	assert.EqualError(t, err, "serve: options: expected a share of at most the queue (4), got 5")
}

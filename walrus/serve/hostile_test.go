package serve

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endless repeats a text for ever.
type endless struct {
	text string
	read int64
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.text[e.read%int64(len(e.text))]
		e.read++
	}
	return len(b), nil
}

// TestHostileBodies: lists that have too many items are refused after the first that is
// too many, and their memory is bounded by the values that a request may have.
func TestHostileBodies(t *testing.T) {
	s, _ := serve(t, &fake{}, Options{MaxValues: 1 << 16, MaxBody: 1 << 40, MaxMemory: 1 << 24})
	for _, c := range []struct {
		start, repeat, want string
		most                int64
	}{
		{`{"fields":[`, `{},`, "fields: expected at most 32, got 33 or more", 1 << 13},
		{`{"frames":[`, `"",`, "frames: expected 1 to 16 frames, got 17 or more", 1 << 13},
		{`{"frames":[`, `[],`, "frames: expected 1 to 16 frames, got 17 or more", 1 << 13},
		{`{"frames":[[`, `1,`, "frames[0]: expected at most 65536 values, got more", 1 << 18},
		{`{"frames":["`, `AAAA`, "frames[0]: expected at most 65536 values, got more", 1 << 19},
		{`{"constants":[`, `1,`, "constants: expected at most 65536 values, got more", 1 << 18},
		{`{"grid":[`, `1,`, "grid: expected 1 to 3 axes, got 4 or more", 1 << 13},
		{`{"boundaries":[`, `"",`, "boundaries: expected at most 3, got 4 or more", 1 << 13},
		{`{"boundaries":["`, `a`, "boundaries[0]: expected a text of at most 256 bytes, got more", 1 << 13},
		{`{"arrays":[`, `{},`, "arrays: expected at most 8, got 9 or more", 1 << 13},
		{`{"steps":`, `1`, "expected numbers of at most 256 bytes, got more", 1 << 13},
		{`{"`, `a`, "expected a text of at most 256 bytes, got more", 1 << 13},
		{`{"steps":1,`, `"steps":1,`, "steps: expected this key once, got it twice", 1 << 13},
		{`{"frames":`, `[`, "expected numbers within float32, got array", 1 << 13},
	} {
		from := &endless{text: c.repeat}
		r := httptest.NewRequest("POST", "http://localhost/v1/forecast", io.MultiReader(strings.NewReader(c.start), from))
		r.ContentLength = -1
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		assert.Contains(t, fault(t, w.Body.Bytes()).Message, c.want)
		assert.LessOrEqual(t, from.read, c.most, c.want)
	}
	assert.Zero(t, s.budget.bytes())
	assert.Empty(t, s.budget.clients)
}

// TestNumbersOfParameters: a request has at most as many parameters as any system.
func TestNumbersOfParameters(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	var list []string
	for i := range 65 {
		list = append(list, fmt.Sprintf(`"p%d":1`, i))
	}
	status, _, raw := post(t, url+"/v1/start", "", `{"system":"diffusion","parameters":{`+strings.Join(list, ",")+`}}`)
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Equal(t, "parameters: expected at most 64 keys, got more", fault(t, raw).Message)
}

// TestSlowBodies: half-sent bodies of others hold no place in the queue.
func TestSlowBodies(t *testing.T) {
	s, url := serve(t, &fake{}, Options{Queue: 4, Share: 4, Proxy: true})
	for i := range 16 {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		require.NoError(t, err)
		defer c.Close()
		fmt.Fprintf(c, "POST /v1/forecast HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 7.0.0.%d\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", i/4)
	}
	eventually(t, "all are being read", func() bool {
		s.queue.mu.Lock()
		defer s.queue.mu.Unlock()
		n := 0
		for _, c := range s.queue.clients {
			n += c.requests
		}
		return n == 16
	})
	status, _, raw := post(t, url+"/v1/forecast", "", body(nil))
	assert.Equal(t, http.StatusOK, status, "%s", raw)

	// A client that sends as many at once as it may gets no further ones.
	r, err := http.NewRequest("POST", url+"/v1/forecast", strings.NewReader("{}"))
	require.NoError(t, err)
	r.Header = http.Header{"X-Forwarded-For": {"7.0.0.3"}, "Content-Type": {"application/json"}}
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	a.Body.Close()
	assert.Equal(t, http.StatusTooManyRequests, a.StatusCode)
}

// TestBudget: the values of all requests together, and those of one client, are bounded;
// memory that is released can be used again.
func TestBudget(t *testing.T) {
	b := newBudget(Options{Queue: 8, Share: 2, MaxMemory: 1000, MaxValues: 10}.withDefaults())
	x, y, z := b.lease("x"), b.lease("y"), b.lease("x")
	assert.NoError(t, x.charge(200))
	assert.NoError(t, z.charge(50))
	assert.Equal(t, errMemory, x.charge(1), "a quarter is the client's share")
	for i := range 3 {
		assert.NoError(t, b.lease(fmt.Sprint(i)).charge(250))
	}
	assert.Equal(t, errMemory, y.charge(1))
	x.release()
	assert.NoError(t, y.charge(200))
	assert.EqualValues(t, 1000, b.bytes())
}

// TestMemory: requests whose values exceed the budget get 429, in both forms, while their
// bodies are read.
func TestMemory(t *testing.T) {
	f := &fake{gate: make(chan struct{})}
	s, url := serve(t, f, Options{MaxValues: 1000, MaxMemory: 12000, Share: 8, Queue: 8, Workers: 1})
	large := body(func(b map[string]any) { b["frames"] = []any{ramp(900, 0)} })
	for range 3 {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		require.NoError(t, err)
		defer c.Close()
		fmt.Fprintf(c, "POST /v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n{\"frames\":[[%s", strings.Repeat("1,", 900))
	}
	eventually(t, "the budget is used", func() bool { return s.budget.bytes() == 12000 })
	status, header, raw := post(t, url+"/v1/forecast", "", large)
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.NotEmpty(t, header.Get("Retry-After"))
	assert.Equal(t, "memory", fault(t, raw).Code)
	status, _, raw = send(t, url+"/v1/forecast", mediaType, "", packRequest(t, body(nil), array{"frames", ramp(128, 0)}))
	assert.Equal(t, http.StatusTooManyRequests, status, "%s", raw)
	assert.Equal(t, 2.0, count(t, s, `walrus_refused_total{reason="memory"}`))
	assert.Equal(t, 12000.0, count(t, s, "walrus_request_bytes"))
}

// TestSlowDeadline: a body that does not arrive in time is refused, and its memory is
// released.
func TestSlowDeadline(t *testing.T) {
	s, url := serve(t, &fake{}, Options{BodyTimeout: 100 * time.Millisecond})
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprintf(c, "POST /v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n{\"frames\":[[%s", strings.Repeat("1,", 900))
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	assert.Contains(t, string(answer), "408 Request Timeout")
	eventually(t, "memory is released", func() bool { return s.budget.bytes() == 0 })
}

// TestNames: requests to other names, and requests of pages of other origins, are refused.
func TestNames(t *testing.T) {
	s, _ := serve(t, &fake{}, Options{Hosts: []string{"walrus.example"}, Origins: []string{"https://paint.example"}})
	for _, c := range []struct {
		host, origin string
		status       int
	}{
		{"localhost", "", 200}, {"LOCALHOST:8080", "", 200}, {"127.0.0.1:8080", "", 200}, {"[::1]:8080", "", 200}, {"[::1]", "", 200}, {"10.1.2.3", "", 200},
		{"a.localhost", "", 200}, {"localhost.", "", 200}, {"walrus.example:80", "", 200}, {"Walrus.Example.", "", 200},
		{"evil.example", "", 421}, {"evil.example:8080", "", 421}, {"127.0.0.1.evil.example", "", 421}, {"localhost.evil.example", "", 421}, {"", "", 421},
		{"localhost:8080", "http://localhost:8080", 200}, {"walrus.example", "https://walrus.example", 200}, {"localhost", "https://paint.example", 200},
		{"localhost:8080", "http://localhost:9090", 403}, {"localhost", "https://evil.example", 403}, {"localhost", "null", 403}, {"localhost", "http://paint.example", 403},
	} {
		r := httptest.NewRequest("GET", "http://localhost/healthz", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		assert.Equal(t, c.status, w.Code, "%v", c)
		assert.Equal(t, c.origin == "https://paint.example", w.Header().Get("Access-Control-Allow-Origin") != "", "%v", c)
	}
	r := httptest.NewRequest("OPTIONS", "http://localhost/v1/forecast", nil)
	r.Header = http.Header{"Origin": {"https://paint.example"}, "Access-Control-Request-Method": {"POST"}}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	assert.Equal(t, http.StatusNoContent, w.Code)
	assert.Equal(t, "Authorization, Content-Type", w.Header().Get("Access-Control-Allow-Headers"))

	any, err := New(nil, Options{Hosts: []string{"*"}})
	require.NoError(t, err)
	assert.True(t, any.o.knowsHost("evil.example"))
	for want, o := range map[string]Options{
		`Hosts: expected names without port, got "a:1"`: {Hosts: []string{"a:1"}},
		`Origins: expected origins such as`:             {Origins: []string{"paint.example"}},
		`got "https://paint.example/"`:                  {Origins: []string{"https://paint.example/"}},
		"MaxMemory: expected at least 25165824 bytes":   {MaxMemory: 1000},
	} {
		_, err := New(nil, o)
		assert.ErrorContains(t, err, want)
	}
}

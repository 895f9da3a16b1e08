package serve_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// visitor is one client.
type visitor struct {
	url   string
	http  *http.Client
	dial  *net.Dialer
	rng   *rand.Rand
	count *tally
}

// visit makes one of the requests of clients.
func (v *visitor) visit(leaves bool) {
	switch p := v.rng.IntN(20); {
	case p < 3:
		v.malformed()
	case p == 3:
		v.oversized()
	case p == 4:
		v.junk()
	case p == 5:
		v.page()
	case leaves:
		v.leave()
	default:
		v.forecast()
	}
}

// request draws a valid request. It has more shapes than an emulator of the test may
// meet.
func (v *visitor) request() (path string, body map[string]any, steps int) {
	steps = 1 + v.rng.IntN(3)
	if v.rng.IntN(4) == 0 {
		system := []string{"diffusion", "advection", "shallow_water", "euler_open", "acoustics"}[v.rng.IntN(5)]
		return "/v1/simulate", map[string]any{"system": system, "seed": v.rng.IntN(5), "grid": []int{8, 8 + 4*v.rng.IntN(2)}, "history": 2, "steps": steps}, steps
	}
	grid := []int{8 + 4*v.rng.IntN(2), 8 + 4*v.rng.IntN(2)}
	frames := [][]float32{}
	for range 1 + v.rng.IntN(2) {
		f := make([]float32, grid[0]*grid[1])
		for i := range f {
			f[i] = v.rng.Float32()
		}
		frames = append(frames, f)
	}
	return "/v1/forecast", map[string]any{"fields": []any{map[string]any{"name": "tracer"}}, "grid": grid, "boundaries": []string{"periodic", "wall/open"}, "frames": frames, "steps": steps}, steps
}

// post sends a request.
func (v *visitor) post(ctx context.Context, path, kind, accept string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", v.url+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", accept)
	return v.http.Do(r)
}

// forecast sends a request in one of three forms and reads the whole answer.
func (v *visitor) forecast() {
	path, body, steps := v.request()
	text, _ := json.Marshal(body)
	accept := []string{"application/json", "text/event-stream", "application/x-walrus"}[v.rng.IntN(3)]
	a, err := v.post(context.Background(), path, "application/json", accept, bytes.NewReader(text))
	if err != nil {
		v.count.fail("%s: %v", path, err)
		return
	}
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	switch {
	case err != nil:
		v.count.fail("%s: answer: %v", path, err)
	case a.StatusCode == http.StatusTooManyRequests:
		v.count.refused.Add(1)
		if a.Header.Get("Retry-After") == "" {
			v.count.fail("429 without Retry-After")
		}
		time.Sleep(20 * time.Millisecond)
	case bytes.Contains(raw, []byte(`"code":"diverged"`)): // an answer, too: some forecasts from noise do
		v.count.answered.Add(1)
	case a.StatusCode != http.StatusOK:
		v.count.fail("%s: %d %.200s", path, a.StatusCode, raw)
	case bytes.Count(raw, []byte(`"forecast"`)) != steps || !bytes.Contains(raw, []byte(map[string]string{"application/json": `"seconds"`, "text/event-stream": "event: end\n", "application/x-walrus": `"type":"end"`}[accept])):
		v.count.fail("%s: expected %d steps and an end, got %.100s", path, steps, raw)
	default:
		v.count.answered.Add(1)
	}
}

// leave disconnects after a moment, before or within the answer.
func (v *visitor) leave() {
	path, body, _ := v.request()
	body["steps"] = 20
	text, _ := json.Marshal(body)
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(v.rng.IntN(400))*time.Millisecond)
	defer cancel()
	a, err := v.post(ctx, path, "application/json", "text/event-stream", bytes.NewReader(text))
	if err == nil {
		if a.StatusCode == http.StatusTooManyRequests {
			v.count.refused.Add(1)
			time.Sleep(20 * time.Millisecond)
		} else {
			v.count.left.Add(1)
			_, _ = io.CopyN(io.Discard, a.Body, int64(v.rng.IntN(4000)))
		}
		a.Body.Close()
		return
	}
	if errors.Is(err, context.DeadlineExceeded) {
		v.count.left.Add(1)
		return
	}
	v.count.fail("leaving: %v", err)
}

// malformed sends an invalid request.
func (v *visitor) malformed() {
	path, body, _ := v.request()
	text, _ := json.Marshal(body)
	kind := "application/json"
	switch v.rng.IntN(7) {
	case 0:
		text = text[:v.rng.IntN(len(text)-1)]
	case 1:
		body["steps"] = -5
		text, _ = json.Marshal(body)
	case 2:
		body["grid"] = []int{1 << 30, 1 << 30}
		text, _ = json.Marshal(body)
	case 3:
		path, text = "/v1/forecast", bytes.Repeat([]byte("["), 10000)
	case 4:
		kind, text = "application/x-walrus", binary.LittleEndian.AppendUint64(nil, v.rng.Uint64())
	case 5:
		path, text = "/v1/forecast", []byte(`{"fields": [{"name": "tracer"}], "grid": [8, 8], "boundaries": ["open", "open"], "steps": 1, "frames": [[`+strings.Repeat("null,", 63)+`1]]}`)
	case 6:
		kind = "image/png"
	}
	v.reject(path, kind, bytes.NewReader(text))
}

// oversized sends more bytes than allowed, with and without a stated length.
func (v *visitor) oversized() {
	var body io.Reader = bytes.NewReader(bytes.Repeat([]byte("1,"), 5<<20))
	if v.rng.IntN(2) == 0 {
		body = io.MultiReader(body) // hides the length
	}
	v.reject("/v1/forecast", "application/json", body)
}

// reject expects a status between 400 and 499. A server that does not read a body to
// its end may close the connection before the answer is read.
func (v *visitor) reject(path, kind string, body io.Reader) {
	a, err := v.post(context.Background(), path, kind, "application/json", body)
	if err != nil {
		if !strings.Contains(err.Error(), "connection reset") && !strings.Contains(err.Error(), "broken pipe") {
			v.count.fail("malformed: %v", err)
		}
		v.count.rejected.Add(1)
		return
	}
	defer a.Body.Close()
	raw, _ := io.ReadAll(a.Body)
	switch {
	case a.StatusCode == http.StatusTooManyRequests:
		v.count.refused.Add(1)
		time.Sleep(20 * time.Millisecond)
	case a.StatusCode < 400 || a.StatusCode > 499:
		v.count.fail("malformed: %d %.200s", a.StatusCode, raw)
	default:
		v.count.rejected.Add(1)
	}
}

// junk sends bytes that are no HTTP, or half a request, and disconnects.
func (v *visitor) junk() {
	conn, err := v.dial.Dial("tcp", strings.TrimPrefix(v.url, "http://"))
	if err != nil {
		v.count.fail("junk: %v", err)
		return
	}
	defer conn.Close()
	text := []byte("POST /v1/forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"grid\"")
	if v.rng.IntN(2) == 0 {
		text = make([]byte, 200)
		for i := range text {
			text[i] = byte(v.rng.Uint32())
		}
	}
	_, _ = conn.Write(text)
	v.count.other.Add(1)
}

// page requests a page that always exists.
func (v *visitor) page() {
	a, err := v.http.Get(v.url + []string{"/", "/api", "/page/app.js", "/v1/systems", "/v1/model", "/metrics", "/healthz", "/readyz"}[v.rng.IntN(8)])
	if err != nil {
		v.count.fail("page: %v", err)
		return
	}
	defer a.Body.Close()
	if _, err := io.Copy(io.Discard, a.Body); err != nil || a.StatusCode != http.StatusOK {
		v.count.fail("page: %d %v", a.StatusCode, err)
	}
	v.count.pages.Add(1)
}

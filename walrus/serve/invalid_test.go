package serve

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// with returns a function that changes one key.
func with(key string, value any) func(map[string]any) {
	return func(b map[string]any) { b[key] = value }
}

// TestInvalidForecasts: every mistake gets a status, the field and the expected value.
func TestInvalidForecasts(t *testing.T) {
	s, url := serve(t, &fake{}, Options{MaxPoints: 4096, MaxSteps: 50, MaxChannels: 5, MaxValues: 20000, MaxTokens: 200})
	field := func(name string, order int) []any { return []any{map[string]any{"name": name, "order": order}} }
	spoilt := ramp(64, 0)
	spoilt[17] = float32(math.Inf(1))
	var many []any
	for _, n := range []string{"A", "B", "energy", "height", "tracer", "mask"} {
		many = append(many, field(n, 0)...)
	}
	for want, c := range map[string]struct {
		status  int
		field   string
		request any
	}{
		"body: expected one JSON object: unexpected EOF":                                           {400, "", `{"grid": [8`},
		"body: expected one JSON object: EOF":                                                      {400, "", ``},
		"body: expected one JSON object, got more after it":                                        {400, "", `{} {}`},
		"body: expected an object, got array":                                                      {422, "body", `[]`},
		"invalid character 'N'":                                                                    {400, "", `{"frames": [[NaN]]}`},
		"colour: this key is not known":                                                            {422, "colour", body(with("colour", 1))},
		"fields[1].hue: this key is not known":                                                     {422, "fields[1].hue", `{"steps": 2, "fields": [{"name": "u"}, {"name": "v", "hue": 1}]}`},
		"grid: expected an array of whole numbers, got string":                                     {422, "grid", body(with("grid", "8x8"))},
		"steps: expected a whole number, got number 1.5":                                           {422, "steps", body(with("steps", 1.5))},
		"steps: expected 1 to 50, got 0":                                                           {422, "steps", body(with("steps", 0))},
		"steps: expected 1 to 50, got 51":                                                          {422, "steps", body(with("steps", 51))},
		"grid: expected 1 to 3 axes, got []":                                                       {422, "grid", body(func(b map[string]any) { b["grid"], b["boundaries"] = []int{}, []string{} })},
		"boundaries: expected one for each axis of the grid (2), got 1":                            {422, "boundaries", body(with("boundaries", []string{"wall"}))},
		`boundaries[1]: expected "periodic", "wall", "open" or two of the last`:                    {422, "boundaries[1]", body(with("boundaries", []string{"wall", "glass"}))},
		`got "periodic/wall"`:                                                                      {422, "boundaries[0]", body(with("boundaries", []string{"periodic/wall", "wall"}))},
		`got ""`:                                                                                   {422, "boundaries[0]", body(with("boundaries", []string{"", "wall"}))},
		"grid: expected 1 to 4096 points along each axis, got [-8 8]":                              {422, "grid", body(with("grid", []int{-8, 8}))},
		"grid: expected at most 4096 points, got [128 64]":                                         {422, "grid", body(with("grid", []int{128, 64}))},
		"expected 1 to 4096 points along each axis, got [9223372036854775807 9223372036854775807]": {422, "grid", body(with("grid", []int{math.MaxInt, math.MaxInt}))},
		"grid: walrus: csm: axis 0 has 4 points: expected 1 or at least 8":                         {422, "grid", body(func(b map[string]any) { b["grid"], b["frames"] = []int{4, 8}, []any{ramp(32, 0)} })},
		"grid: expected a grid of at most 200 tokens, got [32 32] with":                            {422, "grid", body(func(b map[string]any) { b["grid"], b["frames"] = []int{32, 32}, []any{ramp(1024, 0)} })},
		"fields: expected at least one, got none":                                                  {422, "fields", body(with("fields", []any{}))},
		"fields: expected at most 5, got 6":                                                        {422, "fields", body(with("fields", many))},
		"fields: the network does not know phlogiston; it knows pressure,":                         {422, "fields", body(with("fields", field("phlogiston", 0)))},
		"fields: field without a name":                                                             {422, "fields", body(with("fields", field("", 0)))},
		`fields: field "A": expected tensor order 0, 1 or 2, got 7`:                                {422, "fields", body(with("fields", field("A", 7)))},
		"fields: expected at least one field that varies":                                          {422, "fields", body(with("fields", []any{map[string]any{"name": "A", "constant": true}}))},
		`fields: field "A" is listed twice`:                                                        {422, "fields", body(with("fields", append(field("A", 0), field("A", 0)...)))},
		"frames: expected 1 to 16 frames, got 0":                                                   {422, "frames", body(with("frames", []any{}))},
		"frames: expected 1 to 16 frames, got 17":                                                  {422, "frames", body(with("frames", slices.Repeat([]any{ramp(64, 0)}, 17)))},
		"frames[1]: expected 64 values (1 channels [concentration] × grid [8 8]), got 3":           {422, "frames[1]", body(with("frames", []any{ramp(64, 0), ramp(3, 0)}))},
		"frames[0]: expected an array of numbers or a text in base64, got 7":                       {422, "frames[0]", body(with("frames", []any{7}))},
		"frames[0]: expected an array of numbers or a text in base64, got null":                    {422, "frames[0]", body(with("frames", []any{nil}))},
		"frames[0]: expected finite numbers, got null":                                             {422, "frames[0]", body(with("frames", []any{[]any{1, nil}}))},
		"frames[0]: expected numbers within float32, got number 1e+39":                             {422, "frames[0]", body(with("frames", []any{[]any{1e39}}))},
		"frames[0]: expected numbers within float32, got string":                                   {422, "frames[0]", body(with("frames", []any{[]any{"1"}}))},
		"frames[0]: expected base64 of little-endian float32: ":                                    {422, "frames[0]", body(with("frames", []any{"!"}))},
		"frames[0]: expected base64 of little-endian float32, 4 bytes each, got 3 bytes":           {422, "frames[0]", body(with("frames", []any{"AAAA"}))},
		"frames[0]: field concentration is +Inf at [2 1]: expected finite values":                  {422, "frames[0]", body(with("frames", []any{packed(spoilt)}))},
		"constants: expected 0 values (0 channels [] × grid [8 8]), got 1":                         {422, "constants", body(with("constants", []float32{1}))},
		"repeat: expected 1 to 16 frames, got 99":                                                  {422, "repeat", body(with("repeat", 99))},
		"repeat: expected one frame to repeat, got 2":                                              {422, "repeat", body(with("repeat", 2))},
		"downscale: expected blocks of 1 to 4096 points, or 0 for none, got -1":                    {422, "downscale", body(with("downscale", -1))},
		"steps: expected an answer of at most 20000 values as one JSON object, got 28800":          {422, "steps", body(func(b map[string]any) { b["grid"], b["frames"], b["steps"] = []int{24, 24}, []any{ramp(576, 0)}, 50 })},
	} {
		status, _, raw := post(t, url+"/v1/forecast", "application/json", c.request)
		p := fault(t, raw)
		assert.Equal(t, c.status, status, want)
		assert.Contains(t, p.Message, want)
		assert.Equal(t, c.field, p.Field, want)
	}
	assert.Zero(t, count(t, s, "walrus_panics_total"))
	assert.Zero(t, count(t, s, "walrus_admitted"))
	assert.Zero(t, count(t, s, "walrus_steps_total"))
}

// TestInvalidSimulations does the same for systems.
func TestInvalidSimulations(t *testing.T) {
	s, url := serve(t, &fake{}, Options{})
	water := func(change func(map[string]any)) map[string]any {
		b := map[string]any{"system": "shallow_water", "grid": []int{8, 8}, "steps": 1}
		change(b)
		return b
	}
	high := ramp(192, 1)
	high[5] = 1e6
	for want, c := range map[string]struct {
		field   string
		request any
	}{
		`system: solve: unknown system "coffee": expected one of acoustics, `:                 {"system", water(with("system", "coffee"))},
		"seed: expected a whole number, got number -1":                                        {"seed", water(with("seed", -1))},
		"grid: expected 2 axes for shallow_water, got [8]":                                    {"grid", water(with("grid", []int{8}))},
		"grid: expected an even number of at least 8 points along each axis, got [9 8]":       {"grid", water(with("grid", []int{9, 8}))},
		"at most as many points as the system's own grid [32 32] has (1024), got [34 34]":     {"grid", water(with("grid", []int{34, 34}))},
		"parameters.amplitude: expected 0.1 to 0.3, got 9":                                    {"parameters.amplitude", water(with("parameters", map[string]any{"amplitude": 9}))},
		`parameters: shallow_water: unknown parameter "salt"`:                                 {"parameters", water(with("parameters", map[string]any{"salt": 1}))},
		"initial: expected 192 values (3 channels [height velocity_x velocity_y]":             {"initial", water(with("initial", []int{1}))},
		"initial: channel height: expected values from 0.2275 to 3.471, got 1e+06 at point 5": {"initial", water(with("initial", high))},
		"constants: expected them together with initial only":                                 {"constants", water(with("constants", []int{1}))},
		"constants: expected the channels [density speed_of_sound] together with initial":     {"constants", water(func(b map[string]any) { b["system"], b["initial"] = "acoustics", ramp(192, 0) })},
		"history: expected 1 to 16 frames, got 17":                                            {"history", water(with("history", 17))},
		"boundaries: expected one for each axis of the grid (2), got 3":                       {"boundaries", water(with("boundaries", []string{"wall", "wall", "wall"}))},
		"steps: expected 1 to 200, got 0":                                                     {"steps", water(with("steps", 0))},
	} {
		status, _, raw := post(t, url+"/v1/simulate", "application/json", c.request)
		p := fault(t, raw)
		assert.Equal(t, http.StatusUnprocessableEntity, status, want)
		assert.Contains(t, p.Message, want)
		assert.Equal(t, c.field, p.Field, want)
	}
	status, _, raw := post(t, url+"/v1/start", "application/json", map[string]any{"system": "diffusion", "steps": 3})
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Equal(t, "steps: this key is not known", fault(t, raw).Message)
	assert.Zero(t, count(t, s, "walrus_panics_total"))
}

// TestInvalidRecords: lengths that do not match are found before memory is allocated.
func TestInvalidRecords(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	b := body(nil)
	good := packRequest(t, b, array{"frames", ramp(128, 0)})
	list := func(sections ...any) []byte {
		return retype(t, good, func(h map[string]any) { h["arrays"] = sections })
	}
	name := func(n string, count any) map[string]any { return map[string]any{"name": n, "count": count} }
	for want, raw := range map[string][]byte{
		"record: expected two lengths of 4 bytes each, got 3 bytes":               []byte("abc"),
		"record: expected 8 + 4294967295 + 4294967295 bytes, as its lengths say":  []byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"),
		"record: header: unexpected end of JSON input":                            []byte("\x01\x00\x00\x00\x00\x00\x00\x00{"),
		`arrays: "frames": expected at most the 128 values that are left`:         list(name("frames", 129)),
		`expected at most the 128 values that are left of the payload, got -1`:    list(name("frames", -1)),
		`arrays: "frames" is listed twice`:                                        list(name("frames", 64), name("frames", 64)),
		"arrays: expected counts that add up to the payload, got 4 bytes more":    list(name("frames", 127)),
		`arrays: expected some of frames, constants, got "sounds"`:                list(name("sounds", 128)),
		"frames: expected a multiple of 64 values, as many as a frame has, got 1": list(name("frames", 1), name("constants", 127)),
		"frames: expected them in the header or in the payload, got both":         retype(t, good, with("frames", []any{ramp(64, 0)})),
	} {
		_, _, answer := send(t, url+"/v1/forecast", mediaType, "", raw)
		assert.Contains(t, fault(t, answer).Message, want)
	}
	status, _, answer := send(t, url+"/v1/forecast", mediaType, "application/json", good)
	assert.Equal(t, http.StatusOK, status, "%s", answer)
}

// TestBodies: bodies that are too long, of another type or too slow are refused.
func TestBodies(t *testing.T) {
	s, url := serve(t, &fake{}, Options{MaxBody: 1000, BodyTimeout: 100 * time.Millisecond})
	long := []byte(`{"grid": [` + strings.Repeat("1,", 600) + `1]}`)
	status, _, raw := send(t, url+"/v1/forecast", "application/json", "", long)
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	assert.Equal(t, "body: expected at most 1000 bytes, got 1213", fault(t, raw).Message)

	// Without a stated length the limit applies while reading.
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "http://localhost/v1/forecast", strings.NewReader(`{"grid": [`+strings.Repeat(" ", 1000)))
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/json")
	s.ServeHTTP(w, r)
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)

	status, _, raw = send(t, url+"/v1/forecast", "text/plain", "", nil)
	assert.Equal(t, http.StatusUnsupportedMediaType, status)
	assert.Equal(t, `Content-Type: expected application/json or application/x-walrus, got "text/plain"`, fault(t, raw).Message)

	r = httptest.NewRequest("POST", "http://localhost/v1/forecast", strings.NewReader("x"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	w = httptest.NewRecorder()
	s.ServeHTTP(w, r)
	assert.Equal(t, http.StatusUnsupportedMediaType, w.Code)

	slow, err := http.NewRequest("POST", url+"/v1/forecast", &sloth{})
	require.NoError(t, err)
	slow.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(slow)
	require.NoError(t, err)
	a.Body.Close()
	assert.Equal(t, http.StatusRequestTimeout, a.StatusCode)
	eventually(t, "places are given back", func() bool { return s.queue.stats().admitted == 0 })
}

// sloth is a body that arrives byte by byte and never ends.
type sloth struct{}

func (*sloth) Read(b []byte) (int, error) {
	time.Sleep(10 * time.Millisecond)
	b[0] = ' '
	return 1, nil
}

// TestOtherPaths: other paths and methods are refused.
func TestOtherPaths(t *testing.T) {
	s, _ := serve(t, &fake{}, Options{})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/nothing", 404}, {"GET", "/page/../server.go", 307}, {"GET", "/page/none.js", 404}, {"GET", "/v1/forecast", 405},
		{"DELETE", "/v1/model", 405}, {"POST", "/", 405}, {"GET", "/", 200}, {"GET", "/api", 200}, {"GET", "/page/app.js", 200}, {"HEAD", "/", 200},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(c.method, "http://localhost"+c.path, nil))
		assert.Equal(t, c.status, w.Code, "%s %s", c.method, c.path)
		if c.status == 405 {
			assert.NotEmpty(t, w.Header().Get("Allow"))
		}
		if c.status == 200 {
			assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'")
		}
	}
	assert.Zero(t, count(t, s, `walrus_requests_total{code="404",endpoint="/nothing"}`), "paths of clients must not become series")
}

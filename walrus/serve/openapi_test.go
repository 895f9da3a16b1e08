package serve

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// document is the description that a server serves, and a router of it.
func document(t *testing.T, url string) (*openapi3.T, routers.Router) {
	t.Helper()
	a, err := http.Get(url + "/openapi.json")
	require.NoError(t, err)
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(context.Background()))
	assert.Equal(t, ".", doc.Servers[0].URL, "relative to the document, wherever it is mounted")
	doc.Servers = openapi3.Servers{{URL: url}}
	router, err := legacy.NewRouter(doc)
	require.NoError(t, err)
	return doc, router
}

// TestOpenAPIEndpoints: the document has exactly the endpoints of the server.
func TestOpenAPIEndpoints(t *testing.T) {
	s, url := serve(t, &fake{}, Options{})
	doc, _ := document(t, url)
	var described, served []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	for pattern := range s.endpoints() {
		served = append(served, strings.ReplaceAll(pattern, "{$}", ""))
	}
	assert.ElementsMatch(t, served, described)
}

// TestOpenAPIToken: a server with a token demands it where the document says so.
func TestOpenAPIToken(t *testing.T) {
	_, open := serve(t, &fake{}, Options{})
	doc, _ := document(t, open)
	assert.Empty(t, doc.Security)
	s, closed := serve(t, &fake{}, Options{Token: "0123456789abcdef"})
	doc, _ = document(t, closed)
	require.Len(t, doc.Security, 1)
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+strings.ReplaceAll(path, "{file}", "app.js"), nil))
			assert.Equal(t, operation.Security == nil, w.Code == http.StatusUnauthorized, "%s %s: %d", method, path, w.Code)
		}
	}
}

// exchange sends a request, and validates it and its answer against the document. valid says
// whether the document allows the request.
func exchange(t *testing.T, router routers.Router, r *http.Request, valid bool) (status int, raw []byte) {
	t.Helper()
	var sent []byte
	if r.Body != nil {
		var err error
		sent, err = io.ReadAll(r.Body)
		require.NoError(t, err)
	}
	reset := func() { r.Body = io.NopCloser(bytes.NewReader(sent)) }
	reset()
	route, values, err := router.FindRoute(r)
	require.NoError(t, err, "%s %s", r.Method, r.URL)
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: values, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	err = openapi3filter.ValidateRequest(context.Background(), in)
	assert.Equal(t, valid, err == nil, "%s %s: %v", r.Method, r.URL, err)
	reset()
	r.RequestURI = ""
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	raw, err = io.ReadAll(a.Body)
	require.NoError(t, err)
	assert.NoError(t, openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.StatusCode, Header: a.Header, Body: io.NopCloser(bytes.NewReader(raw)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}), "%s %s: %d %.300s", r.Method, r.URL, a.StatusCode, raw)
	return a.StatusCode, raw
}

// jsonRequest is a request with a JSON body, or without one.
func jsonRequest(t *testing.T, method, url, accept string, body any) *http.Request {
	t.Helper()
	var from io.Reader
	if body != nil {
		from = bytes.NewReader(marshal(t, body))
	}
	r, err := http.NewRequest(method, url, from)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	return r
}

// decoders make the validator read the bodies that are no JSON.
func decoders(t *testing.T) {
	for _, kind := range []string{mediaType, "text/event-stream", "text/html", "text/css", "text/javascript", "text/plain"} {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.FileBodyDecoder)
		t.Cleanup(func() { openapi3filter.UnregisterBodyDecoder(kind) })
	}
}

// TestOpenAPIAnswers: requests and real answers of all endpoints fit the document, which
// allows no other keys. The examples of the document work.
func TestOpenAPIAnswers(t *testing.T) {
	decoders(t)
	_, url := serve(t, real(t), Options{})
	doc, router := document(t, url)
	tried := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			var example any
			if operation.RequestBody != nil {
				example = operation.RequestBody.Value.Content["application/json"].Example
				require.NotNil(t, example, path)
			}
			status, _ := exchange(t, router, jsonRequest(t, method, url+strings.ReplaceAll(path, "{file}", "app.js"), "*/*", example), true)
			assert.Equal(t, http.StatusOK, status, path)
			tried[method+" "+path] = true
		}
	}
	assert.Len(t, tried, 12)
	for _, file := range []string{"style.css", "api.html", "none.js"} {
		exchange(t, router, jsonRequest(t, "GET", url+"/page/"+file, "*/*", nil), true)
	}
	simulate := map[string]any{"system": "acoustics", "seed": 3, "grid": []int{16, 16}, "parameters": map[string]any{"contrast": 4}, "boundaries": []string{"wall", "open"}, "history": 2, "steps": 2, "downscale": 2}
	spoilt := ramp(64, 0)
	spoilt[3] = 1e30
	for _, c := range []struct {
		path    string
		body    any
		history int
	}{
		{"/v1/forecast", body(nil), 0}, {"/v1/forecast", body(func(b map[string]any) { b["frames"] = []any{packed(ramp(64, 0))} }), 0},
		{"/v1/forecast", body(func(b map[string]any) { b["boundaries"] = []string{"open", "open"} }), 0},
		{"/v1/simulate", simulate, 2}, {"/v1/simulate", map[string]any{"system": "diffusion", "grid": []int{8, 8}, "boundaries": []string{"wall", "open"}, "steps": 1}, 6},
		{"/v1/simulate", map[string]any{"system": "burgers_3d", "grid": []int{8, 8, 8}, "steps": 1}, 3},
	} {
		for _, accept := range []string{"application/json", "text/event-stream", mediaType} {
			status, raw := exchange(t, router, jsonRequest(t, "POST", url+c.path, accept, c.body), true)
			require.Equal(t, http.StatusOK, status, "%s", raw)
			if accept == "text/event-stream" {
				list := events(t, bytes.NewReader(raw))
				assert.Equal(t, c.history, strings.Count(kinds(list), "history"))
				fits(t, doc, list)
			}
		}
	}
	r, err := http.NewRequest("POST", url+"/v1/forecast", bytes.NewReader(packRequest(t, body(nil), array{"frames", ramp(128, 0)})))
	require.NoError(t, err)
	r.Header.Set("Content-Type", mediaType)
	status, _ := exchange(t, router, r, true)
	assert.Equal(t, http.StatusOK, status)
}

// fits validates events against the schemas of their kinds.
func fits(t *testing.T, doc *openapi3.T, list []event) {
	t.Helper()
	for _, e := range list {
		name := map[string]string{"start": "StartEvent", "history": "HistoryEvent", "frame": "FrameEvent", "end": "EndEvent", "error": "Problem"}[e.kind]
		require.Contains(t, doc.Components.Schemas, name, e.kind)
		assert.NoError(t, doc.Components.Schemas[name].Value.VisitJSON(e.data), "%s", e.kind)
	}
}

// TestOpenAPIProblems: invalid requests get the answers that the document lists. Those that
// break its schemas are refused by the server, too.
func TestOpenAPIProblems(t *testing.T) {
	decoders(t)
	f := &fake{}
	s, url := serve(t, f, Options{Queue: 1, Share: 1, Origins: []string{"https://paint.example"}})
	doc, router := document(t, url)
	spoilt := func(key string, v any) map[string]any { return body(with(key, v)) }
	for _, c := range []struct {
		path   string
		body   any
		valid  bool
		status int
	}{
		{"/v1/forecast", spoilt("colour", 1), false, 422}, {"/v1/forecast", spoilt("grid", []int{0, 8}), false, 422},
		{"/v1/forecast", spoilt("grid", []int{8, 8, 8, 8}), false, 422}, {"/v1/forecast", spoilt("steps", "two"), false, 422},
		{"/v1/forecast", spoilt("steps", 0), false, 422}, {"/v1/forecast", spoilt("boundaries", []string{"periodic/wall", "open"}), false, 422},
		{"/v1/forecast", spoilt("frames", []any{"&"}), false, 422}, {"/v1/forecast", spoilt("fields", []any{}), false, 422},
		{"/v1/forecast", spoilt("fields", []any{map[string]any{"name": "concentration", "order": 3}}), false, 422},
		{"/v1/forecast", []int{1}, false, 422},
		{"/v1/forecast", spoilt("steps", 1000), true, 422}, {"/v1/forecast", spoilt("frames", []any{ramp(3, 0)}), true, 422},
		{"/v1/simulate", map[string]any{"steps": 1}, false, 422}, {"/v1/simulate", map[string]any{"system": "x", "steps": 1}, true, 422},
		{"/v1/start", map[string]any{"system": "diffusion", "steps": 1}, false, 422}, {"/v1/start", map[string]any{"system": "diffusion", "seed": -1}, false, 422},
	} {
		status, _ := exchange(t, router, jsonRequest(t, "POST", url+c.path, "*/*", c.body), c.valid)
		assert.Equal(t, c.status, status, "%v", c.body)
	}
	other := jsonRequest(t, "GET", url+"/v1/model", "*/*", nil)
	other.Header.Set("Origin", "https://evil.example")
	status, _ := exchange(t, router, other, true)
	assert.Equal(t, http.StatusForbidden, status)
	t.Run("busy", func(t *testing.T) {
		held, err := s.queue.enter("127.0.0.1")
		require.NoError(t, err)
		defer held.close()
		status, _ := exchange(t, router, jsonRequest(t, "POST", url+"/v1/forecast", "*/*", body(nil)), true)
		assert.Equal(t, http.StatusTooManyRequests, status)
	})
	t.Run("panic", func(t *testing.T) {
		f.panics = true
		defer func() { f.panics = false }()
		status, _ := exchange(t, router, jsonRequest(t, "POST", url+"/v1/forecast", "application/json", body(nil)), true)
		assert.Equal(t, http.StatusInternalServerError, status)
	})
	t.Run("draining", func(t *testing.T) {
		s.queue.stop()
		status, _ := exchange(t, router, jsonRequest(t, "POST", url+"/v1/forecast", "*/*", body(nil)), true)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		status, _ = exchange(t, router, jsonRequest(t, "GET", url+"/readyz", "*/*", nil), true)
		assert.Equal(t, http.StatusServiceUnavailable, status)
	})
	// Statuses that the document lists for a forecast, and those of the problems in the code.
	listed := slices.Sorted(maps.Keys(doc.Paths.Value("/v1/forecast").Post.Responses.Map()))
	assert.Equal(t, []string{"200", "400", "401", "403", "408", "413", "415", "421", "422", "429", "500", "503", "504"}, listed)
}

// TestOpenAPICodes: the document lists the codes of all problems in the source.
func TestOpenAPICodes(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	doc, _ := document(t, url)
	var listed []string
	for _, v := range doc.Components.Schemas["Problem"].Value.Properties["error"].Value.Properties["code"].Value.Enum {
		listed = append(listed, v.(string))
	}
	slices.Sort(listed)
	assert.Equal(t, codesInSource(t), listed)
}

// codesInSource returns the texts that the package's files give to a field Code.
func codesInSource(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := map[string]bool{}
	note := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			found[text] = true
		}
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Code" {
					note(n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if field, ok := left.(*ast.SelectorExpr); ok && field.Sel.Name == "Code" && len(n.Rhs) == len(n.Lhs) {
						note(n.Rhs[i])
					}
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(found))
}

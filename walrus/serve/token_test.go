package serve

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestToken: the API and the metrics need the token; the page and the probes do not.
func TestToken(t *testing.T) {
	const token = "0123456789abcdef"
	s, _ := serve(t, &fake{}, Options{Token: token, Origins: []string{"https://paint.example"}})
	get := func(path, authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://localhost"+path, nil)
		r.Header.Set("Origin", "https://paint.example")
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	for _, path := range []string{"/", "/api", "/page/app.js", "/healthz", "/readyz"} {
		assert.Equal(t, http.StatusOK, get(path, "").Code, path)
	}
	for _, path := range []string{"/v1/model", "/v1/systems", "/metrics"} {
		for _, wrong := range []string{"", "Bearer", "Bearer ", token, "Basic " + token, "Bearer " + token[1:], "Bearer " + token + "0", "Bearer  " + token} {
			w := get(path, wrong)
			assert.Equal(t, http.StatusUnauthorized, w.Code, "%s %q", path, wrong)
			assert.Equal(t, "token", fault(t, w.Body.Bytes()).Code)
			assert.Equal(t, `Bearer realm="walrus"`, w.Header().Get("WWW-Authenticate"))
			assert.Equal(t, "https://paint.example", w.Header().Get("Access-Control-Allow-Origin"), "the page must be able to read why")
		}
		assert.Equal(t, http.StatusOK, get(path, "Bearer "+token).Code, path)
		assert.Equal(t, http.StatusOK, get(path, "bearer "+token).Code, "the scheme has no case")
	}
	assert.Equal(t, http.StatusUnauthorized, get("/v1/unknown", "").Code)
	assert.Equal(t, http.StatusNotFound, get("/v1/unknown", "Bearer "+token).Code)
	for want, bad := range map[string]string{
		"Token: expected at least 16 characters, got 5":                     "short",
		"Token: expected printable ASCII without spaces, got the byte 0x20": "a token with spaces",
		"Token: expected printable ASCII without spaces, got the byte 0xc3": "ä_token_of_umlauts",
		"Token: expected printable ASCII without spaces, got the byte 0xa":  "0123456789abcdef\n",
	} {
		_, err := New(nil, Options{Token: bad})
		assert.ErrorContains(t, err, want)
	}
}

// TestMounted: the server works under a prefix in the mux of another program. The page has
// relative addresses only.
func TestMounted(t *testing.T) {
	s, _ := serve(t, &fake{}, Options{})
	mux := http.NewServeMux()
	mux.Handle("/walrus/", http.StripPrefix("/walrus", s))
	for path, want := range map[string]int{"/walrus/": 200, "/walrus/api": 200, "/walrus/v1/model": 200, "/walrus/nothing": 404, "/walrus": 307} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
		assert.Equal(t, want, w.Code, path)
	}
	entries, err := page.ReadDir("page")
	require.NoError(t, err)
	for _, e := range entries {
		text, err := page.ReadFile("page/" + e.Name())
		require.NoError(t, err)
		for _, absolute := range []string{`="/`, "'/v1", "'/page", "`/", "url(/", `src="http`, `href="http`, "import('http"} {
			assert.False(t, strings.Contains(string(text), absolute), "%s contains %s", e.Name(), absolute)
		}
	}
}

// TestRegisterer: a program's registry has the server's metrics until the server closes.
func TestRegisterer(t *testing.T) {
	r := prometheus.NewRegistry()
	s, err := New(nil, Options{Registerer: r})
	require.NoError(t, err)
	_, err = New(nil, Options{Registerer: r})
	assert.ErrorContains(t, err, "Registerer: expected a registry without the metrics walrus_")
	other, err := New(nil, Options{Registerer: prometheus.WrapRegistererWith(prometheus.Labels{"server": "b"}, r)})
	assert.Error(t, err, "labels of one metric must agree")
	assert.Nil(t, other)
	names := func() (out []string) {
		families, err := r.Gather()
		require.NoError(t, err)
		for _, f := range families {
			out = append(out, f.GetName())
		}
		return out
	}
	assert.Contains(t, names(), "walrus_admitted")
	s.Close()
	assert.Empty(t, names())
	again, err := New(nil, Options{Registerer: r})
	require.NoError(t, err)
	again.Close()
}

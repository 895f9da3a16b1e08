package serve_test

import (
	"flag"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

var site = flag.String("site", "", "folder made by walrus/serve/static, for TestPageStatic")

// TestPageStatic uses the page without a server, from a server of files. Its forecast of
// five steps equals the one of this process, and it can be cancelled.
func TestPageStatic(t *testing.T) {
	if *site == "" {
		t.Skip("the page without a server is not tested: expected -site, a folder made by go run ./walrus/serve/static FOLDER")
	}
	c := startChrome(t)
	var outside []string
	files := http.FileServer(http.Dir(*site))
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/walrus/") {
			outside = append(outside, r.URL.Path)
		}
		http.StripPrefix("/walrus", files).ServeHTTP(w, r)
	}))
	defer h.Close()
	c.size(1280, 1000)
	c.call("Page.navigate", map[string]any{"url": h.URL + "/walrus/"}, nil)
	c.wait("location.pathname === '/walrus/' && !!document.getElementById('model')")
	c.wait("document.getElementById('model').textContent.includes('walrus-nano, 1.9 million parameters')")
	c.started()
	c.run("5")
	t.Log(c.text("#status"))
	c.shoot("15-static")

	native := httptest.NewServer(nativeServer(t))
	defer native.Close()
	want := simulated(t, native.URL, `{"system": "acoustics", "seed": 1, "steps": 5}`)
	shape, forecast := readNPY(t, c.saved("savenpy"))
	require.Equal(t, []int{5, 3, 32, 32}, shape)
	_, truth := readNPY(t, c.saved("savetruth"))
	n, worst := len(forecast)/5, 0.0
	for i, f := range want.Frames {
		assert.InDeltaSlice(t, f.Forecast, forecast[i*n:(i+1)*n], 1e-4, "step %d", i+1)
		assert.InDeltaSlice(t, f.Truth, truth[i*n:(i+1)*n], 1e-4, "truth of step %d", i+1)
		for k, v := range f.Forecast {
			worst = max(worst, math.Abs(float64(v-forecast[i*n+k])))
		}
	}
	t.Log("largest difference of the forecast: ", worst)

	c.set("#steps", "200")
	c.click("#run")
	c.wait("document.getElementById('at').textContent.startsWith('1 of 200')")
	c.click("#cancel")
	c.wait("document.getElementById('status').textContent.startsWith('Cancelled after')")
	c.choose("diffusion", "concentration") // the worker is free again
	c.run("1")
	c.set("#p-diffusivity", "1000")
	c.wait("!document.getElementById('error').hidden")
	assert.Contains(t, c.text("#error"), "parameters.diffusivity: expected ")
	assert.Empty(t, c.complaints)
	assert.Equal(t, []string(nil), outside, "requests outside the folder")
}

// nativeServer serves walrus-nano until the end of the test.
func nativeServer(t *testing.T) *serve.Server {
	t.Helper()
	m, err := serve.OpenModel("nano", walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 1})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	s, err := serve.New(m, serve.Options{})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

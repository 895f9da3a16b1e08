package serve_test

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the page")

// TestPage uses the page in a browser, as people do, served with walrus-nano.
func TestPage(t *testing.T) {
	c := startChrome(t)
	model, err := serve.OpenModel("nano", walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 1})
	require.NoError(t, err)
	defer model.Close()
	s, err := serve.New(nil, serve.Options{})
	require.NoError(t, err)
	defer s.Close()
	h := httptest.NewServer(s)
	defer h.Close()
	c.size(1280, 1000)
	c.call("Page.navigate", map[string]any{"url": h.URL + "/"}, nil)
	c.wait("location.pathname === '/' && !!document.getElementById('status')")
	t.Run("load", func(t *testing.T) { c.with(t).load(s, model) })
	t.Run("paint", func(t *testing.T) { c.with(t).painting() })
	t.Run("run", func(t *testing.T) { c.with(t).running() })
	t.Run("cancel", func(t *testing.T) { c.with(t).cancelling(s) })
	t.Run("bad input", func(t *testing.T) { c.with(t).badInput() })
	t.Run("boundaries", func(t *testing.T) { c.with(t).boundaries() })
	t.Run("without a solver", func(t *testing.T) { c.with(t).custom() })
	t.Run("narrow", func(t *testing.T) { c.with(t).narrow() })
	t.Run("rendering", func(t *testing.T) { c.with(t).rendering() })
	t.Run("volume", func(t *testing.T) { c.with(t).volume(h.URL) })
	t.Run("keyboard", func(t *testing.T) { c.with(t).keyboard() })
	t.Run("ensemble", func(t *testing.T) { c.with(t).ensemble() })
	t.Run("save", func(t *testing.T) { c.with(t).saving() })
	t.Run("share", func(t *testing.T) { c.with(t).sharing(h.URL) })
	t.Run("theme", func(t *testing.T) { c.with(t).theme() })
	t.Run("token", func(t *testing.T) { c.with(t).token(model) })
	t.Run("calibration", func(t *testing.T) { c.with(t).calibration() })
	t.Run("api", func(t *testing.T) { c.with(t).api(h.URL) })
}

// with attributes failures to a subtest.
func (c *chrome) with(t *testing.T) *chrome { c.t = t; return c }

// started waits for an initial state.
func (c *chrome) started() {
	c.t.Helper()
	c.wait("!document.getElementById('run').disabled && document.getElementById('paint').getAttribute('aria-label').includes('channel')")
}

// pixels sums the colours of a picture.
func (c *chrome) pixels(id string) float64 {
	c.t.Helper()
	v, _ := c.eval(fmt.Sprintf(`(() => { const e = document.getElementById(%q); return e.getContext('2d').getImageData(0, 0, e.width, e.height).data.reduce((a, b, i) => a + b * (i %% 97), 0); })()`, id)).(float64)
	return v
}

// load: without a network the page says so and retries; then everything is shown, and
// every control has a name.
func (c *chrome) load(s *serve.Server, m *serve.Model) {
	c.wait("document.getElementById('status').textContent.includes('not there yet')")
	c.complaints = nil // the 503
	require.NoError(c.t, s.Ready(m))
	c.started()
	assert.Contains(c.t, c.text("#model"), "walrus-nano, 1.9 million parameters")
	assert.Contains(c.t, c.text("#about"), "Sound scattered by inclusions")
	assert.EqualValues(c.t, len(solve.Systems())+1, c.eval("document.querySelectorAll('#system option').length"), "all systems, and none")
	nameless := c.eval(`[...document.querySelectorAll('input, select, button, canvas, progress')].filter((e) =>
		!(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.getAttribute('aria-hidden') && e.tagName !== 'BUTTON').map((e) => e.id).join()`)
	assert.Equal(c.t, "", nameless, "controls without a name")
	assert.Equal(c.t, false, c.eval("[...document.querySelectorAll('[src],link[href]')].some((e) => !/^(page\\/|data:,)/.test(e.getAttribute('src') || e.getAttribute('href')))"), "assets of others")
	assert.Empty(c.t, c.complaints)
	c.shoot("1-load")
}

// painting: pointer and keys change the picture; undo and reset restore it.
func (c *chrome) painting() {
	before := c.pixels("paint")
	assert.Equal(c.t, true, c.eval("document.getElementById('undo').disabled"))
	c.mouse("#paint", [2]float64{0.2, 0.2}, [2]float64{0.3, 0.25}, [2]float64{0.4, 0.2})
	stroke := c.pixels("paint")
	assert.NotEqual(c.t, before, stroke)
	assert.Contains(c.t, c.text("#history"), "the solver runs on from the painted state")
	c.click("#undo")
	assert.Equal(c.t, before, c.pixels("paint"))
	c.eval("document.getElementById('paint').focus()")
	for _, k := range []string{"ArrowRight", "ArrowRight", "ArrowUp", " "} {
		c.key(k)
	}
	c.eval("document.getElementById('paint').blur()")
	assert.NotEqual(c.t, before, c.pixels("paint"), "painted with the keyboard")
	c.click("#reset")
	assert.Equal(c.t, before, c.pixels("paint"))
	assert.NotContains(c.t, c.text("#history"), "painted")
	c.mouse("#paint", [2]float64{0.25, 0.7}, [2]float64{0.35, 0.75}, [2]float64{0.45, 0.7})
	c.shoot("2-paint")
}

// running: a run fills pictures, curve and table; its steps can be selected and played.
func (c *chrome) running() {
	c.set("#steps", "4")
	c.click("#run")
	c.wait("document.getElementById('status').textContent.startsWith('Done: 4 steps')")
	assert.Equal(c.t, "4", c.eval("document.getElementById('scrub').max"))
	assert.Equal(c.t, "-5", c.eval("document.getElementById('scrub').min"))
	assert.Equal(c.t, 4.0, c.eval("document.querySelectorAll('#numbers tr').length"))
	assert.Contains(c.t, c.eval("document.getElementById('chart').getAttribute('aria-label')"), "VRMSE of pressure over 4 steps")
	assert.Contains(c.t, c.text("#at"), "4 of 4")
	assert.Equal(c.t, false, c.eval("document.getElementById('truthfigure').hidden"))
	last := c.pixels("forecast")
	assert.NotEqual(c.t, last, c.pixels("truth"))
	c.shoot("3-run")
	c.eval("document.getElementById('scrub').focus()")
	c.key("ArrowLeft")
	c.key("ArrowLeft")
	assert.Contains(c.t, c.text("#at"), "2 of 4")
	assert.NotEqual(c.t, last, c.pixels("forecast"))
	assert.Equal(c.t, "Pause Play", c.eval("(() => { const b = document.getElementById('play'); b.click(); const on = b.textContent; b.click(); return on + ' ' + b.textContent; })()"))
	c.click("#play")
	c.wait("document.getElementById('at').textContent.startsWith('4 of 4') && document.getElementById('play').textContent === 'Play'")
	c.set("#scrub", "-5")
	assert.Contains(c.t, c.text("#at"), "-5 (history)")
	c.set("#shown", "1")
	assert.Contains(c.t, c.text("#charthead"), "velocity_x")
	assert.Empty(c.t, c.complaints)
}

// cancelling: the server stops a forecast whose client has left.
func (c *chrome) cancelling(s *serve.Server) {
	c.set("#steps", "200")
	c.click("#run")
	c.wait("document.getElementById('at').textContent.startsWith('1 of 200')")
	assert.Equal(c.t, true, c.eval("document.getElementById('run').disabled"))
	c.click("#cancel")
	c.wait("document.getElementById('status').textContent.startsWith('Cancelled after')")
	assert.Equal(c.t, false, c.eval("document.getElementById('run').disabled"))
	require.Eventually(c.t, func() bool { return metric(c.t, s, "walrus_admitted") == 0 }, 10*time.Second, 20*time.Millisecond)
	assert.Equal(c.t, 1.0, metric(c.t, s, `walrus_forecasts_total{end="client"}`))
}

// badInput: errors of the server are shown; the form does not send invalid values.
func (c *chrome) badInput() {
	c.eval("document.getElementById('parameters').open = true")
	c.set("#p-contrast", "1000")
	c.wait("!document.getElementById('error').hidden")
	assert.Contains(c.t, c.text("#error"), "parameters.contrast: expected 3 to 8, got 1000")
	c.shoot("4-bad")
	c.set("#p-contrast", "")
	c.wait("document.getElementById('error').hidden")
	c.started()
	c.set("#steps", "0")
	c.click("#run")
	assert.Equal(c.t, true, c.eval("document.getElementById('cancel').disabled"), "0 steps were sent")
	c.set("#steps", "2")
	c.complaints = nil // the 422
}

// boundaries: both ends of an axis are periodic or none is. If a solver does not
// support the boundaries the page shows no truth.
func (c *chrome) boundaries() {
	c.eval("document.getElementById('parameters').open = false")
	c.set("#system", "diffusion")
	c.wait("document.getElementById('paint').getAttribute('aria-label').includes('concentration')")
	c.started()
	c.set("#b-x-low", "wall")
	assert.Equal(c.t, "wall", c.eval("document.getElementById('b-x-high').value"))
	assert.Contains(c.t, c.text("#consequence"), "only knows periodic, periodic")
	c.click("#run")
	c.wait("document.getElementById('status').textContent.startsWith('Done: 2 steps')")
	assert.Equal(c.t, true, c.eval("document.getElementById('truthfigure').hidden && document.getElementById('scores').hidden"))
	c.shoot("5-boundaries")
	assert.Empty(c.t, c.complaints)
}

// custom: a painted picture of no system.
func (c *chrome) custom() {
	c.set("#system", "")
	c.set("#size", "16")
	c.mouse("#paint", [2]float64{0.5, 0.5}, [2]float64{0.6, 0.6})
	c.click("#run")
	c.wait("document.getElementById('status').textContent.startsWith('Done: 2 steps')")
	assert.Contains(c.t, c.eval("document.getElementById('forecast').getAttribute('aria-label')"), "Forecast of concentration, step 2")
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	c.shoot("6-custom-dark")
	c.call("Emulation.setEmulatedMedia", map[string]any{}, nil)
	assert.Empty(c.t, c.complaints)
}

// narrow: on a phone nothing overflows, and the button that runs is always in reach.
func (c *chrome) narrow() {
	c.choose("acoustics", "pressure")
	c.size(390, 844)
	c.run("2")
	assert.Equal(c.t, true, c.eval("document.documentElement.scrollWidth <= 390"))
	assert.Equal(c.t, true, c.eval("(() => { window.scrollTo(0, 0); const b = document.getElementById('run').getBoundingClientRect(); return b.top > 0 && b.bottom <= 844; })()"))
	c.shoot("7-phone")
	c.eval("document.getElementById('result').scrollIntoView()")
	c.shootWindow("7-phone-result")
	c.choose("euler_3d", "16 by 16 by 16")
	c.run("2")
	assert.Equal(c.t, true, c.eval("document.documentElement.scrollWidth <= 390"))
	c.shoot("7-phone-volume")
	for _, width := range []int{360, 320} {
		c.size(width, 640)
		assert.LessOrEqual(c.t, c.eval("Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('#runbar *, #result select')].map((e) => e.getBoundingClientRect().right))"), float64(width))
	}
	c.shootWindow("7-phone-320")
	c.size(1280, 1000)
}

// api: the page documents the formats that it uses.
func (c *chrome) api(url string) {
	c.call("Page.navigate", map[string]any{"url": url + "/api"}, nil)
	c.wait("document.title === 'Walrus: the API' && document.readyState === 'complete'")
	for _, word := range []string{"/v1/forecast", "/v1/simulate", "application/x-walrus", "Retry-After", "downscale"} {
		assert.Contains(c.t, c.text("main"), word)
	}
	assert.Empty(c.t, c.complaints)
	c.shoot("9-api")
}

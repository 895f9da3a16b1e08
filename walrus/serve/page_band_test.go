package serve_test

import (
	"net/http/httptest"
	"regexp"
	"strconv"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// hidden reports whether an element is hidden.
func (c *chrome) hidden(id string) bool {
	c.t.Helper()
	return c.eval("document.getElementById("+strconv.Quote(id)+").hidden") == true
}

// course returns the last value of the curve of a point, and its bounds.
func (c *chrome) course() (value, low, high float64) {
	c.t.Helper()
	text, _ := c.eval("document.getElementById('course').getAttribute('aria-label')").(string)
	found := regexp.MustCompile(`; (\S+), between (\S+) and (\S+) at step \d+$`).FindStringSubmatch(text)
	require.NotNil(c.t, found, text)
	for i, into := range []*float64{&value, &low, &high} {
		v, err := strconv.ParseFloat(found[i+1], 64)
		require.NoError(c.t, err)
		*into = v
	}
	return value, low, high
}

// shades returns the number of picture elements of a chart that have the colour of a band:
// neither opaque nor empty.
func (c *chrome) shades() any {
	c.t.Helper()
	return c.eval(`(() => { const e = document.getElementById('course'), d = e.getContext('2d').getImageData(0, 0, e.width, e.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i] === 64) n++; return n; })()`)
}

// ensemble: the spread of the members is a map, and a band around the curve of the point
// that is chosen with the pointer or the keyboard.
func (c *chrome) ensemble() {
	c.choose("acoustics", "pressure")
	c.run("3")
	assert.False(c.t, c.hidden("series"))
	assert.True(c.t, c.hidden("spreadfigure") && c.hidden("bandkey") && c.hidden("advice"))
	assert.Equal(c.t, "", c.text("#seriesnote"))
	assert.Less(c.t, c.shades(), 50.0)

	c.set("#members", "4")
	c.run("3")
	assert.False(c.t, c.hidden("spreadfigure") || c.hidden("bandkey") || c.hidden("truthkey"))
	assert.Equal(c.t, "pressure at x 16, y 16", c.text("#serieshead"))
	assert.Regexp(c.t, `^The band holds the central 90 % of 4 members\. .* At this step it holds \d+ % of the truth\.$`, c.text("#seriesnote"))
	assert.Greater(c.t, c.shades(), 50.0)
	value, low, high := c.course()
	assert.True(c.t, low <= value && value <= high && low < high, "%v %v %v", low, value, high)
	c.eval("document.getElementById('forecast').focus()")
	c.key("ArrowRight")
	assert.Contains(c.t, c.text("#probe"), "90 % between "+strconv.FormatFloat(low, 'g', -1, 64))
	c.key("ArrowRight")
	c.key("ArrowUp")
	assert.Equal(c.t, "pressure at x 16, y 16", c.text("#serieshead"))
	c.key(" ")
	assert.Equal(c.t, "pressure at x 17, y 17", c.text("#serieshead"))
	c.eval("document.getElementById('forecast').blur()")
	c.mouse("#spread", [2]float64{8.5 / 32, 1 - 24.5/32})
	assert.Equal(c.t, "pressure at x 8, y 24", c.text("#serieshead"))
	c.mouse("#course", [2]float64{0.3, 0.5})
	assert.Contains(c.t, c.text("#at"), "(history)")
	assert.Equal(c.t, "", c.text("#seriesnote"))
	c.set("#scrub", "3")
	spread := c.pixels("spread")
	c.set("#shown", "1")
	assert.Equal(c.t, "velocity_x at x 8, y 24", c.text("#serieshead"))
	assert.NotEqual(c.t, spread, c.pixels("spread"))
	c.set("#shown", "0")
	c.views("16-ensemble")

	c.choose("burgers_3d", "16 by 16 by 16")
	c.run("1")
	c.set("#axis", "0")
	c.set("#slice", "5")
	c.mouse("#forecast", [2]float64{2.5 / 16, 1 - 3.5/16})
	assert.Equal(c.t, "velocity_x at x 5, y 2, z 3", c.text("#serieshead"))
	c.set("#members", "0")
	c.set("#axis", "2")
	assert.Empty(c.t, c.complaints)
}

// views takes pictures of the result in light and dark, wide and on a phone.
func (c *chrome) views(name string) {
	for _, theme := range []string{"light", "dark"} {
		c.set("#theme", theme)
		c.shoot(name + "-" + theme)
		c.size(390, 844)
		assert.Equal(c.t, true, c.eval("document.documentElement.scrollWidth <= 390"))
		c.eval("window.scrollTo(0, 0)")
		c.shoot(name + "-phone-" + theme)
		c.size(1280, 1000)
	}
	c.set("#theme", "")
}

// calibration: the page of weights with a calibration shows its band, and the warnings of
// the record of familiar windows as a list.
func (c *chrome) calibration() {
	dir := serve.SaveNano(c.t)
	em, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: testbackend.New(c.t)})
	require.NoError(c.t, err)
	serve.SaveCalibration(c.t, dir, em, "pressure", "velocity_x", "velocity_y")
	em.Close()
	m, err := serve.OpenModel(dir, walrus.EmulatorOptions{Backend: testbackend.New(c.t)})
	require.NoError(c.t, err)
	defer m.Close()
	s, err := serve.New(m, serve.Options{})
	require.NoError(c.t, err)
	defer s.Close()
	h := httptest.NewServer(s)
	defer h.Close()
	c.call("Page.navigate", map[string]any{"url": h.URL + "/"}, nil)
	c.wait("!!document.getElementById('status') && !document.getElementById('run').disabled")
	c.started()
	c.run("2")
	assert.True(c.t, c.hidden("spreadfigure"), "the interval has one width")
	assert.False(c.t, c.hidden("bandkey") || c.hidden("advice"))
	assert.Regexp(c.t, `^The band should hold 90 % of all values, .* At this step it holds \d+ % of the truth\.$`, c.text("#seriesnote"))
	assert.Greater(c.t, c.shades(), 50.0)
	value, low, high := c.course()
	assert.True(c.t, low < value && value < high, "%v %v %v", low, value, high)
	assert.Contains(c.t, c.text("#advice"), "unlike")
	c.views("17-calibration")
	assert.Empty(c.t, c.complaints)
	c.set("#system", "diffusion")
	c.wait("document.getElementById('paint').getAttribute('aria-label').includes('concentration')")
	assert.True(c.t, c.hidden("advice") && c.hidden("series"))
}

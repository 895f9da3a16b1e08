package serve_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image/gif"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/serve"
)

// run presses Run and waits for the last step.
func (c *chrome) run(steps string) {
	c.t.Helper()
	c.set("#steps", steps)
	c.click("#run")
	c.wait(fmt.Sprintf("document.getElementById('status').textContent.startsWith('Done: %s steps')", steps))
}

// choose selects a system and waits for its initial state.
func (c *chrome) choose(system, label string) {
	c.t.Helper()
	c.set("#system", system)
	c.wait(fmt.Sprintf("document.getElementById('paint').getAttribute('aria-label').includes(%q)", label))
	c.started()
}

// saved presses a button that saves a file, and returns its bytes.
func (c *chrome) saved(id string) []byte {
	c.t.Helper()
	c.eval(`(() => { window.saved = null; const make = URL.createObjectURL; URL.createObjectURL = (b) => { window.saved = b; URL.createObjectURL = make; return make.call(URL, b); }; })()`)
	c.click("#" + id)
	c.wait("window.saved !== null")
	text, _ := c.eval(`new Promise((resolve) => { const r = new FileReader(); r.onload = () => resolve(r.result.split(',')[1]); r.readAsDataURL(window.saved); })`).(string)
	raw, err := base64.StdEncoding.DecodeString(text)
	require.NoError(c.t, err)
	return raw
}

// readNPY returns shape and values of a file of NumPy.
func readNPY(t *testing.T, raw []byte) (shape []int, values []float32) {
	t.Helper()
	require.True(t, bytes.HasPrefix(raw, []byte("\x93NUMPY\x01\x00")))
	n := int(binary.LittleEndian.Uint16(raw[8:]))
	assert.Zero(t, (10+n)%64, "NumPy aligns the values")
	head := string(raw[10 : 10+n])
	require.Contains(t, head, "'descr': '<f4', 'fortran_order': False")
	list := regexp.MustCompile(`'shape': \(([\d, ]+)\)`).FindStringSubmatch(head)
	require.NotNil(t, list, head)
	points := 1
	for _, s := range strings.FieldsFunc(list[1], func(r rune) bool { return r == ',' || r == ' ' }) {
		d, err := strconv.Atoi(s)
		require.NoError(t, err)
		shape, points = append(shape, d), points*d
	}
	body := raw[10+n:]
	require.Len(t, body, 4*points)
	for i := range points {
		values = append(values, math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:])))
	}
	return shape, values
}

// rendering: smooth and cells, and colour maps, change the pictures; a pointer and keys
// read values.
func (c *chrome) rendering() {
	c.choose("acoustics", "pressure")
	c.run("3")
	smooth := c.pixels("forecast")
	assert.Contains(c.t, c.eval("document.getElementById('forecast').className"), "smooth")
	c.shoot("10-smooth")
	c.set("#smooth", "cells")
	cells := c.pixels("forecast")
	assert.NotEqual(c.t, smooth, cells)
	colours := `new Set(new Uint32Array(document.getElementById('forecast').getContext('2d').getImageData(0, 0, 384, 180).data.buffer)).size` // below is the ring around the point of the curve
	assert.LessOrEqual(c.t, c.eval(colours), 256.0)
	block := c.eval(`(() => { const d = document.getElementById('forecast').getContext('2d').getImageData(12, 12, 12, 12).data; return d.every((v, i) => v === d[i % 4]); })()`)
	assert.Equal(c.t, true, block, "a cell has one colour")
	seen := map[float64]bool{cells: true}
	for _, m := range []string{"viridis", "magma", "cividis", "greys"} {
		c.set("#map", m)
		v := c.pixels("forecast")
		assert.False(c.t, seen[v], m)
		seen[v] = true
	}
	c.shoot("11-greys")
	c.set("#map", "coolwarm")
	assert.Equal(c.t, cells, c.pixels("forecast"), "the automatic map of a field of both signs")
	c.set("#map", "auto")
	c.set("#smooth", "smooth")
	assert.Equal(c.t, smooth, c.pixels("forecast"))
	c.eval("document.getElementById('forecast').focus()")
	c.key("ArrowRight")
	assert.Regexp(c.t, `^pressure at x 16, y 16: forecast \S+, truth \S+, difference \S+$`, c.text("#probe"))
	assert.NotEqual(c.t, smooth, c.pixels("forecast"), "a mark")
	c.key("ArrowUp")
	c.key("ArrowLeft")
	assert.Contains(c.t, c.text("#probe"), "pressure at x 15, y 17: ")
	c.eval("document.getElementById('forecast').blur()")
	assert.Equal(c.t, smooth, c.pixels("forecast"))
	assert.Empty(c.t, c.complaints)
}

// volume: of a 3D field a slice along each axis or the maximum along it is shown, of the
// values that the server sent.
func (c *chrome) volume(url string) {
	c.choose("burgers_3d", "16 by 16 by 16")
	assert.Equal(c.t, false, c.eval("document.getElementById('paintslicerow').hidden"))
	before := c.pixels("paint")
	c.set("#paintslice", "3")
	assert.NotEqual(c.t, before, c.pixels("paint"))
	c.run("2")
	assert.Equal(c.t, "3", c.eval("document.getElementById('slice').value"), "painting and forecast share the slice")
	c.shoot("8-volume")
	shape, values := readNPY(c.t, c.saved("savenpy"))
	require.Equal(c.t, []int{2, 3, 16, 16, 16}, shape)
	want := simulated(c.t, url, `{"system": "burgers_3d", "seed": 1, "steps": 2}`)
	assert.InDeltaSlice(c.t, want.Frames[0].Forecast, values[:len(values)/2], 1e-6)
	assert.InDeltaSlice(c.t, want.Frames[1].Forecast, values[len(values)/2:], 1e-6)
	truthShape, truth := readNPY(c.t, c.saved("savetruth"))
	assert.Equal(c.t, shape, truthShape)
	assert.InDeltaSlice(c.t, want.Frames[1].Truth, truth[len(truth)/2:], 1e-6)

	last := values[len(values)/2:][:16*16*16] // velocity_x at step 2
	at := func(x, y, z int) float64 { return float64(last[(x*16+y)*16+z]) }
	for axis, place := range []string{"y 8, z 8", "x 8, z 8", "x 8, y 8"} {
		c.set("#axis", strconv.Itoa(axis))
		c.set("#slice", "5")
		slice := []float64{at(5, 8, 8), at(8, 5, 8), at(8, 8, 5)}[axis]
		c.reads(place, slice)
		most := 0.0
		for k := range 16 {
			if v := []float64{at(k, 8, 8), at(8, k, 8), at(8, 8, k)}[axis]; math.Abs(v) > math.Abs(most) {
				most = v
			}
		}
		picture := c.pixels("forecast")
		c.set("#mode", "maximum")
		c.reads(place, most)
		assert.NotEqual(c.t, picture, c.pixels("forecast"))
		assert.Contains(c.t, c.text("#directions"), "largest magnitude along "+"xyz"[axis:axis+1])
		if axis == 2 {
			c.shoot("8-volume-maximum")
		}
		c.set("#mode", "slice")
	}
	assert.Empty(c.t, c.complaints)
}

// reads expects a value of the forecast at the middle of its picture.
func (c *chrome) reads(place string, want float64) {
	c.t.Helper()
	c.eval("document.getElementById('forecast').focus()")
	c.key("ArrowRight")
	found := regexp.MustCompile(`^velocity_x at ` + place + `: forecast (\S+), `).FindStringSubmatch(c.text("#probe"))
	require.NotNil(c.t, found, "%s: %s", place, c.text("#probe"))
	got, err := strconv.ParseFloat(found[1], 64)
	require.NoError(c.t, err)
	assert.InDelta(c.t, want, got, 0.006*math.Abs(want)+1e-4, place)
	c.eval("document.getElementById('forecast').blur()")
}

// keyboard: Tab reaches every control in the order of the page and shows where it is, and a
// screen reader gets a name for each.
func (c *chrome) keyboard() {
	c.eval("document.activeElement.blur(); window.getSelection().removeAllRanges(); document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')")
	var order []string
	for range 80 {
		c.key("Tab")
		id, _ := c.eval("document.activeElement.id || document.activeElement.className || document.activeElement.textContent").(string)
		if len(order) > 0 && (id == order[0] || c.eval("document.activeElement === document.body") == true) {
			break
		}
		order = append(order, id)
		assert.NotEqual(c.t, "none", c.eval("getComputedStyle(document.activeElement).outlineStyle"), "%s shows no focus", id)
	}
	assert.Equal(c.t, "skip", order[0])
	want := []string{"theme", "system", "seed", "another", "channel", "paint", "value", "radius", "paintaxis", "paintslice", "b-x-low", "steps", "run", "share",
		"shown", "map", "smooth", "mode", "axis", "slice", "forecast", "play", "scrub", "speed", "savegif", "savenpy", "savetruth"}
	var met []string
	for _, id := range order {
		if slices.Contains(want, id) {
			met = append(met, id)
		}
	}
	assert.Equal(c.t, want, met)
	var tree struct {
		Nodes []struct {
			Ignored    bool
			Role, Name struct{ Value any }
		}
	}
	c.call("Accessibility.getFullAXTree", map[string]any{}, &tree)
	seen := map[string]int{}
	for _, n := range tree.Nodes {
		role, _ := n.Role.Value.(string)
		if n.Ignored || !slices.Contains([]string{"button", "combobox", "slider", "spinbutton", "textbox", "application", "image", "link", "heading", "form", "region", "progressbar", "figure"}, role) {
			continue
		}
		seen[role]++
		name, _ := n.Name.Value.(string)
		assert.NotEmpty(c.t, name, "a %s without a name", role)
	}
	for role, least := range map[string]int{"button": 8, "combobox": 10, "slider": 5, "spinbutton": 2, "application": 2, "image": 3, "heading": 2, "form": 1, "figure": 3} {
		assert.GreaterOrEqual(c.t, seen[role], least, role)
	}
	// The player's slider steps with the arrows and plays with space.
	c.eval("document.getElementById('scrub').focus()")
	c.key("Home")
	assert.Contains(c.t, c.text("#at"), "-2 (history)")
	c.key(" ")
	assert.Equal(c.t, "Pause", c.text("#play"))
	c.key(" ")
	assert.Equal(c.t, "Play", c.text("#play"))
	assert.Empty(c.t, c.complaints)
}

// answered is the answer to a simulation.
type answered struct {
	Frames []struct{ Forecast, Truth []float32 }
}

func simulated(t *testing.T, url, request string) (out answered) {
	t.Helper()
	a, err := http.Post(url+"/v1/simulate", "application/json", strings.NewReader(request))
	require.NoError(t, err)
	defer a.Body.Close()
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.NoError(t, json.NewDecoder(a.Body).Decode(&out))
	return out
}

// saving: the GIF has the history and all steps, in the colours of the page.
func (c *chrome) saving() {
	c.choose("acoustics", "pressure")
	c.set("#smooth", "cells")
	c.run("3")
	raw := c.saved("savegif")
	if *screenshots != "" {
		require.NoError(c.t, os.WriteFile(filepath.Join(*screenshots, "forecast.gif"), raw, 0o644))
	}
	all, err := gif.DecodeAll(bytes.NewReader(raw))
	require.NoError(c.t, err)
	require.Len(c.t, all.Image, 6+3)
	k := 256 / 32 // picture elements per cell
	assert.Equal(c.t, 2*32*k+8, all.Config.Width)
	assert.Equal(c.t, 32*k+48, all.Config.Height)
	for i := 1; i < len(all.Image); i++ {
		assert.NotEqual(c.t, all.Image[i-1].Pix, all.Image[i].Pix)
	}
	last := all.Image[len(all.Image)-1]
	for panel, id := range []string{"truth", "forecast"} {
		var page []float64
		text := c.eval(fmt.Sprintf(`(() => { const d = document.getElementById(%q).getContext('2d').getImageData(0, 0, 384, 384).data, out = []; for (let j = 0; j < 32; j++) for (let i = 0; i < 32; i++) out.push(...d.slice(4 * ((12 * j + 6) * 384 + 12 * i + 6)).slice(0, 3)); return JSON.stringify(out); })()`, id))
		require.NoError(c.t, json.Unmarshal([]byte(text.(string)), &page))
		worst := 0.0
		for p := range 32 * 32 {
			r, g, b, _ := last.At(panel*(32*k+8)+p%32*k+k/2, 24+p/32*k+k/2).RGBA()
			for ch, v := range []uint32{r, g, b} {
				worst = max(worst, math.Abs(float64(v>>8)-page[3*p+ch]))
			}
		}
		assert.LessOrEqual(c.t, worst, 6.0, "224 colours in place of 256: %s", id)
	}
	c.wait("document.getElementById('status').textContent === 'The GIF has 9 frames.'")
	c.set("#smooth", "smooth")
	assert.Empty(c.t, c.complaints)
}

// sharing: a link repeats the setup, the painting and the view.
func (c *chrome) sharing(url string) {
	c.choose("acoustics", "pressure")
	c.eval("document.getElementById('parameters').open = true")
	c.set("#p-contrast", "5")
	c.started()
	c.set("#seed", "7")
	c.started()
	c.set("#radius", "2.5")
	c.mouse("#paint", [2]float64{0.2, 0.2}, [2]float64{0.4, 0.35}, [2]float64{0.6, 0.3})
	c.eval("document.getElementById('value').value = -1")
	c.mouse("#paint", [2]float64{0.7, 0.7})
	c.set("#b-x-low", "open")
	c.set("#steps", "3")
	c.set("#members", "4")
	c.set("#map", "magma")
	c.set("#smooth", "cells")
	painted := c.pixels("paint")
	c.click("#share")
	c.wait("document.getElementById('status').textContent.startsWith('The link is')")
	hash, _ := c.eval("location.hash").(string)
	c.t.Log("the link has ", len(hash), " characters")
	assert.Less(c.t, len(hash), 1000)
	c.call("Page.navigate", map[string]any{"url": "about:blank"}, nil)
	c.wait("location.href === 'about:blank'")
	c.call("Page.navigate", map[string]any{"url": url + "/" + hash}, nil)
	c.wait("location.hash !== '' && !!document.getElementById('status') && document.getElementById('status').textContent.startsWith('The setup of the link')")
	assert.Equal(c.t, painted, c.pixels("paint"))
	assert.Equal(c.t, "acoustics 5 7 open open 3 4 magma cells", c.eval(`['system', 'p-contrast', 'seed', 'b-x-low', 'b-x-high', 'steps', 'members', 'map', 'smooth'].map((id) => document.getElementById(id).value).join(' ')`))
	c.run("3")
	c.shoot("12-shared")
	assert.Empty(c.t, c.complaints)
	// Links of strangers: nothing of them breaks the page.
	for _, bad := range []string{"#system=nothing", "#system=acoustics&p.contrast=x&boundaries=evil,a&steps=1e9&paint=*.!x_y_z*a_b!9_1_1*0_0&at=a,b&axis=q&map=none", "#field=nothing&size=-3&paint=0_1_3*1_1_1_1!0_Infinity_1*1_1"} {
		c.eval("location.hash = " + strconv.Quote(bad))
		c.wait("!document.getElementById('run').disabled")
	}
	c.eval("location.hash = '#system=acoustics&seed=1&smooth=smooth&map=auto'")
	c.wait("document.getElementById('seed').value === '1' && document.getElementById('map').value === 'auto'")
	c.started()
	assert.Empty(c.t, c.complaints)
}

// theme: the choice overrides the system's, and stays.
func (c *chrome) theme() {
	back := func() any { return c.eval("getComputedStyle(document.body).backgroundColor") }
	light := back()
	c.set("#theme", "dark")
	dark := back()
	assert.NotEqual(c.t, light, dark)
	c.run("3")
	c.shoot("13-dark")
	c.call("Page.reload", nil, nil)
	c.wait("!!document.getElementById('theme') && document.getElementById('theme').value === 'dark'")
	assert.Equal(c.t, dark, back())
	c.started()
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	c.set("#theme", "light")
	assert.Equal(c.t, light, back())
	c.set("#theme", "")
	assert.Equal(c.t, dark, back())
	c.call("Emulation.setEmulatedMedia", map[string]any{}, nil)
	assert.Empty(c.t, c.complaints)
}

// token: the page of a server with a token, mounted under a prefix, asks for the token.
func (c *chrome) token(m *serve.Model) {
	s, err := serve.New(m, serve.Options{Token: "correct-horse-battery"})
	require.NoError(c.t, err)
	defer s.Close()
	mux := http.NewServeMux()
	mux.Handle("/walrus/", http.StripPrefix("/walrus", s))
	h := httptest.NewServer(mux)
	defer h.Close()
	c.call("Page.navigate", map[string]any{"url": h.URL + "/walrus/"}, nil)
	c.wait("location.pathname === '/walrus/' && !!document.getElementById('token') && !document.getElementById('token').hidden")
	c.shoot("14-token")
	enter := func(token string) {
		c.eval("document.getElementById('tokentext').value = " + strconv.Quote(token))
		c.click("#token button")
	}
	enter("a wrong token, long")
	c.wait("document.getElementById('tokennote').textContent.startsWith('This is not')")
	enter("correct-horse-battery")
	c.started()
	assert.Equal(c.t, true, c.eval("document.getElementById('token').hidden"))
	c.run("2")
	c.complaints = nil // the 401s
}

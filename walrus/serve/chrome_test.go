package serve_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// chrome is a headless Chromium, controlled through the DevTools protocol over two
// pipes, which needs only encoding/json.
type chrome struct {
	t       *testing.T
	out     *os.File
	session string

	mu      sync.Mutex
	last    int
	answers map[int]chan answer
	// complaints are errors of scripts and of loading, as the browser words them.
	complaints []string
}

// answer is any message of the browser.
type answer struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// findChrome returns the path of a Chromium, or skips the test.
func findChrome(t *testing.T) string {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome-headless-shell"}
	if path := os.Getenv("GOWALRUS_CHROMIUM"); path != "" {
		names = []string{path}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skipf("the page is not tested: expected a Chromium (%s) on PATH or its path in GOWALRUS_CHROMIUM, found none", strings.Join(names, ", "))
	return ""
}

// startChrome starts a browser with one page; it ends with the test.
func startChrome(t *testing.T) *chrome {
	path := findChrome(t)
	toRead, toWrite, err := os.Pipe()
	require.NoError(t, err)
	fromRead, fromWrite, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command(path, "--headless", "--hide-scrollbars", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+filepath.Join(t.TempDir(), "profile"), "about:blank")
	cmd.ExtraFiles = []*os.File{toRead, fromWrite}
	require.NoError(t, cmd.Start())
	require.NoError(t, toRead.Close())
	require.NoError(t, fromWrite.Close())
	c := &chrome{t: t, out: toWrite, answers: map[int]chan answer{}}
	go c.listen(fromRead)
	t.Cleanup(func() {
		_ = toWrite.Close() // closing the pipe ends the browser
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
	})
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	c.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		c.call(domain+".enable", nil, nil)
	}
	return c
}

// listen reads messages, each ended by a zero byte.
func (c *chrome) listen(from *os.File) {
	r := bufio.NewReader(from)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(text[:len(text)-1], &a) != nil {
			continue
		}
		c.mu.Lock()
		if ch := c.answers[a.ID]; ch != nil {
			ch <- a
			delete(c.answers, a.ID)
		}
		if a.Method == "Runtime.exceptionThrown" || a.Method == "Log.entryAdded" && strings.Contains(string(a.Params), `"level":"error"`) {
			c.complaints = append(c.complaints, string(a.Params))
		}
		c.mu.Unlock()
	}
}

// call sends a command and reads its result into a struct.
func (c *chrome) call(method string, params any, into any) {
	c.t.Helper()
	c.mu.Lock()
	c.last++
	id, ch := c.last, make(chan answer, 1)
	c.answers[id] = ch
	c.mu.Unlock()
	message := map[string]any{"id": id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if c.session != "" {
		message["sessionId"] = c.session
	}
	text, err := json.Marshal(message)
	require.NoError(c.t, err)
	_, err = c.out.Write(append(text, 0))
	require.NoError(c.t, err)
	select {
	case a := <-ch:
		require.Nil(c.t, a.Error, "%s: %+v", method, a.Error)
		if into != nil {
			require.NoError(c.t, json.Unmarshal(a.Result, into))
		}
	case <-time.After(30 * time.Second):
		require.Fail(c.t, "no answer of the browser", method)
	}
}

// eval returns the value of an expression as encoding/json decodes it.
func (c *chrome) eval(expression string) any {
	c.t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	c.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &out)
	require.Empty(c.t, string(out.ExceptionDetails), expression)
	return out.Result.Value
}

// wait waits until an expression is true.
func (c *chrome) wait(expression string) {
	c.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(30 * time.Millisecond) {
		if c.eval(expression) == true {
			return
		}
		if time.Now().After(end) {
			require.Fail(c.t, "the page never came to "+expression, "status %q, error %q, complaints %v",
				c.eval("document.getElementById('status').textContent"), c.eval("document.getElementById('error').textContent"), c.complaints)
		}
	}
}

// mouse sends pointer events at points given relative to an element, from (0, 0) to
// (1, 1): down at the first, moves, up at the last.
func (c *chrome) mouse(selector string, points ...[2]float64) {
	c.t.Helper()
	text := c.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); return JSON.stringify([b.left, b.top, b.width, b.height]); })()`, selector))
	var b [4]float64
	require.NoError(c.t, json.Unmarshal([]byte(text.(string)), &b))
	at := func(kind string, p [2]float64, buttons int) {
		c.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": b[0] + p[0]*b[2], "y": b[1] + p[1]*b[3], "button": "left", "buttons": buttons, "clickCount": 1}, nil)
	}
	at("mousePressed", points[0], 1)
	for _, p := range points[1:] {
		at("mouseMoved", p, 1)
	}
	at("mouseReleased", points[len(points)-1], 0)
}

// click presses the middle of an element.
func (c *chrome) click(selector string) {
	c.t.Helper()
	c.mouse(selector, [2]float64{0.5, 0.5})
}

// key presses a key.
func (c *chrome) key(name string) {
	c.t.Helper()
	codes := map[string]int{"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, " ": 32, "Home": 36, "Tab": 9, "Enter": 13}
	down := map[string]any{"type": "keyDown", "key": name, "windowsVirtualKeyCode": codes[name]}
	if name == " " {
		down["text"] = " "
	}
	c.call("Input.dispatchKeyEvent", down, nil)
	c.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": name, "windowsVirtualKeyCode": codes[name]}, nil)
}

// set sets the value of a control as a user would.
func (c *chrome) set(selector, value string) {
	c.t.Helper()
	c.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; for (const k of ['input', 'change']) e.dispatchEvent(new Event(k, {bubbles: true})); })()`, selector, value))
}

// text returns the text of an element.
func (c *chrome) text(selector string) string {
	c.t.Helper()
	s, _ := c.eval(fmt.Sprintf("document.querySelector(%q).textContent", selector)).(string)
	return s
}

// shoot writes a picture of the whole page if -screenshots is set.
func (c *chrome) shoot(name string) {
	c.t.Helper()
	c.capture(name, true)
}

// shootWindow writes a picture of the part of the page that the window shows.
func (c *chrome) shootWindow(name string) {
	c.t.Helper()
	c.capture(name, false)
}

func (c *chrome) capture(name string, beyond bool) {
	c.t.Helper()
	if *screenshots == "" {
		return
	}
	var out struct{ Data string }
	c.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": beyond}, &out)
	raw, err := base64.StdEncoding.DecodeString(out.Data)
	require.NoError(c.t, err)
	require.NoError(c.t, os.WriteFile(filepath.Join(*screenshots, name+".png"), raw, 0o644))
}

// size sets the size of the window.
func (c *chrome) size(width, height int) {
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}, nil)
}

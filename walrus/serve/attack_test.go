package serve_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// peak returns the largest resident memory of the process in bytes.
func (c *child) peak() (bytes float64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(c.t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, err := fmt.Sscan(rest, &bytes)
			require.NoError(c.t, err)
		}
	}
	return bytes * 1024
}

// TestAttack sends large bodies from many addresses at once, whose decoded form would take
// gigabytes. The server refuses them, stays below 300 MB and answers others.
func TestAttack(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux gives all of 127.0.0.0/8 to loopback, and has /proc")
	}
	c := startChild(t)
	repeat := func(start, part string) []byte {
		return []byte(start + strings.Repeat(part, (8<<20-len(start)-8)/len(part)))
	}
	parameters := []byte(`{"parameters":{`)
	for i := 0; len(parameters) < 8<<20-20; i++ {
		parameters = fmt.Appendf(parameters, `"%d":1,`, i)
	}
	for name, body := range map[string][]byte{
		"fields": repeat(`{"fields":[`, "{},"), "frames": repeat(`{"frames":[`, `"",`), "grid": repeat(`{"grid":[`, "1,"), "boundaries": repeat(`{"boundaries":[`, `"",`),
		"arrays": repeat(`{"arrays":[`, "{},"), "parameters": parameters, "numbers": repeat(`{"frames":[[`, "1,"), "base64": repeat(`{"frames":["`, "AAAA"),
	} {
		var group sync.WaitGroup
		for i := range 32 {
			group.Go(func() {
				transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%8))}}).DialContext}
				defer transport.CloseIdleConnections()
				a, err := (&http.Client{Transport: transport}).Post(c.url+"/v1/forecast", "application/json", bytes.NewReader(body))
				if err == nil { // a server that does not read all may close the connection first
					a.Body.Close()
					assert.Contains(t, []int{400, 408, 422, 429}, a.StatusCode, name) // 408 on a busy machine
				}
			})
		}
		begin := time.Now()
		assert.Equal(t, http.StatusOK, c.status("/healthz"))
		t.Logf("%s: /healthz took %v", name, time.Since(begin))
		group.Wait()
	}
	t.Logf("peak %.0f MB", c.peak()/1e6)
	assert.Less(t, c.peak(), 300e6)
	assert.NoError(t, c.terminate(), "%s", c.stderr)
}

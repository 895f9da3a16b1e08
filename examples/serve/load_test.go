package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var loadTime = flag.Duration("load", 2*time.Second, "how long TestLoad loads the server")

// clients is the number of clients at once.
const clients = 50

// tally counts how requests ended, as their clients saw it.
type tally struct {
	answered, left, refused, rejected, other, pages atomic.Int64
	mu                                              sync.Mutex
	wrong                                           []string
}

// fail notes an answer that nobody should get.
func (c *tally) fail(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

// TestLoad: fifty clients, half of them leaving early, malformed and oversized requests
// mixed in. Nothing crashes, every accepted request is answered or cancelled, and
// neither goroutines nor memory grow. The server is a process of its own.
func TestLoad(t *testing.T) {
	args := []string{"-quiet", "-queue", "16", "-share", "2", "-max-programs", "14"}
	if runtime.GOOS != "linux" { // only there all of 127.0.0.0/8 is loopback
		args[4] = "16"
	}
	c := startChild(t, args...)
	var count tally
	phases := min(max(int(*loadTime/(20*time.Second)), 3), 6)
	var print []footprint
	for range phases {
		c.load(&count, *loadTime/time.Duration(phases))
		print = append(print, c.rest())
	}
	// What is there once every kind of request has been seen is the base.
	first, last := print[0], print[phases-1]
	text := c.metrics()
	t.Logf("%v of load: %d answered, %d left early, %d refused with 429, %d malformed or oversized ones rejected, %d connections with junk, %d pages", *loadTime,
		count.answered.Load(), count.left.Load(), count.refused.Load(), count.rejected.Load(), count.other.Load(), count.pages.Load())
	t.Logf("steps %v, emulators retired %v", number(t, text, "walrus_steps_total"), number(t, text, "walrus_emulators_retired_total"))
	ended := 0.0
	for _, end := range []string{"done", "invalid", "client", "timeout", "shutdown", "failed"} {
		n := number(t, text, `walrus_forecasts_total{end="`+end+`"}`)
		t.Logf("ended %s: %v", end, n)
		ended += n
	}
	asked, refused := sum(t, text, `walrus_requests_total{`, `endpoint="POST `), sum(t, text, "walrus_refused_total{", "")
	t.Logf("of %v requests for a forecast %v were refused; %v were accepted and %v answered or cancelled", asked, refused, asked-refused, ended)
	assert.Equal(t, asked-refused, ended)
	for i, f := range print {
		t.Logf("after %v of load: %v", *loadTime*time.Duration(i+1)/time.Duration(phases), f)
	}
	assert.Empty(t, count.wrong)
	for _, n := range []*atomic.Int64{&count.answered, &count.left, &count.rejected, &count.other, &count.pages} {
		assert.Positive(t, n.Load())
	}
	assert.Zero(t, number(t, text, "walrus_panics_total"))
	assert.Zero(t, number(t, text, `walrus_forecasts_total{end="failed"}`))
	assert.LessOrEqual(t, last.goroutines, first.goroutines+3)
	// An emulator of the test keeps up to 14 programs of 2.4 MB, at the beginning fewer.
	assert.LessOrEqual(t, last.live, first.live+6e6+3e6*max(0, last.programs-first.programs))
	assert.LessOrEqual(t, last.resident, first.resident*1.05+40e6)
	assert.NoError(t, c.terminate(), "%s", c.stderr)
	assert.NotContains(t, c.stderr.String(), "goroutine ")
}

// footprint is what the process takes: live is what the last collection found in use,
// half of the size at which the runtime plans the next, programs are those that the
// present emulator holds.
type footprint struct{ goroutines, resident, live, programs float64 }

func (f footprint) String() string {
	return fmt.Sprintf("%.0f goroutines, %.1f MB resident, %.1f MB of live objects, %.0f programs", f.goroutines, f.resident/1e6, f.live/1e6, f.programs)
}

// rest waits until the server has nothing to do, has it collect what nobody needs and
// measures it.
func (c *child) rest() footprint {
	c.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	var text string
	require.Eventually(c.t, func() bool {
		text = c.metrics()
		return number(c.t, text, "walrus_admitted")+number(c.t, text, "walrus_waiting")+number(c.t, text, "walrus_working") == 0
	}, 20*time.Second, 50*time.Millisecond, "places that nobody gave back")
	least := footprint{}
	for range 20 { // connections take a moment to go, pools two collections
		_, err := io.WriteString(c.stdin, "\n")
		require.NoError(c.t, err)
		text = c.metrics()
		now := footprint{number(c.t, text, "go_goroutines"), number(c.t, text, "process_resident_memory_bytes"), number(c.t, text, "go_memstats_next_gc_bytes") / 2, number(c.t, text, "walrus_programs")}
		if least == (footprint{}) {
			least = now
		}
		least = footprint{min(least.goroutines, now.goroutines), min(least.resident, now.resident), min(least.live, now.live), now.programs}
		time.Sleep(20 * time.Millisecond)
	}
	return least
}

// load lets all clients work for a time.
func (c *child) load(count *tally, d time.Duration) {
	end := time.Now().Add(d)
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			dialer := &net.Dialer{Timeout: 10 * time.Second}
			if runtime.GOOS == "linux" {
				dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i))}
			}
			transport := &http.Transport{DialContext: dialer.DialContext}
			defer transport.CloseIdleConnections()
			v := &visitor{url: c.url, http: &http.Client{Transport: transport}, dial: dialer, rng: rand.New(rand.NewPCG(uint64(i), uint64(d))), count: count}
			for time.Now().Before(end) {
				v.visit(i%2 == 1)
			}
		})
	}
	group.Wait()
}

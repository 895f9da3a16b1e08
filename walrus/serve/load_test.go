package serve_test

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

// clients is the number of concurrent clients.
const clients = 50

// tally counts the outcomes of requests, as their clients saw them.
type tally struct {
	answered, left, refused, rejected, other, pages atomic.Int64
	mu                                              sync.Mutex
	wrong                                           []string
}

// fail records an answer that no client should get.
func (c *tally) fail(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

// TestLoad runs fifty clients, half of which leave early, with malformed and oversized
// requests mixed in. Nothing may crash, every accepted request must be answered or
// cancelled, and neither goroutines nor memory may grow. The server is a separate
// process.
func TestLoad(t *testing.T) {
	args := []string{"-queue", "16", "-share", "2", "-programs", "8"}
	if runtime.GOOS != "linux" { // only Linux gives all of 127.0.0.0/8 to loopback
		args[3] = "16"
	}
	c := startChild(t, args...)
	var count tally
	phases := min(max(int(*loadTime/(20*time.Second)), 3), 6)
	var print []footprint
	for range phases {
		c.load(&count, *loadTime/time.Duration(phases))
		print = append(print, c.rest())
	}
	// The base is the footprint after every kind of request has been seen.
	first, last := print[0], print[phases-1]
	text := c.metrics()
	t.Logf("%v of load: %d answered, %d left early, %d refused with 429, %d malformed or oversized ones rejected, %d connections with junk, %d pages", *loadTime,
		count.answered.Load(), count.left.Load(), count.refused.Load(), count.rejected.Load(), count.other.Load(), count.pages.Load())
	t.Logf("steps %v", number(t, text, "walrus_steps_total"))
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
	// The emulator keeps 8 programs of 3 MB, perhaps fewer at the start.
	assert.LessOrEqual(t, last.live, first.live+6e6+3e6*max(0, last.programs-first.programs))
	assert.LessOrEqual(t, last.resident, first.resident*1.05+40e6)
	assert.NoError(t, c.terminate(), "%s", c.stderr)
	assert.NotContains(t, c.stderr.String(), "goroutine ")
}

// footprint is the memory of the process. live is the memory in use after the last
// collection, half of the size at which the runtime plans the next one. programs is the
// number of programs of the emulator.
type footprint struct{ goroutines, resident, live, programs float64 }

func (f footprint) String() string {
	return fmt.Sprintf("%.0f goroutines, %.1f MB resident, %.1f MB of live objects, %.0f programs", f.goroutines, f.resident/1e6, f.live/1e6, f.programs)
}

// rest waits until the server is idle, makes it collect garbage, and measures it.
func (c *child) rest() footprint {
	c.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	var text string
	require.Eventually(c.t, func() bool {
		text = c.metrics()
		return number(c.t, text, "walrus_admitted")+number(c.t, text, "walrus_waiting")+number(c.t, text, "walrus_working") == 0
	}, 20*time.Second, 50*time.Millisecond, "places that nobody gave back")
	least := footprint{}
	for range 20 { // connections close after a moment, pools after two collections
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

// load lets all clients work for a duration.
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

package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// childEnv makes the test program run a server, so that a separate process can be
// loaded, measured and ended.
const childEnv = "GOWALRUS_SERVE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		go func() { // every line requests a garbage collection before a measurement
			for in := bufio.NewScanner(os.Stdin); in.Scan(); {
				debug.FreeOSMemory()
			}
		}()
		if err := serveChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveChild serves walrus-nano until SIGTERM. It prints the address once it listens.
func serveChild() error {
	o := serve.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	programs := flag.Int("programs", 16, "")
	flag.IntVar(&o.Queue, "queue", 0, "")
	flag.IntVar(&o.Share, "share", 0, "")
	flag.DurationVar(&o.Grace, "grace", 0, "")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := serve.New(nil, o)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	return s.Serve(ctx, l, func() (*serve.Model, error) {
		b, err := serve.OpenBackend(false)
		if err != nil {
			return nil, err
		}
		return serve.OpenModel("nano", walrus.EmulatorOptions{Backend: b, Seed: 1, Programs: *programs})
	})
}

// child is a running server.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Writer
	url    string
	stderr *tail
	ended  chan error
}

// tail collects the output of a process.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *tail) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *tail) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startChild runs a server with flags of serveChild and waits until it is ready.
func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := &child{t: t, stderr: &tail{}, ended: make(chan error, 1)}
	c.cmd = exec.Command(self, args...)
	c.cmd.Env = append(os.Environ(), childEnv+"=1")
	c.cmd.Stderr = c.stderr
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.stdin, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "%s", c.stderr)
	c.url = strings.TrimSpace(line)
	go func() { c.ended <- c.cmd.Wait() }()
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	require.Eventually(t, func() bool { return c.status("/readyz") == http.StatusOK }, 30*time.Second, 20*time.Millisecond, "%s", c.stderr)
	return c
}

// status returns the status of a GET, 0 if there is no answer.
func (c *child) status(path string) int {
	a, err := http.Get(c.url + path)
	if err != nil {
		return 0
	}
	a.Body.Close()
	return a.StatusCode
}

// metrics returns the text of /metrics.
func (c *child) metrics() string {
	c.t.Helper()
	a, err := http.Get(c.url + "/metrics")
	require.NoError(c.t, err)
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	require.NoError(c.t, err)
	return string(raw)
}

// stream starts a simulation and waits for its first event.
func (c *child) stream(request string) (*http.Response, *bufio.Reader) {
	c.t.Helper()
	r, err := http.NewRequest("POST", c.url+"/v1/simulate", strings.NewReader(request))
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	a, err := http.DefaultClient.Do(r)
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, a.StatusCode)
	in := bufio.NewReader(a.Body)
	line, err := in.ReadString('\n')
	require.NoError(c.t, err)
	require.Equal(c.t, "event: start\n", line)
	return a, in
}

// terminate ends the server with SIGTERM and returns its error.
func (c *child) terminate() error {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Signal(syscall.SIGTERM))
	return c.wait()
}

func (c *child) wait() error {
	c.t.Helper()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(30 * time.Second):
		require.Fail(c.t, "the server does not end", "%s", c.stderr)
		return nil
	}
}

// TestTerminate: after SIGTERM a running forecast may end, and the exit status is 0.
func TestTerminate(t *testing.T) {
	c := startChild(t, "-grace", "20s")
	a, in := c.stream(`{"system": "diffusion", "grid": [16, 16], "steps": 3}`)
	defer a.Body.Close()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(in)
	assert.NoError(t, err)
	assert.Contains(t, string(rest), "event: end\n")
	assert.NoError(t, c.wait())
	assert.Contains(t, c.stderr.String(), "shutting down")
}

// TestTerminateCancels: a forecast that takes too long gets an error and is cancelled.
func TestTerminateCancels(t *testing.T) {
	c := startChild(t, "-grace", "100ms")
	a, in := c.stream(`{"system": "diffusion", "steps": 200}`)
	defer a.Body.Close()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(in)
	assert.NoError(t, err)
	assert.Contains(t, string(rest), "event: error\n")
	assert.Contains(t, string(rest), `"code":"shutdown"`)
	assert.NoError(t, c.wait())
}

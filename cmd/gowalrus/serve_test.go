package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestServeMistakes: invalid flags, weights and addresses are errors.
func TestServeMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for want, args := range map[string][]string{
		"expected flags only, got [\"x\"]":                                          {"x"},
		"unknown flag: --colour":                                                    {"--colour"},
		"Workers: expected a positive number, got -1":                               {"--workers", "-1"},
		"Hosts: expected names without port, got \"a:1\"":                           {"--host", "b", "--host", "a:1"},
		"--token-file: open nowhere":                                                {"--token-file", "nowhere"},
		"got an empty file":                                                         {"--token-file", os.DevNull},
		"no such file":                                                              {"--listen", "127.0.0.1:0", "--weights", "nowhere"},
		"address already in use":                                                    {"--listen", taken.Addr().String()},
		"--refresh: expected --cache with it, got none":                             {"--refresh", "5"},
		"got weights of DPOT, which are bound to those of one data set":             {"--weights", filepath.Join(peerDir, "dpot_micro.pth")},
		"got weights of FNO":                                                        {"--weights", "fno"},
		"--refresh: expected a number of steps, or a negative one for never, got 0": {"--cache", "--refresh", "0"},
	} {
		assert.ErrorContains(t, fails(append([]string{"serve"}, args...)...), want)
	}
}

// startServer runs serve until the end of the test and returns its address, once it is
// ready.
func startServer(t *testing.T, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), in, io.Discard)
		done <- err
	}()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-done)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	url := strings.TrimSpace(line)
	require.Eventually(t, func() bool {
		a, err := http.Get(url + "/readyz")
		if err != nil {
			return false
		}
		a.Body.Close()
		return a.StatusCode == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond)
	return url
}

// TestServeWeights: a folder with a checkpoint is served like the shipped weights.
func TestServeWeights(t *testing.T) {
	a, err := http.Get(startServer(t, "--weights", "../../walrus/nano/checkpoint") + "/v1/model")
	require.NoError(t, err)
	defer a.Body.Close()
	var model struct{ Name string }
	require.NoError(t, json.NewDecoder(a.Body).Decode(&model))
	assert.Equal(t, "walrus-nano", model.Name)
}

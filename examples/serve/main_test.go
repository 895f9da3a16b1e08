package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMistakes: invalid flags, weights and addresses are errors.
func TestMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for want, args := range map[string][]string{
		"expected flags only, got [\"x\"]":                {"x"},
		"flag provided but not defined: -colour":          {"-colour"},
		"Workers: expected a positive number, got -1":     {"-workers", "-1"},
		"Hosts: expected names without port, got \"a:1\"": {"-host", "b", "-host", "a:1"},
		"no such file":           {"-listen", "127.0.0.1:0", "-weights", "nowhere"},
		"address already in use": {"-listen", taken.Addr().String()},
	} {
		assert.ErrorContains(t, run(context.Background(), args, io.Discard, io.Discard), want)
	}
}

// TestWeights: a folder with a checkpoint is served like the shipped weights.
func TestWeights(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var log tail
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-weights", "../../walrus/nano/checkpoint"}, io.Discard, &log)
	}()
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "msg=ready network=walrus-nano") }, 20*time.Second, 10*time.Millisecond)
	stop()
	assert.NoError(t, <-done)
}

// TestHelp lists the flags.
func TestHelp(t *testing.T) {
	var out bytes.Buffer
	assert.Error(t, run(context.Background(), []string{"-h"}, io.Discard, &out))
	assert.Contains(t, out.String(), "-max-body")
}

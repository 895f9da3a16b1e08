package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMount: the program's own page and the mounted server answer, and the program ends
// without an error.
func TestMount(t *testing.T) {
	const token = "a token for tests"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	assert.ErrorContains(t, run(ctx, l, token), "without spaces")

	done := make(chan error, 1)
	go func() { done <- run(ctx, l, strings.ReplaceAll(token, " ", "-")) }()
	url := "http://" + l.Addr().String()
	request := func(method, path, body string, authorize bool) (int, []byte) {
		r, err := http.NewRequest(method, url+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		if authorize {
			r.Header.Set("Authorization", "Bearer a-token-for-tests")
		}
		a, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer a.Body.Close()
		raw, err := io.ReadAll(a.Body)
		require.NoError(t, err)
		return a.StatusCode, raw
	}
	status, page := request("GET", "/", "", false)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, string(page), "/forecast/")
	status, page = request("GET", "/forecast/", "", false)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, string(page), "<title>Walrus")
	status, _ = request("GET", "/forecast/v1/model", "", false)
	assert.Equal(t, http.StatusUnauthorized, status)

	status, raw := request("POST", "/forecast/v1/simulate", `{"system": "diffusion", "grid": [16, 16], "steps": 2}`, true)
	require.Equal(t, http.StatusOK, status, "%s", raw)
	var forecast struct {
		Frames []struct{ VRMSE []float64 }
	}
	require.NoError(t, json.Unmarshal(raw, &forecast))
	require.Len(t, forecast.Frames, 2)
	assert.Less(t, forecast.Frames[1].VRMSE[0], 0.3)
	stop()
	assert.NoError(t, <-done)
}

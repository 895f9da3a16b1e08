package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// duration is the time that a forecast took, as printed.
var duration = regexp.MustCompile(`\b\d+\.\d s\b`)

// TestFarData: subcommands read data sets from addresses as they read those on this machine.
func TestFarData(t *testing.T) {
	server := httptest.NewServer(http.FileServer(http.Dir(dataDir)))
	defer server.Close()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	far := server.URL + "/shear_flow"
	for _, args := range [][]string{
		{"inspect", "--json"},
		{"check"},
		{"evaluate", "--json", "--windows", "1", "--horizons", "1"},
		{"forecast", "--steps", "1", "--trajectory", "1", "--out", t.TempDir()},
	} {
		want := output(t, append(args, "--data", flow)...)
		got := output(t, append(args, "--data", far)...)
		require.Equal(t, duration.ReplaceAllString(strings.ReplaceAll(want, flow, far), "0 s"), duration.ReplaceAllString(got, "0 s"))
	}
	require.ErrorContains(t, fails("check", "--data", server.URL+"/nowhere"), "well: stat "+server.URL+"/nowhere: 127.0.0.1:")
}

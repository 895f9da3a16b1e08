package serve_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// metric reads a number from /metrics; a metric that does not exist yet is 0.
func metric(t *testing.T, h http.Handler, name string) float64 {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	return number(t, w.Body.String(), name)
}

// number finds a metric in the text of /metrics.
func number(t *testing.T, text, name string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			require.NoError(t, err)
			return v
		}
	}
	return 0
}

// sum adds the metrics whose line starts with prefix and contains part.
func sum(t *testing.T, text, prefix, part string) float64 {
	t.Helper()
	total := 0.0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) && strings.Contains(line, part) {
			v, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]), 64)
			require.NoError(t, err)
			total += v
		}
	}
	return total
}

package serve_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// TestDocs runs the calls of curl in docs/serving.md that name the local server.
func TestDocs(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skipf("expected curl on PATH: %v", err)
	}
	model, err := serve.OpenModel("nano", walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 1})
	require.NoError(t, err)
	defer model.Close()
	s, err := serve.New(model, serve.Options{})
	require.NoError(t, err)
	defer s.Close()
	h := httptest.NewServer(s)
	defer h.Close()
	text, err := os.ReadFile("../../docs/serving.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)\n```sh[^\n]*TestDocs[^\n]*\n(curl .*?)\n```").FindAllStringSubmatch(string(text), -1)
	assert.Len(t, blocks, 5)
	for _, b := range blocks {
		require.Contains(t, b[1], "http://127.0.0.1:8080/")
		command := strings.Replace(strings.ReplaceAll(b[1], "http://127.0.0.1:8080", h.URL), "curl ", "curl --fail-with-body ", 1)
		out, err := exec.Command("sh", "-c", command).Output()
		assert.NoError(t, err, "%s\n%s", b[1], out)
		if strings.Contains(b[1], "event-stream") {
			assert.Contains(t, string(out), "event: end\n")
		} else {
			assert.True(t, json.Valid(out), "%s\n%.200s", b[1], out)
		}
	}
}

// TestDocsOptions: the table of docs/serving.md lists every option.
func TestDocsOptions(t *testing.T) {
	text, err := os.ReadFile("../../docs/serving.md")
	require.NoError(t, err)
	source, err := os.ReadFile("options.go")
	require.NoError(t, err)
	_, fields, ok := strings.Cut(string(source), "type Options struct {")
	require.True(t, ok)
	fields, _, _ = strings.Cut(fields, "\n}")
	count := 0
	for _, m := range regexp.MustCompile(`(?m)^\t([A-Z]\w+(?:, [A-Z]\w+)*) `).FindAllStringSubmatch(fields, -1) {
		for _, name := range strings.Split(m[1], ", ") {
			assert.Contains(t, string(text), "`"+name+"`")
			count++
		}
	}
	assert.GreaterOrEqual(t, count, 20)
}

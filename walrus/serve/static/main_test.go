package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWrite: the folder has every file that its files refer to, and nothing of the server.
func TestWrite(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, write(folder))
	own, err := os.ReadFile("files/send.js")
	require.NoError(t, err)
	sent, err := os.ReadFile(filepath.Join(folder, "page", "send.js"))
	require.NoError(t, err)
	assert.Equal(t, string(own), string(sent))
	assert.NoFileExists(t, filepath.Join(folder, "page", "index.html"))

	refers := regexp.MustCompile(`(?:from|URL\(|importScripts\(|src=|href=) ?['"]((?:\./|page/|wasm)[\w./]+)['"]`)
	found := 0
	list, err := filepath.Glob(filepath.Join(folder, "page", "*.js"))
	require.NoError(t, err)
	for _, name := range append(list, filepath.Join(folder, "index.html")) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotRegexp(t, `href="api"`, string(text))
		for _, m := range refers.FindAllStringSubmatch(string(text), -1) {
			assert.FileExists(t, filepath.Join(filepath.Dir(name), m[1]), "%s", name)
			found++
		}
	}
	assert.Greater(t, found, 12)
}

// TestIndex: a page whose link to the server's description cannot be found is an error.
func TestIndex(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.html"), []byte("<p>no links</p>"), 0o644))
	assert.ErrorContains(t, index(folder, folder), `index.html: expected the link <a href="api">API</a> once, got 0`)
}

// TestBuildFolder: a folder that cannot be made is an error that names it.
func TestBuildFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	assert.ErrorContains(t, build(file), file)
}
